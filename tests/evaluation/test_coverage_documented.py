"""What docs/statistics.md says of intervals that do not hold is marked by the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.registry import METRICS
from lentigo.evaluation.roughness import DIFFERENCES_ROUGH_BELOW, marked

PAGE = Path(__file__).parents[2] / "docs/statistics.md"
HEAD = "| interval | AUC | 10/8 | 20/15 | 80/60 | 400/300 |"
PATIENTS = (8, 15, 60, 300)
"""Those with a melanoma of each design; at least a hundred have none."""
WITHIN_THE_ERROR = {
    ("auc", "0.983", 60): 0.972,
    ("specificity", "0.983", 15): 0.973,
    ("top_2_accuracy", "0.983", 15): 0.973,
}
"""Outside by less than the standard error of a share of 1,000, and so said on the page."""


def cells() -> Iterator[tuple[str, str, int, float]]:
    """Metric, AUC, patients and coverage of each cell that is not in brackets."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    heads = [number for number, line in enumerate(lines) if line == HEAD]
    assert len(heads) >= 4
    for head in heads:
        for line in lines[head + 2 :]:
            if not line.startswith("|"):
                break
            name, auc, *shares = (cell.strip() for cell in line.strip("|").split("|"))
            for patients, share in zip(PATIENTS, shares, strict=True):
                if not share.startswith("("):
                    yield name, auc, patients, float(re.findall(r"[01]\.\d+", share)[-1])


def is_rough(name: str, patients: int) -> bool | None:
    """What the program says of such an interval; None of one that it has not by name."""
    metric = name.removeprefix("difference of ")
    if metric not in METRICS:
        return None
    below = DIFFERENCES_ROUGH_BELOW if metric != name else None
    more = {} if below is None else {"rough_below": below}
    whole = {metric: Interval(0.5, 0.4, 0.6)}
    return marked(whole, with_melanoma=patients, without=100, **more)[metric].rough


def test_every_interval_that_does_not_hold_is_marked_as_rough() -> None:
    known = [(*cell, is_rough(cell[0], cell[2])) for cell in cells()]
    judged = [cell for cell in known if cell[-1] is not None]
    assert len(judged) > 200
    outside = {
        (name, auc, patients): share
        for name, auc, patients, share, rough in judged
        if not (0.93 <= share <= 0.97 or rough)
    }
    assert outside == WITHIN_THE_ERROR
    without_a_name = {
        cell[:3] for cell in known if cell[-1] is None and not 0.93 <= cell[3] <= 0.97
    }
    assert without_a_name == {("auc less the rest", "0.856", 300)}
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert "top-2 accuracy at 20/15 and 0.983 (0.973)" in text
