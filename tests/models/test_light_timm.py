"""timm is loaded without torch's compiler, and leaves everything as it was."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch

from lentigo.models import light_timm

NAME = "torch._dynamo.utils"


def test_a_stand_in_loads_its_module_when_a_function_is_called() -> None:
    later = light_timm._Later("math")
    assert later.sqrt(16) == 4
    assert not hasattr(later, "__path__")


def test_the_stand_in_is_there_for_the_import_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    with light_timm._asking_later():
        assert isinstance(sys.modules[NAME], light_timm._Later)
    assert NAME not in sys.modules
    with pytest.raises(ImportError), light_timm._asking_later():
        raise ImportError
    assert NAME not in sys.modules


def test_a_compiler_that_is_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    real, now = ModuleType(NAME), torch.compiler.disable
    monkeypatch.setitem(sys.modules, NAME, real)
    with light_timm._asking_later(), light_timm._leaving_alone_later():
        assert sys.modules[NAME] is real
        assert torch.compiler.disable is now
    assert sys.modules[NAME] is real


def test_a_function_that_is_left_alone_later_is_that_of_torch_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    now = torch.compiler.disable
    with light_timm._leaving_alone_later():

        @torch.compiler.disable
        def double(value: int) -> int:
            return 2 * value

        assert torch.compiler.disable is not now
    assert torch.compiler.disable is now
    assert double.__name__ == "double"
