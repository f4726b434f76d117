"""Metrics of predictions, each with its confidence interval; needs no torch.

The public names are imported on first use, so that `lentigo.evaluation.registry` can be
imported without numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lentigo.evaluation.comparison import Comparison, compare
    from lentigo.evaluation.contest import compare_models
    from lentigo.evaluation.contest_result import Contest
    from lentigo.evaluation.intervals import Interval
    from lentigo.evaluation.registry import METRICS
    from lentigo.evaluation.result import Evaluation
    from lentigo.evaluation.scoring import evaluate

__all__ = [
    "METRICS",
    "Comparison",
    "Contest",
    "Evaluation",
    "Interval",
    "compare",
    "compare_models",
    "evaluate",
]

_HOME = {
    "METRICS": "registry",
    "Comparison": "comparison",
    "Contest": "contest_result",
    "Evaluation": "result",
    "Interval": "intervals",
    "compare": "comparison",
    "compare_models": "contest",
    "evaluate": "scoring",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
