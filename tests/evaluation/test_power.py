"""Sizes of studies, against published ones and against samples that are drawn."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ConfigError, DatasetError
from lentigo.evaluation.clustered import estimated_difference
from lentigo.evaluation.planning import plan_study
from lentigo.evaluation.power import (
    design_effect,
    for_auc_width,
    for_difference,
    for_sensitivity_width,
    images_for_two_groups,
)
from lentigo.evaluation.ranking import auc_interval, placement_variance
from lentigo.evaluation.shares import clustered_share
from lentigo.evaluation.sums import Sample


def drawn(patients: int, *, seed: int, images: int = 3) -> tuple[Sample, np.ndarray]:
    """Patients with several images, 20 % melanomas; two models of AUC 0.86 and 0.80."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(patients), images)
    truth = rng.random(len(group)) < 0.2
    shared = rng.normal(size=(2, patients))[:, group] * math.sqrt(0.3)
    alone = rng.normal(size=(2, len(group))) * math.sqrt(0.7)
    noise = shared + alone
    second = 0.7 * noise[0] + math.sqrt(1 - 0.49) * noise[1]
    one = ndtr(noise[0] + math.sqrt(2) * ndtri(0.86) * truth - 1)
    other = ndtr(second + math.sqrt(2) * ndtri(0.80) * truth - 1)
    return Sample(truth, one, group, patients), other


PILOT, OTHER = drawn(300, seed=0)


@pytest.mark.parametrize(
    ("first", "second", "power", "images"),
    [(0.70, 0.75, 0.8, 652), (0.70, 0.75, 0.9, 897), (0.70, 0.75, 0.95, 1131)],
)
def test_two_independent_aucs_take_what_table_iii_of_hanley_and_mcneil_says(
    first: float, second: float, power: float, images: int
) -> None:
    # Their table has quantiles of two decimals.
    assert images_for_two_groups(first, second, power=power) == pytest.approx(
        images, rel=3e-3
    )


def test_the_spread_of_normal_scores_is_near_that_of_the_published_example() -> None:
    # Hanley & McNeil 1982: 0.893 of 51 and 58 images has a standard error of 0.032, with
    # exponential scores, which spread a little more than normal ones.
    error = math.sqrt(placement_variance(0.893) * (1 / 51 + 1 / 58))
    assert error == pytest.approx(0.032, abs=0.004)


def test_a_study_of_the_planned_size_has_the_wished_width_of_the_auc() -> None:
    plan = for_auc_width(PILOT, 0.05)
    widths = []
    for seed in range(1, 9):
        sample, _ = drawn(plan.patients, seed=seed)
        found = auc_interval(sample.truth, sample.score, sample.group)
        widths.append(found.high - found.low)
    assert np.mean(widths) == pytest.approx(0.05, rel=0.12)


def test_a_study_of_the_planned_size_has_the_wished_width_of_the_sensitivity() -> None:
    plan = for_sensitivity_width(PILOT, 0.1, threshold=0.5)
    widths = []
    for seed in range(1, 9):
        sample, _ = drawn(plan.patients, seed=seed)
        own = sample.truth
        found = clustered_share(sample.score[own] >= 0.5, sample.group[own])
        widths.append(found.high - found.low)
    assert np.mean(widths) == pytest.approx(0.1, rel=0.12)


def test_a_study_of_the_planned_size_finds_the_difference_as_often_as_wished() -> None:
    plan = for_difference(*drawn(1500, seed=0), 0.06, power=0.8)
    found = []
    for seed in range(1, 201):
        sample, other = drawn(plan.patients, seed=seed)
        pair = estimated_difference(sample.truth, sample.score, other, sample.group)
        found.append(pair.interval().low > 0)
    # Of 200 studies; the standard error of 80 % is 3 %.
    assert np.mean(found) == pytest.approx(0.8, abs=0.1)


def test_more_is_asked_for_where_patients_have_several_alike() -> None:
    twice = Sample(
        np.repeat(PILOT.truth, 2), np.repeat(PILOT.score, 2), np.repeat(PILOT.group, 2), 300
    )
    assert for_auc_width(twice, 0.05).patients == pytest.approx(
        for_auc_width(PILOT, 0.05).patients, rel=0.02
    )
    assert for_auc_width(twice, 0.05).melanomas > 1.9 * for_auc_width(PILOT, 0.05).melanomas
    assert design_effect(twice) == pytest.approx(2 * design_effect(PILOT))


