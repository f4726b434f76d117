"""Maps of a closer look, as many as there is time for."""

from __future__ import annotations

import base64
import math
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lentigo.explanation.occlusion import logits_of
from lentigo.explanation.registry import METHODS
from lentigo.explanation.served import Gaps, _in_time, heat_of
from lentigo.explanation.too_slow import TooSlowError, given_up_at
from lentigo.service.closer import Times


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def drawn(names: tuple[str, ...], clock: list[float], seconds: float, until: float) -> Any:
    """The maps that are drawn, each look taking so many seconds; and what is missing."""

    def maps() -> Any:
        for name in names:
            clock[0] += seconds * METHODS[name].looks
            yield name

    gaps = Gaps()
    explainer: Any = SimpleNamespace(methods=names)
    return list(_in_time(maps(), explainer, until, gaps)), gaps.kinds


def test_a_map_is_begun_only_if_it_would_be_done_in_time(clock: list[float]) -> None:
    names = ("grad_cam", "occlusion")  # 40 looks, then 190
    assert drawn(names, clock, 0.1, 23.0) == (["grad_cam", "occlusion"], {})
    clock[0] = 0
    assert drawn(names, clock, 0.1, 22.9) == (["grad_cam"], {"occlusion": "no_time"})


def test_the_first_map_is_drawn_however_long_it_takes(clock: list[float]) -> None:
    assert drawn(("occlusion",), clock, 1.0, 0.0) == (["occlusion"], {})


def test_no_map_is_begun_that_would_take_the_whole_answer_away(
    clock: list[float],
) -> None:
    # Of four pictures with one slow map each, the answer itself came too late.
    times, given = Times({0: 22.5, 1: 45.0, 3: 90.0}, 114.0), []
    for place in range(4):
        with times.of(place) as until:
            given.append(until)
            if until is not None and until > clock[0]:
                clock[0] += 40
    assert given == [22.5, 45.0, None, -math.inf]
    assert clock[0] == 80


def test_a_map_that_is_given_up_is_the_last_one(clock: list[float]) -> None:
    def maps() -> Any:
        yield "grad_cam"
        raise TooSlowError

    gaps = Gaps()
    names = "grad_cam", "grad_cam_plus_plus", "occlusion"
    explainer: Any = SimpleNamespace(methods=names)
    made: list[Any] = list(_in_time(maps(), explainer, math.inf, gaps))
    assert made == ["grad_cam"]
    assert gaps.kinds == {"grad_cam_plus_plus": "too_slow", "occlusion": "no_time"}


def test_no_network_is_looked_at_once_the_time_is_over(clock: list[float]) -> None:
    class Slow:
        metadata = None

        def answers(self, squares: Any, *, looks: int) -> Any:
            clock[0] += 10
            return (np.zeros(len(squares)),)

    slow: Any = Slow()
    squares = np.zeros((100, 4, 4, 3), np.uint8)
    with pytest.raises(TooSlowError), given_up_at(15):
        logits_of(slow, squares)
    assert clock[0] == 20
    assert len(logits_of(slow, squares)) == 100


def test_the_heat_of_an_answer_is_read_back_from_0_to_1() -> None:
    plane = bytes([0, 51, 102, 255])
    found = {"size": 2, "heat": base64.b64encode(plane).decode()}
    assert heat_of(found) == pytest.approx(np.array([[0, 0.2], [0.4, 1]]), abs=1e-6)
