"""Probabilities for a clinic's own share of melanoma, and calls, counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ConfigError, UnknownNameError
from lentigo.imaging.kind.doubt import DOUBT
from lentigo.inference.decide import decision, without_reassurance
from lentigo.models.operating_point import OperatingPoint

SURE = OperatingPoint(
    name="sensitivity_95", kind="guaranteed_sensitivity", threshold=0.3, sensitivity=0.95
)
COST = OperatingPoint(name="cost", kind="cost", threshold=0.3)
ABSENT = OperatingPoint(name="youden", kind="youden", absent="It takes 5.")
POINTS = (SURE, COST, ABSENT)


def predictions() -> pd.DataFrame:
    logits = [0.0, math.log(0.3 / 0.7), -2.0, math.nan]
    return pd.DataFrame(
        {"image_id": list("abcd"), "probability": 0.0, "logit": logits, "reason": ""}
    )


def decided(name: str = "auto", prevalence: float | None = None) -> pd.DataFrame:
    return decision(
        POINTS, meant_for=0.5, prevalence=prevalence, operating_point=name
    ).apply(predictions())


def test_the_guaranteed_point_calls_unless_another_is_named() -> None:
    found = decided()
    assert found["call"].tolist() == ["melanoma", "melanoma", "not melanoma", ""]
    assert set(found["operating_point"]) == {"sensitivity_95"}
    assert found.columns[-1] == "reason"
    assert set(decided("none")["call"]) == {""}


def test_a_doubted_image_is_called_melanoma_and_never_not_melanoma() -> None:
    """`a` and `c` are doubted as no dermoscopy; the model should not answer for `b`."""
    answers = decided().assign(
        reason=[f"{DOUBT}: few colours of skin", "", f"x: {DOUBT}", ""],
        abstain=["no", "yes", "no", ""],
        could_be=["melanoma", "not melanoma", "not melanoma", ""],
    )
    quiet = without_reassurance(answers)
    assert quiet["call"].tolist() == ["melanoma", "melanoma", "", ""]
    assert quiet["could_be"].tolist() == ["melanoma", "", "", ""]
    certain = without_reassurance(answers.assign(reason="", abstain="no"))
    assert certain["call"].tolist() == ["melanoma", "melanoma", "not melanoma", ""]
    # A model may have neither an index, so no `abstain`, nor sets, so no `could_be`.
    plain = without_reassurance(decided().assign(reason=DOUBT))
    assert plain["call"].tolist() == ["melanoma", "melanoma", "", ""]


def test_one_in_two_becomes_one_in_fifty() -> None:
    found = decided(prevalence=0.02)
    assert found["probability"].tolist()[0] == pytest.approx(0.02)
    assert np.isnan(found["probability"].tolist()[3])
    assert set(found["meant_for"]) == {0.5}
    assert set(found["prevalence"]) == {0.02}


def test_a_sensitivity_stays_and_a_limit_from_costs_moves() -> None:
    # At 2 % no image has a probability of 0.3; whoever scored high still scores high.
    assert decided(prevalence=0.02)["call"].tolist() == decided()["call"].tolist()
    assert set(decided("cost", prevalence=0.02)["call"]) == {"not melanoma", ""}
    assert decided("cost")["call"].tolist() == decided()["call"].tolist()


def test_a_score_on_a_limit_from_costs_is_called_also_after_rounding() -> None:
    """Meant for 10 %: at 10 % and at 2 % the score lies on the threshold."""
    for threshold in np.arange(1, 50) / 50:
        point = OperatingPoint(name="cost", kind="cost", threshold=float(threshold))
        on = math.log(threshold) - math.log1p(-threshold)
        for meant, asked in ((0.1, 0.1), (0.1, 0.02), (0.37, 0.004)):
            to_asked = math.log(asked / (1 - asked)) - math.log(meant / (1 - meant))
            own = on - to_asked if asked != meant else np.nextafter(on + 1e-15, 1e9)
            rows = predictions().head(2).assign(logit=[own, own - 1e-6])
            found = decision(
                (point,), meant_for=meant, prevalence=asked, operating_point="cost"
            ).apply(rows)
            assert found["call"].tolist() == ["melanoma", "not melanoma"]


def test_with_the_share_that_it_is_meant_for_nothing_is_rounded() -> None:
    rows = predictions().assign(logit=[0.1, math.log(0.3 / 0.7), -1.7, 3.3])
    for share in (0.02, 0.1, 0.37, 0.003):
        found = decision(POINTS, meant_for=share, prevalence=share, operating_point="cost")
        assert found.apply(rows)["logit"].tolist() == rows["logit"].tolist()


def test_without_a_share_asked_for_both_are_the_same() -> None:
    found = decided()
    assert set(found["prevalence"]) == set(found["meant_for"]) == {0.5}
    unknown = decision(POINTS, meant_for=None, prevalence=None, operating_point="auto")
    assert unknown.apply(predictions())["prevalence"].isna().all()


def test_what_cannot_be_decided_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="sensitivity_95"):
        decided("sensitivity_96")
    with pytest.raises(ConfigError, match="It takes 5"):
        decided("youden")
    with pytest.raises(ConfigError, match="above 0 and below 1"):
        decided(prevalence=2.0)
    with pytest.raises(ConfigError, match="does not say"):
        decision(POINTS, meant_for=None, prevalence=0.1, operating_point="auto")
