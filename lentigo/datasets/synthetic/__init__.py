"""The embedded data set: lesions drawn by lentigo, whose best possible AUC is known.

`draw_dataset` fills a folder, `draw_features` makes only its table, `draw_lesion` and
`draw_with_truth` draw one image. `docs/synthetic.md` describes the model.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lentigo.datasets.synthetic.cohort import best_reachable_auc, draw_features
    from lentigo.datasets.synthetic.folder import draw_dataset, read
    from lentigo.datasets.synthetic.model import Lesion, Photograph
    from lentigo.datasets.synthetic.painting import Drawing, draw_lesion, draw_with_truth
    from lentigo.datasets.synthetic.sheet import contact_sheet

__all__ = [
    "Drawing",
    "Lesion",
    "Photograph",
    "best_reachable_auc",
    "contact_sheet",
    "draw_dataset",
    "draw_features",
    "draw_lesion",
    "draw_with_truth",
    "read",
]

_HOMES = {
    "Drawing": "painting",
    "Lesion": "model",
    "Photograph": "model",
    "best_reachable_auc": "cohort",
    "contact_sheet": "sheet",
    "draw_dataset": "folder",
    "draw_features": "cohort",
    "draw_lesion": "painting",
    "draw_with_truth": "painting",
    "read": "folder",
}


def __getattr__(name: str) -> Any:
    # The registry of formats must not import OpenCV and pandas.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
