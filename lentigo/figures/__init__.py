"""Figures, one kind a file: each draws on the Axes it is given and shows nothing.

Names are looked up when they are asked for: matplotlib takes half a second to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lentigo.figures.confusion import plot_confusion
    from lentigo.figures.history import plot_history
    from lentigo.figures.images import plot_images
    from lentigo.figures.precision_recall import plot_precision_recall
    from lentigo.figures.reliability import plot_reliability
    from lentigo.figures.roc import plot_roc
    from lentigo.figures.save import save_figure
    from lentigo.figures.style import BENIGN, MELANOMA, new_figure

__all__ = [
    "BENIGN",
    "MELANOMA",
    "new_figure",
    "plot_confusion",
    "plot_history",
    "plot_images",
    "plot_precision_recall",
    "plot_reliability",
    "plot_roc",
    "save_figure",
]

_HOME = {
    "BENIGN": "style",
    "MELANOMA": "style",
    "new_figure": "style",
    "plot_confusion": "confusion",
    "plot_history": "history",
    "plot_images": "images",
    "plot_precision_recall": "precision_recall",
    "plot_reliability": "reliability",
    "plot_roc": "roc",
    "save_figure": "save",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
