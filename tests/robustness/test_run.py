"""A model that reads a ruler, or the sharpness of its files, is named in words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lentigo.datasets.synthetic import Lesion, Photograph, draw_lesion
from lentigo.errors import DatasetError, UnknownNameError
from lentigo.evaluation.stress import Answered, judge_disturbed
from lentigo.imaging.decoding.image import read_size
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.inputs import as_sources
from lentigo.inference.predict import Model
from lentigo.models.backend import Preparation
from lentigo.models.operating_point import OperatingPoint
from lentigo.robustness.answers import answers_under
from lentigo.robustness.conditions import Condition, conditions
from lentigo.robustness.findings import (
    AT,
    CONFIDENCE,
    DETAIL,
    NO_SPREAD,
    NOT_TRIED,
    findings,
    remarks,
)
from lentigo.robustness.run import Asked, _unlike_predict, called_from_half, stress
from lentigo.tables import check_table

SIDE = 64


def border_marks(square: np.ndarray) -> float:
    """How dark the darkest line along a border is: what a network learns from rulers."""
    gray = square.mean(axis=2)
    rim = [gray[1:6], gray[-6:-1], gray[:, 1:6].T, gray[:, -6:-1].T]
    return max(float(np.median(gray) - each.mean(axis=1).min()) for each in rim) / 12 - 3


def smoothness(square: np.ndarray) -> float:
    """How little fine structure the middle has: what a small file leaves of it."""
    gray = square.mean(axis=2)
    fine = (gray - cv2.GaussianBlur(gray, (0, 0), 1.0))[16:48, 16:48]
    return 3 - float(fine.std())


def darkness(square: np.ndarray) -> float:
    """How dark the middle is beside all of the skin: an honest model of few virtues."""
    gray = square.mean(axis=2)
    return (float(np.median(gray)) - float(gray[24:40, 24:40].mean())) / 10 - 3


def reading(number: Any) -> Model:
    """A model whose logit is `number` of a square."""

    def answers(squares: np.ndarray, **_: Any) -> np.ndarray:
        return np.array([[number(each) for each in squares]])

    network: Any = SimpleNamespace(
        preparation=Preparation(SIDE, "stretch", 10**7),
        answers=answers,
        use=lambda _: None,
        engine="by hand",
        metadata=None,
    )
    return Model((Ensemble(members=(network,)),))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """60 drawn lesions, half of them called melanoma, whose files are smaller then."""
    folder = tmp_path_factory.mktemp("drawn")
    rng = np.random.default_rng(5)
    rows = []
    for number in range(60):
        melanoma = number % 2 == 0
        ruler = rng.random() < (0.9 if melanoma else 0.1)
        small = rng.random() < (0.7 if melanoma else 0.2)
        photograph = Photograph(hair=0.0, ruler=bool(ruler))
        image = draw_lesion(Lesion(), photograph, size=SIDE, seed=number)
        if small:
            image = np.asarray(
                cv2.resize(image, (20, 20), interpolation=cv2.INTER_AREA), np.uint8
            )
        path = folder / f"i{number}.png"
        Image.fromarray(image).save(path)
        rows.append(
            {
                "image_id": f"i{number}",
                "path": str(path),
                "patient_id": f"p{number // 2}" if number < 10 else f"q{number}",
                "melanoma": melanoma,
            }
        )
    return check_table(pd.DataFrame(rows), source="the test")


def named(model: Model, table: pd.DataFrame, *only: str) -> dict[str, str]:
    found = stress(model, table, Asked(only=only, device="cpu"))
    return {each.name: each.sentence for each in found.findings}


def test_a_model_that_reads_the_ruler_is_named(cohort: pd.DataFrame) -> None:
    sharp = cohort[[read_size(path)[0] == SIDE for path in cohort["path"]]]
    found = named(reading(border_marks), sharp, "drawn", "hidden")
    assert "when a ruler is drawn in" in found["ruler"]
    assert found["ruler"].startswith("The log-odds rise by ")
    assert "The AUC is" in found["without_box"]


def test_a_model_that_reads_the_size_of_the_file_is_named(cohort: pd.DataFrame) -> None:
    found = named(reading(smoothness), cohort, "low_resolution", "ruler")
    assert "rise" in found["low_resolution"]
    assert "when the resolution is lowered" in found["low_resolution"]
    assert "one whose file has fewer pixels has the higher answer" in found["megapixels"]
    assert "ruler" not in found


def test_an_honest_model_is_not_accused_of_either(cohort: pd.DataFrame) -> None:
    found = named(reading(darkness), cohort, "ruler", "ink", "frame", "low_resolution")
    assert not found, found


def test_what_is_asked_for_is_answered_for_under_every_condition(
    cohort: pd.DataFrame,
) -> None:
    table = cohort.iloc[:6]
    found = stress(reading(darkness), table, Asked(only=("turned", "darker", "zoom_in")))
    assert list(found.answers)[3:6] == ["undisturbed", "turned_1", "turned_2"]
    assert len(found.answers) == 6
    assert found.scores.groupby("condition").size().to_dict() == {
        "turned": 7, "darker": 5, "zoom_in": 5,
    }  # fmt: skip
    assert np.isnan(found.corrupted_error.value)  # of three disturbances there is none
    assert set(found.flips) == {"views", "simple"}
    assert found.n_groups == 3
    assert any("no operating point" in note for note in found.notes)


def test_all_conditions_give_the_corrupted_error(cohort: pd.DataFrame) -> None:
    table = cohort.iloc[:4]
    found = stress(reading(darkness), table)
    assert len(found.judged) == len(conditions()) - 1 == 7 + 21 * 5 + 3
    wrong = found.scores[found.scores["strength"].gt(0) & found.scores["group"].ne("views")]
    assert found.corrupted_error.value == pytest.approx(wrong["balanced_error"].mean())
    again = stress(reading(darkness), table, Asked(reference=found.scores))
    errors = wrong.groupby("condition")["balanced_error"].sum()
    if (errors > 0).all():
        assert again.adjusted_error == pytest.approx(1)
    else:
        assert np.isnan(again.adjusted_error)


def test_masks_that_are_given_are_hidden(cohort: pd.DataFrame) -> None:
    seen = []

    def everywhere(source: Any, square: np.ndarray, way: Preparation) -> np.ndarray:
        seen.append(source.image_id)
        return np.ones(square.shape[:2], dtype=bool)

    table = cohort.iloc[:3]
    found = answers_under(
        reading(darkness), as_sources(table), conditions(["without_lesion"]),
        lesion_of=everywhere,
    )  # fmt: skip
    assert sorted(seen) == sorted(table["image_id"])
    assert found.of(Condition("without_lesion")) == pytest.approx(-3)  # all is flat


def test_a_lesion_that_is_not_found_is_not_hidden(cohort: pd.DataFrame) -> None:
    found = answers_under(
        reading(darkness), as_sources(cohort.iloc[:2]), conditions(["hidden"]),
        lesion_of=lambda *_: None,
    )  # fmt: skip
    assert np.isfinite(found.logits[0]).all()
    assert np.isnan(found.logits[1:]).all()


def test_what_makes_no_sense_is_one_sentence(cohort: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="ruler"):
        stress(reading(darkness), cohort, Asked(only=("rulers",)))
    with pytest.raises(DatasetError, match="same label"):
        stress(reading(darkness), cohort[cohort["melanoma"]], Asked(only=("ruler",)))
    with pytest.raises(DatasetError, match="No image is left"):
        stress(
            reading(darkness),
            cohort.assign(melanoma=pd.Series(pd.NA, cohort.index, "boolean")),
            Asked(only=("ruler",)),
        )
    gone = cohort.iloc[:4].assign(path=str(tmp_path / "gone.png"))
    with pytest.raises(DatasetError, match="could not be read"):
        stress(reading(darkness), gone, Asked(only=("ruler",)))


GROUPS = np.arange(600)


def judged_of(before: np.ndarray, after: np.ndarray, group: np.ndarray) -> Any:
    truth = np.arange(len(before)) % 5 == 0
    plain = Answered(truth, group, before, 0.0)
    return plain, judge_disturbed(plain, after, alpha=CONFIDENCE)


def by_class() -> np.ndarray:
    """Log-odds of 600 images: of 120 melanomas about 1.5, of the others about -5."""
    noise = np.random.default_rng(0).normal(0, 1, 600)
    return noise + np.where(np.arange(600) % 5 == 0, 1.5, -5.0)


def test_a_blur_that_draws_answers_to_the_middle_is_said_with_both_signs() -> None:
    """The log-odds rise on average, the probability falls, and melanomas are lost."""
    before = by_class()
    plain, judged = judged_of(before, 0.35 * before - 0.9, GROUPS)
    (found,) = findings(plain, {Condition("blur", AT): judged}, {})
    assert judged.shift.value > 0 > judged.probability_change.value
    assert found.sentence.startswith(f"The log-odds rise by {judged.shift.value:.2f} (")
    assert f"the probability changes by {judged.probability_change.value:+.3f} (-" in (
        found.sentence
    )
    lost = f"of the images called melanoma, {100 * judged.from_melanoma.value:.0f} % ("
    assert lost in found.sentence
    assert found.sentence.index("are not any more") < found.sentence.index("are then")
    (told,) = remarks(plain, {Condition("blur", AT): judged})
    assert told.startswith("Most calls of melanoma are lost by blur")
    assert told.endswith(f" of {plain.called.sum()} undisturbed calls.")


def test_of_bytes_it_is_said_that_a_lesion_with_more_detail_has_more() -> None:
    before = by_class()
    plain, _ = judged_of(before, before, GROUPS)
    facts = {"bytes": 1000 + before, "megapixels": 10 + before}
    said = {each.name: each.sentence for each in findings(plain, {}, facts)}
    assert DETAIL in said["bytes"]
    assert DETAIL not in said["megapixels"]


def test_what_too_few_groups_show_is_not_sure_and_not_nothing() -> None:
    before = by_class()[:80]
    plain, judged = judged_of(before, before + 9, np.repeat(np.arange(4), 20))
    conditions_ = {Condition("ruler", AT): judged}
    assert findings(plain, conditions_, {}) == ()
    (told,) = remarks(plain, conditions_)
    assert told.startswith("Not sure: ruler (+")
    assert "none" not in told


def test_nothing_is_said_to_move_answers_only_where_it_was_tried() -> None:
    before = by_class()
    plain, judged = judged_of(before, before + 0.1, GROUPS)
    (told,) = remarks(plain, {Condition("blur", AT): judged})
    assert told.startswith("Of 1 disturbance tried, none of medium strength moved")
    assert remarks(plain, {Condition("turned", 1): judged}) == (NOT_TRIED,)
    assert remarks(plain, {Condition("blur", 1): judged}) == (NOT_TRIED,)
    even, alike = judged_of(0 * before, before, GROUPS)
    assert remarks(even, {Condition("blur", AT): alike})[0] == NO_SPREAD


def test_no_share_is_told_of_no_image() -> None:
    before = by_class() - 20  # none is called melanoma
    plain, judged = judged_of(before, 0.9 * before + 30, GROUPS)
    (found,) = findings(plain, {Condition("blur", AT): judged}, {})
    assert "of the images called melanoma" not in found.sentence
    assert "; of those not called melanoma, 100 % (" in found.sentence


def test_a_model_that_has_other_points_is_not_said_to_have_none() -> None:
    lacking = OperatingPoint(
        name="sensitivity_95", kind="guaranteed_sensitivity", absent="Too few melanomas."
    )
    there = OperatingPoint(name="youden", kind="youden", threshold=0.1)
    assert "no operating point: melanoma" in called_from_half([], "auto")
    told = called_from_half([lacking, there], "auto")
    assert "no threshold of sensitivity_95: melanoma is called from 0.5 on" in told
    assert "It has youden (--operating-point)" in told
    assert "No operating point was asked for" in called_from_half([lacking, there], "none")


def test_it_names_what_of_the_patient_the_model_takes_and_no_more() -> None:
    encoding = SimpleNamespace(fields=("age", "sex"))
    network: Any = SimpleNamespace(metadata=encoding)
    model = Model((Ensemble(members=(network,)),))
    rows = pd.DataFrame({"age": [50.0, None], "sex": [None, None], "site": ["foot"] * 2})
    assert _unlike_predict(model, rows) == [
        "The model takes age and sex, undisturbed and disturbed alike: one of them is "
        "known of 1 of 2 images."
    ]
