"""The sets of several folds are those of the out-of-fold predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from lentigo.inference.out_of_fold import sets_of_folds
from lentigo.inference.sets import fit_sets
from lentigo.run_layout import RunLayout
from lentigo.tables import read_any_table, write_table

COUNT = 60


@pytest.fixture
def run(tmp_path: Path) -> RunLayout:
    """Two folds of 30 lesions each; every third is a melanoma, one has no label."""
    layout = RunLayout(tmp_path)
    score = np.random.default_rng(0).random(COUNT)
    told = pd.DataFrame(
        {
            "image_id": [f"i{number}" for number in range(COUNT)],
            "group_id": [f"g{number}" for number in range(COUNT)],
            "probability": score,
            "fold": np.arange(COUNT) % 2,
        }
    )
    melanoma = pd.array([number % 3 == 0 for number in range(COUNT)], "boolean")
    melanoma[7] = pd.NA
    write_table(told[["image_id", "group_id"]].assign(melanoma=melanoma), layout.table)
    write_table(told[["image_id", "fold"]], layout.split)
    for number, part in told.groupby("fold"):
        folder = tmp_path / f"fold-{number}"
        folder.mkdir()
        write_table(part, folder / "predictions.csv")
    write_table(told, layout.predictions)
    return layout


def test_each_image_is_judged_by_the_network_that_did_not_see_it(run: RunLayout) -> None:
    score = np.random.default_rng(0).random(COUNT)
    kept = np.arange(COUNT) != 7
    truth = np.arange(COUNT) % 3 == 0
    names = [f"g{number}" for number in np.flatnonzero(kept)]
    known = fit_sets(truth[kept], score[kept], names, set_on="")
    found = sets_of_folds(run)
    assert known is not None
    assert found == known.model_copy(update={"set_on": "out-of-fold images of 2 folds"})


def test_of_a_repeated_split_the_mean_of_the_repeats_counts(run: RunLayout) -> None:
    score = np.random.default_rng(0).random(COUNT)
    again = np.random.default_rng(1).random(COUNT)
    for number in range(2):
        own = np.flatnonzero(np.arange(COUNT) // 30 == number)
        folder = run.folder / f"repeat-1-fold-{number}"
        folder.mkdir()
        ids = {"image_id": [f"i{k}" for k in own], "group_id": [f"g{k}" for k in own]}
        told = pd.DataFrame({**ids, "probability": again[own], "fold": number})
        write_table(told, folder / "predictions.csv")
    assert len(run.folds()) == 4
    kept = np.arange(COUNT) != 7
    odds = np.sqrt(score / (1 - score) * again / (1 - again))
    names = [f"g{number}" for number in np.flatnonzero(kept)]
    truth = np.arange(COUNT) % 3 == 0
    known = fit_sets(truth[kept], (odds / (1 + odds))[kept], names, set_on="")
    found = sets_of_folds(run)
    assert known is not None
    assert found is not None
    assert found.n_images == known.n_images == COUNT - 1
    assert found.melanoma == pytest.approx(known.melanoma)
    assert found.not_melanoma == pytest.approx(known.not_melanoma)
    assert found.set_on == "out-of-fold images of 4 folds"


def test_an_unfinished_run_has_none(run: RunLayout) -> None:
    run.predictions.unlink()
    assert sets_of_folds(run) is None


def test_a_single_fold_has_its_own(run: RunLayout) -> None:
    for each in (run.folder / "fold-1").iterdir():
        each.unlink()
    (run.folder / "fold-1").rmdir()
    assert sets_of_folds(run) is None


def test_answers_without_age_sex_and_site_count_where_they_are_less_right(
    run: RunLayout,
) -> None:
    truth = np.arange(COUNT) % 3 == 0
    score = np.clip(np.random.default_rng(0).random(COUNT), 0.1, 0.9)
    moved = np.where(truth, -0.05, 0.05)
    for fold in run.folds():
        told = read_any_table(fold.predictions)
        own = told["image_id"].str[1:].astype(int).to_numpy()
        bare = logit(score[own] + moved[own])
        told = told.assign(probability=score[own], logit_without_metadata=bare)
        write_table(told, fold.predictions)
    kept = np.arange(COUNT) != 7
    names = [f"g{number}" for number in np.flatnonzero(kept)]
    known = fit_sets(truth[kept], (score + moved)[kept], names, set_on="")
    found = sets_of_folds(run)
    assert known is not None
    assert found is not None
    assert found.melanoma == pytest.approx(known.melanoma)
    assert found.not_melanoma == pytest.approx(known.not_melanoma)
