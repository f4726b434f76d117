"""Table files with broken bytes: a table comes out, or one sentence of what is wrong."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import time
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from PIL import Image

from lentigo.errors import DatasetError, LentigoError
from lentigo.table_files import delimited
from lentigo.table_files.door import read_any_table
from tests.fakes.workbooks import Cell, write_ods, write_xlsx

ROWS: list[list[Cell]] = [
    ["image_id", "age", "p"],
    ["a", 45.5, 0.1],
    ["=b", 60, 0.5],
    ["ü\n", None, 1e-7],
]
NOISE = [
    b"\0", b"\r", b"\n", b'"', b"'", b",", b";", b"\t", b"|", b"=", b"\xff\xfe",
    b"\xef\xbb\xbf", b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"sep=;\n", b"\xe4", b"1e999",
    b"nan", b"<html", b"'=" * 3,
]  # fmt: skip


@cache
def seeds() -> dict[str, bytes]:
    frame = pd.DataFrame(ROWS[1:], columns=pd.Index([str(name) for name in ROWS[0]]))
    text = frame.to_csv(index=False)
    parquet = BytesIO()
    frame.to_parquet(parquet)
    with TemporaryDirectory() as name:
        xlsx = write_xlsx(Path(name) / "t.xlsx", {"A": ROWS, "B": ROWS}).read_bytes()
        ods = write_ods(Path(name) / "t.ods", {"A": ROWS}).read_bytes()
    return {
        "csv": text.encode(), "semicolons": text.replace(",", ";").encode("cp1252"),
        "utf-16": text.encode("utf-16"), "gzip": gzip.compress(text.encode(), mtime=0),
        "parquet": parquet.getvalue(), "xlsx": xlsx, "ods": ods,
    }  # fmt: skip


def broken(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        place = chance.randrange(len(out) + 1)
        deed = chance.randrange(5)
        if deed == 0 and place < len(out):
            out[place] ^= 1 << chance.randrange(8)
        elif deed == 1:
            del out[place : place + chance.choice([1, 2, 8, 100])]
        elif deed == 2:
            out[place:place] = chance.choice(NOISE) * chance.choice([1, 1, 3, 2000])
        elif deed == 3:
            del out[place:]
        else:
            out[place : place + 4] = chance.choice(
                [b"\xff" * 4, b"\0" * 4, b"\x7f" + b"\xff" * 3]
            )
    return bytes(out)


def read_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    for text in (False, True):
        try:
            table = read_any_table(path, text=text)
        except LentigoError:
            continue
        assert len(table) <= len(data)


@pytest.mark.parametrize("kind", ["csv", "semicolons", "utf-16", "gzip", "parquet"])
def test_broken_bytes_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    chance = random.Random(kind)
    for _ in range(25):
        read_or_refused(tmp_path / "t.csv", broken(seeds()[kind], chance))


@pytest.mark.slow
@pytest.mark.parametrize("kind", seeds())
def test_very_many_broken_files_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    chance = random.Random(f"many {kind}")
    # Each workbook is opened in two processes of their own, a tenth of a second each.
    for _ in range(300 if kind in {"xlsx", "ods"} else 3000):
        read_or_refused(tmp_path / "t.csv", broken(seeds()[kind], chance))


def test_a_line_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "_LONGEST_LINE", 100)
    path = tmp_path / "t.csv"
    path.write_text("image_id,age\n" + f"{'a' * 90},1\r" * 3)
    assert len(read_any_table(path)) == 3
    path.write_text("image_id,age\na,1\n" + "b" * 200)
    with pytest.raises(DatasetError, match="has a line of more than 100 bytes"):
        read_any_table(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_many_packed_streams_in_a_row_cost_no_more_than_one(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    """Each was once copied for all before it: 200,000 empty ones took a minute."""
    path = tmp_path / "t.csv"
    path.write_bytes(pack(b"") * 20_000 + pack(b"image_id,age\na,1\n"))
    start = time.process_time()
    assert len(read_any_table(path)) == 1
    assert time.process_time() - start < 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_an_image_in_place_of_a_table_is_told_as_such(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "lesion"
    Image.new("RGB", (40, 30), (200, 150, 120)).save(path, format=kind)
    with pytest.raises(DatasetError, match=r"is an image, no table: predict it with"):
        read_any_table(path)
