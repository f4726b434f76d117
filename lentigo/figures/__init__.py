"""Figures, one kind a file: each draws on the Axes it is given and shows nothing.

Names are looked up when they are asked for: matplotlib takes half a second to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lentigo.figures.cohort.age_by_class import plot_age_by_class, plot_classes
    from lentigo.figures.cohort.counts import plot_by_class, plot_counts, plot_shares
    from lentigo.figures.cohort.diagnoses import plot_diagnoses
    from lentigo.figures.cohort.missing import plot_missing
    from lentigo.figures.cohort.patients import (
        plot_images_a_patient,
        plot_melanomas_a_patient,
    )
    from lentigo.figures.cohort.rates import plot_rate
    from lentigo.figures.cohort.shift import plot_shift
    from lentigo.figures.cohort.site_by_age import plot_site_by_age
    from lentigo.figures.cohort.sizes import plot_sizes
    from lentigo.figures.cohort.skin_tone import plot_skin_tone
    from lentigo.figures.confusion import plot_confusion
    from lentigo.figures.history import plot_history
    from lentigo.figures.images import plot_images
    from lentigo.figures.metadata_tree import plot_tree
    from lentigo.figures.precision_recall import plot_precision_recall
    from lentigo.figures.reliability import plot_reliability
    from lentigo.figures.roc import plot_roc
    from lentigo.figures.save import save_figure
    from lentigo.figures.style import MELANOMA, OTHER_LESION, SEQUENTIAL, new_figure

__all__ = [
    "MELANOMA",
    "OTHER_LESION",
    "SEQUENTIAL",
    "new_figure",
    "plot_age_by_class",
    "plot_by_class",
    "plot_classes",
    "plot_confusion",
    "plot_counts",
    "plot_diagnoses",
    "plot_history",
    "plot_images",
    "plot_images_a_patient",
    "plot_melanomas_a_patient",
    "plot_missing",
    "plot_precision_recall",
    "plot_rate",
    "plot_reliability",
    "plot_roc",
    "plot_shares",
    "plot_shift",
    "plot_site_by_age",
    "plot_sizes",
    "plot_skin_tone",
    "plot_tree",
    "save_figure",
]

_HOME = {
    "OTHER_LESION": "style",
    "MELANOMA": "style",
    "SEQUENTIAL": "style",
    "new_figure": "style",
    "plot_age_by_class": "cohort.age_by_class",
    "plot_by_class": "cohort.counts",
    "plot_classes": "cohort.age_by_class",
    "plot_confusion": "confusion",
    "plot_counts": "cohort.counts",
    "plot_diagnoses": "cohort.diagnoses",
    "plot_history": "history",
    "plot_images": "images",
    "plot_images_a_patient": "cohort.patients",
    "plot_melanomas_a_patient": "cohort.patients",
    "plot_missing": "cohort.missing",
    "plot_precision_recall": "precision_recall",
    "plot_rate": "cohort.rates",
    "plot_reliability": "reliability",
    "plot_roc": "roc",
    "plot_shares": "cohort.counts",
    "plot_shift": "cohort.shift",
    "plot_site_by_age": "cohort.site_by_age",
    "plot_sizes": "cohort.sizes",
    "plot_skin_tone": "cohort.skin_tone",
    "plot_tree": "metadata_tree",
    "save_figure": "save",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
