"""Figures (diagrams), one kind a file: functions that draw on given matplotlib Axes.

No function opens a window. The public functions are those in `registry.FIGURES`; they are
imported on first use, since matplotlib takes half a second to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lentigo.figures.registry import PLOTS

if TYPE_CHECKING:
    from lentigo.figures.save import save_figure as save_figure
    from lentigo.figures.style import MELANOMA as MELANOMA
    from lentigo.figures.style import OTHER_LESION as OTHER_LESION
    from lentigo.figures.style import SEQUENTIAL as SEQUENTIAL
    from lentigo.figures.style import new_figure as new_figure

_HOME = {
    **PLOTS,
    "MELANOMA": "style",
    "OTHER_LESION": "style",
    "SEQUENTIAL": "style",
    "new_figure": "style",
    "save_figure": "save",
}

__all__ = sorted(_HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
