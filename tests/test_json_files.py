from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from lentigo.errors import RunError, UnreadableFileError
from lentigo.json_files import read_json, to_json, write_json


def test_json_is_strict_and_undefined_numbers_are_null(tmp_path: Path) -> None:
    value = {
        "a": math.nan,
        "b": [1, math.inf],
        "c": np.float64(0.5),
        3: Path("x/y"),
        "é": True,
    }
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == {
        "a": None,
        "b": [1, None],
        "c": 0.5,
        "3": "x/y",
        "é": True,
    }
    assert "é" in to_json(value)


def test_json_that_is_nested_too_deeply_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(UnreadableFileError, match="nested too deeply"):
        read_json(tmp_path / "a.json")
    os.mkfifo(tmp_path / "b.json")
    with pytest.raises(RunError, match="no ordinary file"):
        read_json(tmp_path / "b.json")