def test_the_pilot_itself_is_the_size_for_its_own_width() -> None:
    own = auc_interval(PILOT.truth, PILOT.score, PILOT.group)
    plan = for_auc_width(PILOT, own.high - own.low)
    assert plan.times == pytest.approx(1, rel=1e-3)
    assert plan.melanomas == pytest.approx(PILOT.truth.sum(), abs=1)


def test_too_small_pilots_and_senseless_wishes_are_refused() -> None:
    names = [f"i{number}" for number in range(20)]
    guesses = pd.DataFrame({"image_id": names, "probability": np.linspace(0.1, 0.9, 20)})
    few = pd.DataFrame({"image_id": names, "melanoma": [1] * 3 + [0] * 17})
    with pytest.raises(DatasetError, match="melanomas of 3 groups and other images of 17"):
        plan_study(guesses, few)
    with pytest.raises(DatasetError, match="melanomas of 3 groups and other images of 17"):
        plan_study(guesses, few, widths=[])
    enough = few.assign(melanoma=[0, 1] * 10)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        plan_study(guesses, enough, widths=[1.5])
    with pytest.raises(DatasetError, match="rank the pilot's images alike"):
        plan_study(guesses, enough, against=guesses)


def test_the_command_tells_the_sizes_and_takes_two_models(tmp_path: Path) -> None:
    names = [f"i{number:03}" for number in range(900)]
    table = pd.DataFrame({"image_id": names, "patient_id": PILOT.group.astype(str)})
    table.assign(probability=PILOT.score).to_csv(tmp_path / "a.csv", index=False)
    table.assign(probability=OTHER).to_csv(tmp_path / "b.csv", index=False)
    table.assign(melanoma=PILOT.truth.astype(int)).to_csv(tmp_path / "t.csv", index=False)
    words = ["power", f"{tmp_path}/a.csv", "--truth", f"{tmp_path}/t.csv"]
    plain = CliRunner().invoke(app, [*words, "--width", "0.05"])
    assert plain.exit_code == 0, plain.output
    assert "AUC with an interval 0.05 wide" in plain.output
    half = CliRunner().invoke(app, [*words, "--where", "patient_id < '2'"])
    assert "rows fit \"patient_id < '2'\"" in half.output
    both = CliRunner().invoke(app, [*words, "--against", f"{tmp_path}/b.csv", "--json"])
    read = json.loads(both.stdout)
    assert len(read["needed"]) == 7
    assert read["needed"][-1]["wish"].startswith("difference of 0.02")
    assert read["pilot"]["n_melanomas"] == PILOT.truth.sum()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_pilot_that_ranks_all_rightly_or_wrongly_is_planned_from(sign: int) -> None:
    truth = np.arange(40) % 4 == 0
    perfect = Sample(truth, 0.5 + 0.3 * sign * truth, np.arange(40) // 2, 20)
    assert 1 < for_auc_width(perfect, 0.1).times < 2


def test_a_pilot_of_one_score_is_refused() -> None:
    alike = Sample(PILOT.truth, np.full(len(OTHER), 0.5), PILOT.group, 300)
    with pytest.raises(DatasetError, match="which shows no spread"):
        for_auc_width(alike, 0.1)


def test_images_that_one_model_alone_predicts_are_counted() -> None:
    names = [f"i{number:03}" for number in range(900)]
    truth = pd.DataFrame(
        {"image_id": names, "patient_id": PILOT.group.astype(str), "melanoma": PILOT.truth}
    )
    first = pd.DataFrame({"image_id": names, "probability": PILOT.score})
    second = pd.DataFrame({"image_id": names, "probability": OTHER})
    notes = plan_study(first[5:], truth, against=second[:-3]).notes
    assert (
        "3 images of the pilot left out, which the other model does not predict." in notes
    )
    assert "5 images that the other model alone predicts left out." in notes
    assert not any("left out, which" in n for n in plan_study(first, truth).notes)


def test_a_pilot_the_wrong_way_round_is_asked_about() -> None:
    ids = [f"i{number}" for number in range(len(PILOT.truth))]
    truth = pd.DataFrame({"image_id": ids, "melanoma": PILOT.truth, "patient": PILOT.group})
    right = pd.DataFrame({"image_id": ids, "probability": PILOT.score})
    turned = right.assign(probability=1 - PILOT.score)
    assert not any("wrong way round" in n for n in plan_study(right, truth).notes)
    assert "the wrong way round?" in plan_study(turned, truth).notes[0]
    assert "the wrong way round?" in plan_study(turned, truth).as_text()
