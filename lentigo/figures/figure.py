"""The row of one figure (diagram) in the registry. Light to import: strings only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal[
    "explore",
    "evaluate",
    "divided",
    "compare",
    "readers",
    "ablation",
    "rates",
    "tuning",
    "drift",
    "stress",
    "report",
    "images",
]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure: its content, the functions that draw it, and where it is shown."""

    name: str
    """The name of its files, without extension."""
    shows: str
    """The content of the figure, in one line."""
    needs: str
    """The data that it needs."""
    place: Place
    """Where it is shown: `explore`, `compare`, `readers`, `drift` and `stress` are the
    commands of these names, `ablation` is `lentigo ablate`, `rates` is `lentigo find-rate`,
    `tuning` is `lentigo tune`; `evaluate` is `lentigo evaluate` and the report, `divided`
    is `lentigo evaluate` alone (parts of the images, such as subgroups), `report` the
    report alone, `images` a sheet of images."""
    plots: tuple[str, ...] = ()
    """Functions that draw on given Axes, as `module:function` in `lentigo.figures`; each
    function is a public name of `lentigo.figures`."""
    draw: str = ""
    """The function that makes the whole figure, as `module:function` in `lentigo.figures`:
    for `explore` a `CohortFigure` of a `Cohort`, for `evaluate` a `Drawing` of
    `DrawnScores`, for `compare` a `Drawing` of a `Contest`, or None, for `readers` a
    `Drawing` of a `ReaderStudy`, for `stress` the `Drawing`s of a `Stress`, for `report`
    the `Drawing`s of `Histories`."""
    heading: str = ""
    """The heading above the figure on a page."""
    compares: bool = False
    """Whether it shows several data sets in one figure."""
    both_classes: bool = False
    """For `evaluate`: whether it needs images of both melanomas and other lesions."""
