"""The arguments of every public function, with their defaults, are those of the record.

Who changes a default changes the answer of everybody who did not name it. A change that is
meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.record import check_recorded

ROOMS = (
    "lentigo", "lentigo.baselines", "lentigo.curation", "lentigo.curation.duplicates",
    "lentigo.datasets", "lentigo.datasets.synthetic", "lentigo.evaluation",
    "lentigo.evaluation.locking", "lentigo.evaluation.readers", "lentigo.export",
    "lentigo.figures", "lentigo.imaging.artefacts", "lentigo.imaging.disturbances",
    "lentigo.imaging.kind", "lentigo.imaging.quality", "lentigo.imaging.segmentation",
    "lentigo.imaging.views", "lentigo.reports.audit", "lentigo.reports.comparison",
    "lentigo.reports.evaluation", "lentigo.reports.paper",
)  # fmt: skip


def public(room: str) -> Iterator[str]:
    """Yield a line for each public function, class, method and number of a room."""
    module = import_module(room)
    for name in sorted(module.__all__):
        found = getattr(module, name)
        if inspect.isfunction(found):
            yield f"{name}({told(found)})"
        elif inspect.isclass(found) and found.__module__.startswith("lentigo"):
            yield from of_class(name, found)
        elif isinstance(found, (int, float, str, tuple)) and name != "__version__":
            yield f"{name} = {found!r}"


def of_class(name: str, found: type) -> Iterator[str]:
    yield f"{name}({told(found)})" if dataclasses.is_dataclass(found) else name
    if issubclass(found, enum.Enum):
        return
    for method, own in sorted(vars(found).items()):
        inner = getattr(own, "__func__", own)
        if not method.startswith("_") and inspect.isfunction(inner):
            yield f"{name}.{method}({told(inner)})"


def told(call: Any) -> str:
    """Return the names of the arguments with their defaults; types are mypy's."""
    return ", ".join(
        each.name if each.default is each.empty else f"{each.name}={default(each.default)}"
        for each in inspect.signature(call).parameters.values()
    )


def default(value: Any) -> str:
    plain = isinstance(value, (int, float, str, tuple, type(None)))
    return repr(value) if plain else type(value).__name__


@pytest.mark.parametrize("room", ROOMS)
def test_the_arguments_of_what_is_public(room: str) -> None:
    lines = sorted(public(room))
    assert lines
    check_recorded(f"signatures/{room}", "\n".join(lines) + "\n")
