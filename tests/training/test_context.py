"""A fold is trained, its patient context fitted, counted, judged, and answers alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lentigo
from lentigo.errors import ConfigError, DatasetError
from lentigo.evaluation.without import judge_without
from lentigo.models.description import read_description
from lentigo.tables import check_table, read_any_table
from lentigo.training.learnable import learnable
from lentigo.training.run import Run
from tests.cohorts import disc, draw_cohort, tiny_config

LEARNS = {
    "training__epochs": 2, "training__learning_rate": 3e-3, "training__average": 0.0,
    "split__folds": 4, "split__validation": 0.48, "training__index": "none",
}  # fmt: skip


def draw_ducklings(folder: Path, patients: int = 64) -> pd.DataFrame:
    """Draw four discs of each patient: of every other one of them one is dark, a melanoma.

    All discs of the others are dark, and none is a melanoma: what an image shows tells
    nothing that the patient's others do not tell better.
    """
    rng, rows = np.random.default_rng(5), []
    folder.mkdir(parents=True)
    for number in range(4 * patients):
        patient, nth = divmod(number, 4)
        odd = patient % 2 == 0
        path = folder / f"L{number:03}.png"
        Image.fromarray(disc(rng, dark=not odd or nth == 0)).save(path)
        rows.append(
            {
                "image_id": path.stem, "path": str(path), "dataset": "discs",
                "patient_id": f"P{patient:03}", "melanoma": odd and nth == 0,
            }
        )  # fmt: skip
    return check_table(pd.DataFrame(rows), source="the discs")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_ducklings(tmp_path_factory.mktemp("drawn") / "images")


@pytest.fixture(scope="module")
def run(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One fold of two networks, whose mean has a context."""
    members = [{}, {"model.dropout": 0.1}]
    config = tiny_config(model__context=True, members=members, **LEARNS)
    out = tmp_path_factory.mktemp("run") / "run"
    return lentigo.train(cohort, config, out=out)


def test_the_odd_lesion_of_a_patient_is_found(run: Run) -> None:
    """The same held-out images with and without: the gain is beyond its interval."""
    found = judge_without(run.predictions, run.table, what="context", repeats=50, seed=0)
    assert found is not None
    assert found.without.value < 0.92
    assert found.given.value > 0.97
    assert found.difference["auc"].low > 0.03


def test_thresholds_are_chosen_on_answers_that_count_the_others(run: Run) -> None:
    """Of images whose group no context saw; the held-out ones get that of the folder."""
    layout = run.layout.fold(0)
    known = read_description(layout.model)
    (context,) = known.context
    assert (context.members, context.fitted_on) == (2, "validation images")
    validation = read_any_table(layout.validation)
    assert not np.allclose(validation["logit"], validation["logit_without_context"])
    assert known.operating_points
    held_out = read_any_table(layout.predictions)
    first = read_any_table(layout.member(0).predictions)
    assert "logit_without_context" not in first  # the mean has a context, no network has
    assert set(held_out["image_id"]) == set(first["image_id"])


def test_the_folder_answers_as_the_training_did(run: Run, cohort: pd.DataFrame) -> None:
    layout = run.layout.fold(0)
    judged = read_any_table(layout.predictions).set_index("image_id")
    mine = cohort[cohort["image_id"].isin(judged.index)]
    found = lentigo.load(layout.model, engine="torch").predict(mine, abstain=False)
    known = judged.loc[found["image_id"]]
    np.testing.assert_allclose(found["logit"], known["logit"], atol=1e-3)
    assert (found["context"] == 3).all()


def test_a_table_without_patients_is_refused_at_once(tmp_path: Path) -> None:
    config = tiny_config(model__context=True)
    with pytest.raises(DatasetError, match=r"No patient .* has two of 256 labelled images"):
        learnable(draw_ducklings(tmp_path / "a").assign(patient_id=None), config)
    learnable(draw_cohort(tmp_path / "b", images=4).assign(melanoma=[1, 0, 0, 1]), config)


def test_a_single_network_of_several_cannot_differ_in_it() -> None:
    with pytest.raises(ConfigError, match=r"cannot differ in model\.context"):
        tiny_config(members=[{"model.context": True}, {}])
