"""Subgroups by what is seen in the images themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ColumnError
from lentigo.evaluation import evaluate
from lentigo.evaluation.measured import AS_MEASURED, MEASURED, with_measured
from lentigo.imaging.artefacts import ARTEFACTS
from tests.cohorts import draw_cohort


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = draw_cohort(tmp_path_factory.mktemp("discs"), images=24)
    (Path(drawn["path"].iloc[3])).write_bytes(b"no image")
    return drawn


def test_every_artefact_can_be_asked_for() -> None:
    assert set(ARTEFACTS) < set(MEASURED)


def test_images_are_measured_once_and_a_broken_one_is_not_known(
    table: pd.DataFrame,
) -> None:
    found, [note] = with_measured(table, ["measured", "sex*hair"])
    assert "Measured in 23 of 24 images" in note
    whole = found[[f"{name}{AS_MEASURED}" for name in MEASURED]]
    assert whole.iloc[3].isna().all()
    assert set(whole[f"hair{AS_MEASURED}"].dropna()) <= {"present", "absent"}
    share = whole[f"lesion_share{AS_MEASURED}"].dropna()
    assert share.between(0.02, 0.7).all()  # discs of 0.2 to 0.35 of the side as radius


def test_a_column_of_that_name_is_taken_as_it_is() -> None:
    rows = pd.DataFrame({"image_id": ["a"], "hair (truth)": ["much"]})
    found, notes = with_measured(rows, ["hair"])
    assert notes == []
    assert found is rows


def test_without_images_it_says_what_is_missing() -> None:
    rows = pd.DataFrame({"image_id": ["a"], "path (truth)": ["nowhere.png"]})
    with pytest.raises(ColumnError, match="skin_tone is measured in the images"):
        with_measured(rows, ["skin_tone"])


def test_evaluate_divides_by_what_was_measured(table: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    predicted = pd.DataFrame({"image_id": table["image_id"], "probability": rng.random(24)})
    found = evaluate(predicted, table, by=["skin_tone", "hair"], repeats=20)
    assert [each.by for each in found.subgroups] == ["skin_tone", "hair"]
    assert found.subgroups[1].said == "hair as measured"
    assert sum(group.n_images for group in found.subgroups[0].groups) == 24
