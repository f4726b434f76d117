"""Import timm without torch's compiler, which no network here is given to.

Two lines of what timm imports load the compiler, and with it SymPy: a file of torchvision
for the detection of objects asks it which devices it knows, and a file of timm tells it to
leave a function alone. Both are put off until somebody calls those functions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

_COMPILER = "torch._dynamo.utils"


class _Later(ModuleType):
    """Stands for a module that is loaded when something of it is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by the machinery of imports
            raise AttributeError(name)

        def loaded(*given: Any, **named: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*given, **named)

        return loaded


@contextmanager
def _leaving_alone_later() -> Iterator[None]:
    """Let `torch.compiler.disable` be the decorator of torch that loads nothing yet."""
    now, later = torch.compiler.disable, getattr(torch, "_disable_dynamo", None)
    if later is None or _COMPILER in sys.modules:
        yield
        return

    def disable(fn: Any = None, recursive: bool = True, *, reason: Any = None) -> Any:
        return later(fn, recursive) if reason is None else now(fn, recursive, reason=reason)

    torch.compiler.disable = disable
    try:
        yield
    finally:
        torch.compiler.disable = now


@contextmanager
def _asking_later() -> Iterator[None]:
    """Let functions of `torch._dynamo.utils` be imported without loading it."""
    if _COMPILER in sys.modules:
        yield
        return
    stand_in = sys.modules[_COMPILER] = _Later(_COMPILER)
    try:
        yield
    finally:
        if sys.modules.get(_COMPILER) is stand_in:
            del sys.modules[_COMPILER]


def _import_timm() -> Any:
    with _leaving_alone_later():
        with _asking_later():
            import_module("torchvision")
        return import_module("timm")


if TYPE_CHECKING:
    import timm
else:
    timm = _import_timm()

__all__ = ["timm"]
