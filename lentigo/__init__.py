"""Melanoma classification from dermoscopy: patient-grouped, with intervals, in one command.

Research software, not a medical device.

The public names are loaded when they are first used, so that `import lentigo` is quick and
scoring a table of predictions needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lentigo.errors import LentigoError
from lentigo.extras import EXTRAS, not_installed
from lentigo.machine import spin_briefly
from lentigo.version import __version__

spin_briefly()  # before a library is loaded that reads it

if TYPE_CHECKING:
    from lentigo.config import Config
    from lentigo.datasets import read_archive, read_table
    from lentigo.evaluation import Evaluation, evaluate
    from lentigo.imaging.decoding.image import read_image
    from lentigo.inference.predict import Model, load
    from lentigo.pipeline import run
    from lentigo.recipes import recipe
    from lentigo.training.run import Run, train

_HOMES = {
    "Config": "lentigo.config",
    "Evaluation": "lentigo.evaluation",
    "Model": "lentigo.inference.predict",
    "Run": "lentigo.training.run",
    "evaluate": "lentigo.evaluation",
    "load": "lentigo.inference.predict",
    "read_archive": "lentigo.datasets",
    "read_image": "lentigo.imaging.decoding.image",
    "read_table": "lentigo.datasets",
    "recipe": "lentigo.recipes",
    "run": "lentigo.pipeline",
    "train": "lentigo.training.run",
}

__all__ = [
    "Config",
    "Evaluation",
    "LentigoError",
    "Model",
    "Run",
    "__version__",
    "evaluate",
    "load",
    "read_archive",
    "read_image",
    "read_table",
    "recipe",
    "run",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lentigo' has no attribute {name!r}")
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        raise not_installed(error.name, what=f"lentigo.{name}") from error


def __dir__() -> list[str]:
    return __all__
