"""The mark of a member of a zip, and the speed of a preparation, computed by hand."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from lentigo.imaging.decoding.packed import _Zip
from lentigo.imaging.store.prepare import Preparation


def mark(folder: Path, moment: tuple[int, ...], content: bytes = b"abc") -> tuple[int, int]:
    path = folder / f"{len(list(folder.iterdir()))}.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(zipfile.ZipInfo("a.jpg", moment), content)  # type: ignore[arg-type]
    return _Zip(str(path)).mark("a.jpg")


def test_a_mark_holds_size_checksum_and_the_moment_to_the_second(tmp_path: Path) -> None:
    size, number = mark(tmp_path, (2020, 5, 6, 7, 8, 10))
    assert size == 3
    assert number >> 31 == crc32(b"abc")
    days = (2020 * 12 + 5) * 31 + 6
    assert number & 0x7FFFFFFF == (((days * 24 + 7) * 60 + 8) * 60 + 10) & 0x7FFFFFFF
    moment = (2020, 5, 6, 7, 8, 10)
    steps = (1, 1, 1, 1, 1, 2)  # a zip counts seconds in twos
    other = {
        mark(tmp_path, (*moment[:k], moment[k] + steps[k], *moment[k + 1 :]))
        for k in range(6)
    }
    assert len(other - {(size, number)}) == 6
    assert mark(tmp_path, (2020, 5, 6, 7, 8, 10), b"abd") != (size, number)


@pytest.mark.parametrize(
    ("decoded", "seconds", "speed"),
    [(10, 4.0, 2.5), (0, 4.0, math.nan), (3, 0.0, math.nan)],
)
def test_the_speed_is_that_of_the_files_decoded(
    decoded: int, seconds: float, speed: float
) -> None:
    images = np.zeros((5, 100, 100, 3), np.uint8)
    store: Any = SimpleNamespace(images=images)
    work: Any = SimpleNamespace(decoded=decoded, seconds=seconds)
    done = Preparation(store, work, Path("table"), None)
    assert done.images_per_second == pytest.approx(speed, nan_ok=True)
    assert done.megabytes == pytest.approx(0.15)
