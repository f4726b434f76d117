"""Sentences for a manuscript, from the JSON of an evaluation alone."""

from __future__ import annotations

from typing import Any

import pytest

from lentigo.reports.paper.facts import (
    Facts,
    beside,
    diagnoses,
    indeterminate,
    protocol,
    size,
    size_and_diagnoses,
    utility,
)
from lentigo.reports.paper.wording import OPEN_PART

CLINIC = {
    "prevalence": {"asked_for": 0.01, "meant_for": 0.025, "judged": 0.025, "said": True}
}
SHARE = {"value": 5.0, "low": 4.0, "high": 6.0}


def facts(**evaluation: Any) -> Facts:
    plain = {"n_images": 40, "n_melanomas": 1, "n_groups": 30, "unit": "image",
             "left_out": {}}  # fmt: skip
    return Facts(evaluation={**plain, **evaluation}, version="1")


def test_numbers_are_told_with_their_groups_where_there_are_any() -> None:
    assert size(facts()) == "40 images, 1 melanoma."
    assert size(facts(unit="patient")) == "40 images of 30 patients, 1 melanoma."


def test_other_diagnoses_are_counted_or_said_to_be_open() -> None:
    assert diagnoses(facts()) == ""
    assert size_and_diagnoses(facts()).endswith(f"{OPEN_PART} diagnoses.")
    known = {
        "diagnoses": [{"name": "nevus", "n_images": 1234}, {"name": "df", "n_images": 1}],
        "sentence": "S.",
    }
    said = size_and_diagnoses(facts(difficulty=known))
    assert said.endswith("Images that are not melanoma: nevus 1,234, df 1. S.")


def test_what_was_not_judged_is_told_by_its_reason() -> None:
    assert indeterminate(facts()) == ""
    lost = {"without a label": 1200, "without a file": 3, "without a probability": 2}
    assert indeterminate(facts(left_out=lost, refusals={"sentence": "R."})) == (
        "R. Left out: 1,200 without a label and 2 without a probability."
    )


def test_openings_of_a_locked_set_are_told() -> None:
    assert protocol(facts()) == ""
    assert protocol(facts(locked={"sentences": ["Opened once.", "As fixed."]})) == (
        "Opened once. As fixed."
    )


def test_cheap_models_stand_beside_with_their_auc() -> None:
    assert beside(facts()) == ""
    absent = {"name": "colours"}
    assert beside(facts(beside=[absent])) == ""
    row = {"name": "age alone", "auc": {"value": 0.6, "low": 0.5, "high": 0.7}}
    assert beside(facts(beside=[absent, row])).startswith(
        "AUC of what is cheap: age alone 0.600"
    )


def row(name: str, share: float, *, judged: bool, **more: Any) -> dict[str, Any]:
    return {"name": name, "prevalence": share, "at_judged_prevalence": judged, **more}


@pytest.mark.parametrize(("asked", "said"), [({}, "2.5 %"), (CLINIC, "1 %")])
def test_misses_are_told_at_the_share_asked_for_else_at_that_of_the_images(
    asked: dict[str, Any], said: str
) -> None:
    told = {"missed_per_1000": SHARE, "false_alarms_per_1000": SHARE}
    rows = [
        row("referral_3", 0.9, judged=True, **told),
        row("given", 0.025, judged=True, **told),
        row("given", 0.01, judged=False, **told),
    ]
    found = utility(facts(consequences=rows, threshold=0.5, **asked))
    assert f"Of 1,000 lesions of which {said} are melanomas" in found
    assert "are false alarms" in found


def test_misses_that_are_not_known_are_not_told() -> None:
    assert utility(facts()) == ""
    assert utility(facts(consequences=[row("given", 0.1, judged=True)])) == ""
