"""The head of the page says what the run shows, also when it shows nothing."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from lentigo.baselines.logistic import known_features
from lentigo.reports.run.verdict import Verdict, verdict

FEATURES = ("age", "sex", "site")


def entry(value: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high}


def head(
    auc: dict[str, Any],
    *,
    baseline: dict[str, Any] | None = None,
    difference: dict[str, Any] | None = None,
    best: float | None = None,
    melanomas: int = 80,
    given: dict[str, Any] | None = None,
) -> Verdict:
    counts = {"n_images": 1000, "n_melanomas": melanomas, "n_groups": 200}
    evaluation: dict[str, Any] = {
        "given": given,
        "model": {"auc": auc, **counts},
        "best_reachable_auc": best,
    }
    if baseline is not None:
        evaluation["baseline"] = {"auc": baseline, **counts}
    if difference is not None:
        evaluation["difference"] = {"auc": difference}
    return verdict(evaluation, baseline_features=FEATURES)


def test_a_good_model_beside_its_baseline_has_no_warning() -> None:
    page = head(
        entry(0.85, 0.80, 0.90),
        baseline=entry(0.67, 0.60, 0.72),
        difference=entry(0.18, 0.10, 0.26),
        best=0.87,
    )
    assert page.warnings == []
    assert page.sentences[0] == (
        "On 1,000 held-out images of 200 groups, 80 melanomas among them, the model "
        "reached an AUC of 0.850 (95\u00a0% interval 0.800–0.900)."
    )
    assert "only age, sex and site, reached 0.670" in page.sentences[1]
    assert (
        "The difference is +0.180 (95\u00a0% interval +0.100 to +0.260)."
        in page.sentences[1]
    )
    assert "best AUC that can be reached is known: 0.870" in page.sentences[2]
    assert "0.020 below it" in page.sentences[2]


def test_what_the_table_lost_stands_in_the_first_sentence() -> None:
    lost = {"without a label": 30, "without a file": 10}
    first = head(entry(0.85, 0.8, 0.9), given={"images": 1100, "left_out": lost}).sentences[
        0
    ]
    assert first.endswith(
        "interval 0.800–0.900); 40 of 1,100 images of the table (3.6 %) are left out: "
        "30 without a label, 10 without a file; how many melanomas are among them is not "
        "on record."
    )
    few = head(
        entry(0.85, 0.8, 0.9),
        given={"images": 1000, "melanomas_left_out": 0, "left_out": {"without a": 20}},
    )
    assert "left out" not in few.sentences[0]  # 2 % and no more
    melanomas = {"images": 1000, "melanomas": 30, "melanomas_left_out": 10}
    third = head(
        entry(0.85, 0.8, 0.9), given={**melanomas, "left_out": {"without a file": 10}}
    )
    assert third.sentences[0].endswith(
        "10 of 1,000 images of the table (1.0 %) are left out: 10 without a file; "
        "10 melanomas among them."
    )


def test_a_baseline_is_said_to_know_what_the_table_has() -> None:
    table = pd.DataFrame({"age": [50.0, None], "sex": [None, None]})
    assert known_features(table, FEATURES) == ("age",)
    floor = entry(0.5, 0.4, 0.6)
    found = {
        "model": {"auc": floor, "n_images": 99, "n_melanomas": 9},
        "baseline": {"auc": floor},
    }
    for features, said in {
        ("age",): "only age, reached",
        (): "of nobody), reached",
    }.items():
        assert said in verdict(found, baseline_features=features).sentences[1]


def test_with_four_melanomas_nothing_can_be_said() -> None:
    page = head(entry(0.85, 0.2, 0.4), melanomas=4)
    assert "4 melanomas among them: nothing can be said" in page.sentences[0]
    assert "0.85" not in page.sentences[0]
    assert not any("below 0.5" in warning for warning in page.warnings)


def test_with_four_melanomas_no_difference_is_told() -> None:
    page = head(
        entry(0.85, 0.2, 0.4),
        baseline=entry(0.67, 0.60, 0.72),
        difference=entry(-0.2, -0.3, -0.1),
        best=0.95,
        melanomas=4,
    )
    (sentence,) = page.sentences
    assert "nothing can be said" in sentence
    assert page.warnings == []


GOOD, FLOOR = entry(0.70, 0.61, 0.79), entry(0.67, 0.60, 0.72)


@pytest.mark.parametrize(
    ("auc", "baseline", "difference", "expected"),
    [
        (entry(0.55, 0.45, 0.65), None, None, "includes 0.5"),
        (entry(0.55, 0.50, 0.65), None, None, "includes 0.5"),  # its end counts
        (entry(0.30, 0.20, 0.40), None, None, "below 0.5"),
        (entry(None, None, None), None, None, "Nothing can be said"),
        (entry(0.8, None, None), None, None, "has no interval"),
        (GOOD, None, None, "No metadata-only baseline"),
        (GOOD, FLOOR, entry(0.03, -0.05, 0.11), "not shown to be better"),
        (GOOD, FLOOR, entry(0.03, 0.0, 0.11), "not shown to be better"),
        (FLOOR, GOOD, entry(-0.1, -0.2, -0.01), "worse than the baseline"),
        (GOOD, FLOOR, None, "may be chance"),
        (FLOOR, GOOD, None, "not better than the baseline"),
    ],
)
def test_what_does_not_flatter_the_model_is_said(
    auc: dict[str, Any],
    baseline: dict[str, Any] | None,
    difference: dict[str, Any] | None,
    expected: str,
) -> None:
    page = head(auc, baseline=baseline, difference=difference)
    assert expected in " ".join(page.warnings)


def test_the_picture_puts_each_number_in_its_place() -> None:
    page = head(
        entry(0.85, 0.7, 1.0),
        baseline=entry(0.55, 0.4, 0.7),
        difference=entry(0.3, 0.1, 0.5),
        best=0.9,
    )
    model, baseline, best = page.bars
    # The axis runs from 0.4 to 1.0: 0.85 lies at 45 of 60.
    assert model.left == 75.0
    assert (model.start, model.width) == (50.0, 50.0)
    assert (baseline.start, baseline.width) == (0.0, 50.0)
    assert best.left == pytest.approx(83.33)
    assert best.start is None
    assert page.chance == pytest.approx(16.67)
    assert page.axis[0] == (0.0, "0.4")
    assert page.axis[-1] == (100.0, "1.0")


@pytest.mark.parametrize("low", [0.0, 0.05, 0.21, 0.399, 0.4, 0.8])
def test_nothing_lies_outside_of_the_picture(low: float) -> None:
    page = head(entry(max(low, 0.5), low, 0.95))
    for bar in page.bars:
        assert bar.start is not None
        assert bar.width is not None
        assert 0 <= bar.start <= bar.start + bar.width <= 100
    assert all(0 <= place <= 100 for place, _ in page.axis)


def test_an_undefined_number_is_not_drawn() -> None:
    page = head(entry(None, None, None), best=math.nan)
    assert [bar.left for bar in page.bars] == [None]
    assert page.bars[0].text == "undefined"


def test_drawn_lesions_tell_how_far_the_model_is_from_the_best() -> None:
    above = head(entry(0.90, 0.85, 0.95), best=0.87).sentences[-1]
    assert "The model is 0.030 above it, which is chance." in above
    unknown = head(entry(None, None, None), best=0.87).sentences[-1]
    assert unknown.endswith("is known: 0.870.")


def test_a_baseline_without_an_auc_is_said_to_have_none() -> None:
    page = head(entry(0.85, 0.8, 0.9), baseline=entry(None, None, None))
    assert "has no defined AUC" in page.sentences[1]
    assert not any("better" in warning for warning in page.warnings)


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (entry(0.0, None, None), "each image is answered by itself"),
        (entry(0.03, 0.01, 0.05), "Without them the model reached 0.820"),
        (entry(None, None, None), None),
    ],
)
def test_what_the_other_lesions_of_a_patient_add_is_told(
    gain: dict[str, Any], said: str | None
) -> None:
    record = {"without": entry(0.82, 0.75, 0.89), "difference": {"auc": gain}}
    model = {"auc": GOOD, "n_images": 99, "n_melanomas": 60, "n_groups": 90}
    found = {"model": model, "without_context": record, "without_metadata": record}
    sentences = verdict(found, baseline_features=FEATURES).sentences
    context = [each for each in sentences if "other lesions" in each]
    if said is None:
        assert context == []
        assert not any("age, sex and site" in each for each in sentences)
    else:
        assert said in context[0]
        assert any("takes age, sex and site beside the image" in each for each in sentences)
