"""Maps from logits to logits: monotone, finite, and refused where they cannot be."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lentigo.errors import ConfigError
from lentigo.models.calibration import (
    Beta,
    Calibration,
    Isotonic,
    Map,
    NoCalibration,
    Platt,
    Temperature,
    mean_prevalence,
    probability,
    shift_prevalence,
    then_line,
)

ANY = st.floats(allow_nan=False)
OFFSETS = st.floats(-1e6, 1e6)
MAPS = st.one_of(
    st.just({"method": "none"}),
    st.builds(
        lambda t: {"method": "temperature", "temperature": t},
        st.floats(1e-6, 1e6, exclude_min=True),
    ),
    st.builds(
        lambda slope, offset: {"method": "platt", "slope": slope, "intercept": offset},
        st.floats(1e-6, 1e6, exclude_min=True),
        OFFSETS,
    ),
    st.builds(
        lambda a, b, c: {"method": "beta", "a": a, "b": b, "c": c},
        st.floats(1e-6, 1e6),
        st.floats(0, 1e6),
        OFFSETS,
    ),
    st.builds(
        lambda slope, offset: {"method": "spread", "slope": slope, "intercept": offset},
        st.floats(1e-6, 1e6, exclude_min=True),
        OFFSETS,
    ),
    st.builds(
        lambda pairs: {
            "method": "isotonic",
            "knots": sorted({knot for knot, _ in pairs}),
            "values": sorted(value for _, value in pairs)[: len({k for k, _ in pairs})],
        },
        st.lists(st.tuples(OFFSETS, OFFSETS), min_size=1, max_size=9),
    ),
)


@given(map_=MAPS, logits=st.lists(ANY, min_size=1, max_size=20))
def test_order_is_kept_and_what_is_finite_stays_finite(
    map_: dict[str, Any], logits: list[float]
) -> None:
    calibration = Calibration.model_validate_json(json.dumps({"map": map_}))
    found = calibration.apply(np.sort(logits))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()
    again = Calibration.model_validate_json(calibration.model_dump_json())
    assert again == calibration
    assert Calibration.model_validate({"map": map_}) == calibration


def test_temperature_and_platt_are_a_line() -> None:
    assert Temperature(temperature=2.0).apply([4.0, -1.0]).tolist() == [2.0, -0.5]
    assert Platt(slope=2.0, intercept=1.0).apply([4.0, -1.0]).tolist() == [9.0, -1.0]


def test_beta_with_equal_ends_is_platt() -> None:
    logits = np.linspace(-30, 30, 13)
    beta, platt = Beta(a=1.5, b=1.5, c=-0.3), Platt(slope=1.5, intercept=-0.3)
    assert beta.apply(logits) == pytest.approx(platt.apply(logits))


def test_isotonic_reads_between_knots_and_is_flat_outside() -> None:
    line = Isotonic(knots=(-1.0, 1.0), values=(-2.0, 0.0))
    assert line.apply([-5.0, -1.0, 0.0, 1.0, 9.0]).tolist() == [-2, -2, -1, 0, 0]


def test_no_number_stays_no_number() -> None:
    for map_ in (Temperature(temperature=2.0), Beta(a=1, b=2, c=0), Calibration()):
        assert math.isnan(map_.apply([math.nan])[0])


@pytest.mark.parametrize(
    "content",
    [
        {"map": {"method": "neural"}},
        {"map": {"method": "temperature", "temperature": 0.0}},
        {"map": {"method": "temperature", "temperature": "2"}},
        {"map": {"method": "temperature", "temperature": float("inf")}},
        {"map": {"method": "platt", "slope": -1.0, "intercept": 0.0}},
        {"map": {"method": "beta", "a": 0.0, "b": 0.0, "c": 1.0}},
        {"map": {"method": "isotonic", "knots": [1.0, 0.0], "values": [0.0, 1.0]}},
        {"map": {"method": "isotonic", "knots": [0.0, 1.0], "values": [1.0, 0.0]}},
        {"map": {"method": "isotonic", "knots": [0.0, 1.0], "values": [1.0]}},
        {"map": {"method": "isotonic", "knots": [], "values": []}},
        {
            "map": {
                "method": "isotonic",
                "knots": list(range(2001)),
                "values": [0.0] * 2001,
            }
        },
        {"map": {"method": "none", "run": "rm"}},
        {"surprise": 1},
        {"prevalence": 2.0},
    ],
)
def test_what_cannot_be_a_calibration_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Calibration.model_validate_json(json.dumps(content))


def test_a_share_of_melanoma_moves_the_odds() -> None:
    # Of 100 images 50 are melanomas; in a clinic with 2 of 100 the odds 1:1 become 2:98.
    moved = shift_prevalence([0.0, math.nan], trained_for=0.5, asked_for=0.02)
    assert moved[0] == pytest.approx(math.log(2 / 98))
    assert math.isnan(moved[1])
    assert shift_prevalence([1.25], 0.1, 0.1).tolist() == [1.25]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, math.nan])
def test_no_share_or_all_of_them_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="above 0 and below 1"):
        shift_prevalence([0.0], 0.1, share)


def test_a_probability_never_overflows() -> None:
    found = probability([-1e6, -1.0, 0.0, 1e6, math.nan])
    assert found[:4].tolist() == pytest.approx([0, 1 / (1 + math.e), 0.5, 1])
    assert math.isnan(found[4])


def test_a_mean_of_logits_is_meant_for_the_mean_log_odds() -> None:
    assert mean_prevalence([0.2, 0.2]) == pytest.approx(0.2)
    assert mean_prevalence([0.1, 0.9]) == pytest.approx(0.5)
    assert mean_prevalence([0.1, None]) is None
    assert mean_prevalence([]) is None


@pytest.mark.parametrize(
    "first",
    [
        NoCalibration(),
        Temperature(temperature=3.0),
        Platt(slope=2.0, intercept=-1.0),
        Beta(a=1.5, b=0.5, c=-0.25),
        Isotonic(knots=(-2.0, 0.0, 3.0), values=(-4.0, -1.0, 5.0)),
    ],
)
def test_a_line_behind_a_map_is_one_map(first: Map) -> None:
    logits = np.linspace(-5, 5, 11)
    whole = then_line(first, 0.5, 0.25)
    assert whole.apply(logits) == pytest.approx(0.5 * first.apply(logits) + 0.25)


def test_a_line_never_leaves_the_bounds_of_a_map() -> None:
    assert then_line(Platt(slope=1e5, intercept=1e5), 1e5, 0.0) == Platt(
        slope=1e6, intercept=1e6
    )
    steep = then_line(Isotonic(knots=(0.0, 1.0), values=(-1e5, 1e5)), 1e3, 0.0)
    assert steep == Isotonic(knots=(0.0, 1.0), values=(-1e6, 1e6))
