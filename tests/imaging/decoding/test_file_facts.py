from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.file_facts import (
    FILE_COLUMNS,
    NAME_COLUMNS,
    file_facts,
    name_facts,
)
from lentigo.imaging.decoding.headers import ijg_quality, read_exif, read_jpeg, read_png
from lentigo.imaging.decoding.image import read_size

NOISE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
PICTURE = Image.fromarray(NOISE)


def saved(folder: Path, name: str, **options: Any) -> Path:
    path = folder / name
    PICTURE.save(path, **options)
    return path


def jpeg(**options: object) -> bytes:
    buffer = io.BytesIO()
    PICTURE.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def exif(**tags: object) -> Image.Exif:
    block = Image.Exif()
    numbers = {"make": 0x010F, "model": 0x0110, "software": 0x0131, "orientation": 0x0112}
    for name, value in tags.items():
        if name == "taken":
            block.get_ifd(0x8769)[0x9003] = value
        elif name == "artist":
            block[0x013B] = value
        else:
            block[numbers[name]] = value
    return block


@pytest.mark.parametrize("quality", [1, 2, 10, 49, 50, 51, 75, 90, 95, 99, 100])
def test_the_quality_of_a_jpeg_is_the_one_it_was_saved_with(quality: int) -> None:
    facts = read_jpeg(io.BytesIO(jpeg(quality=quality)))
    # Very low qualities are cut off at 255 and so look alike; there the best is named.
    same = [q for q in range(1, 101) if tables(q) == tables(quality)]
    assert facts["quality"] in same


def tables(quality: int) -> bytes:
    """The first quantisation table, as it stands in the file."""
    _, _, after = jpeg(quality=quality).partition(b"\xff\xdb")
    return after[3:67]  # two bytes of length and one of the table's number


def test_a_table_of_another_encoder_gets_the_nearest_quality() -> None:
    table = np.frombuffer(tables(80), dtype=np.uint8).copy()
    table[0] += 1
    assert ijg_quality(table.tobytes()) == 80
    assert ijg_quality(table.astype(">u2").tobytes()) == 80
    assert ijg_quality(b"too short") is None


@pytest.mark.parametrize(
    ("subsampling", "expected"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")]
)
def test_subsampling_is_told(subsampling: int, expected: str) -> None:
    facts = read_jpeg(io.BytesIO(jpeg(subsampling=subsampling, progressive=True)))
    assert (facts["subsampling"], facts["progressive"]) == (expected, True)
    assert (facts["mode"], facts["icc"], facts["exif"]) == ("YCbCr", False, False)


def test_a_file_tells_size_and_compression(tmp_path: Path) -> None:
    path = saved(tmp_path, "ISIC_0000012_small.JPG", format="JPEG", quality=75)
    facts = file_facts([path]).iloc[0]
    assert (facts["width"], facts["height"], facts["aspect"]) == (40, 24, 40 / 24)
    assert facts["megapixels"] == 960 / 1e6
    assert facts["bytes"] == path.stat().st_size
    assert facts["bytes_per_pixel"] == path.stat().st_size / 960
    assert (facts["extension"], facts["kind"]) == (".jpg", "JPEG")
    assert facts["folder"] == tmp_path.name
    assert (facts["name_prefix"], facts["name_number"]) == ("ISIC_", 12)
    assert (facts["name_suffix"], facts["name_length"]) == ("_small", 18)


def test_the_camera_is_told_and_nobody_s_name(tmp_path: Path) -> None:
    block = exif(
        make="Canon", model="EOS 5D", software="GIMP", orientation=6,
        taken="2011:05:17 14:03:09", artist="Dr Somebody",
    )  # fmt: skip
    facts = file_facts([saved(tmp_path, "a.jpg", exif=block)]).iloc[0]
    assert (facts["make"], facts["model"], facts["software"]) == ("Canon", "EOS 5D", "GIMP")
    assert (facts["dated"], facts["hour"], facts["exif"]) == (True, 14, True)
    assert (facts["width"], facts["height"], facts["orientation"]) == (24, 40, 6)
    assert "Somebody" not in facts.to_string()
    assert "2011" not in facts.to_string()


def test_png_and_other_kinds(tmp_path: Path) -> None:
    paths = [
        saved(tmp_path, "a.png", exif=exif(orientation=8, make="Leica")),
        saved(tmp_path, "b.tif"),
        saved(tmp_path, "c.bmp"),
        saved(tmp_path, "d.webp"),
        saved(tmp_path, "e.ppm"),
    ]
    facts = file_facts(paths)
    assert facts["kind"].tolist() == ["PNG", "TIFF", "BMP", "WebP", "PPM"]
    assert facts["width"].tolist() == [24, 40, 40, 40, 40]
    assert facts.loc[0, "mode"] == "RGB"
    assert facts.loc[0, "make"] == "Leica"


def test_what_cannot_be_told_is_missing(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.jpg").write_bytes(jpeg()[:10])
    os.mkfifo(tmp_path / "pipe.jpg")
    names = ["text.jpg", "empty.png", "cut.jpg", "pipe.jpg", "absent.jpg"]
    inside = "pictures.zip::train/ISIC_0000003.jpg"
    paths = [*(str(tmp_path / name) for name in names), inside, "a\0b.jpg"]
    facts = file_facts([*paths, None])
    assert len(facts) == 8
    assert facts[["width", "height", "quality", "megapixels"]].isna().all(axis=None)
    assert facts["kind"].notna().tolist() == [False, False, True] + [False] * 5
    assert facts["bytes"].notna().tolist() == [True] * 3 + [False] * 5
    assert facts.loc[5, "name_number"] == 3
    assert facts.loc[7].isna().all()
    assert dict(facts.dtypes.astype(str)) == {**FILE_COLUMNS, **NAME_COLUMNS}


def test_a_table_keeps_its_index_and_threads_change_nothing(tmp_path: Path) -> None:
    paths = [str(saved(tmp_path, f"{n}.jpg", quality=10 * n)) for n in range(1, 6)]
    table = pd.DataFrame({"path": paths}, index=[9, 7, 5, 3, 1])
    alone, threaded = file_facts(table), file_facts(table, workers=3)
    assert alone.index.tolist() == [9, 7, 5, 3, 1]
    pd.testing.assert_frame_equal(alone, threaded)


@pytest.mark.parametrize(
    ("name", "prefix", "number", "suffix"),
    [
        ("ISIC_0024306", "ISIC_", 24306, ""),
        ("PAT_215_330_341", "PAT_", 215, "_330_341"),
        ("mole", "mole", None, None),
        ("007", "", 7, ""),
        ("", "", None, None),
    ],
)
def test_names_come_apart(
    name: str, prefix: str, number: float | None, suffix: str | None
) -> None:
    facts = name_facts(pd.Series([name], dtype="string")).iloc[0]
    assert facts["name_prefix"] == prefix
    assert (facts["name_number"] == number) or (
        number is None and pd.isna(facts["name_number"])
    )
    assert (facts["name_suffix"] == suffix) or (
        suffix is None and pd.isna(facts["name_suffix"])
    )


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_whatever_raise(content: bytes) -> None:
    read_jpeg(io.BytesIO(b"\xff\xd8" + content))
    read_png(io.BytesIO(b"\x89PNG\r\n\x1a\n" + content))
    read_exif(b"II*\0" + content)
    read_exif(b"MM\0*" + content)


WHOLE = {
    "jpg": jpeg(exif=exif(make="Canon", taken="2011:05:17 14:03:09", orientation=6)),
    "png": b"",
}
_PNG = io.BytesIO()
PICTURE.save(_PNG, "PNG", exif=exif(make="Canon", orientation=3))
WHOLE["png"] = _PNG.getvalue()


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(["jpg", "png"]),
    changes=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=6),
    keep=st.integers(0, 3000),
)
def test_no_broken_header_raises(
    kind: str, changes: list[tuple[int, int]], keep: int
) -> None:
    content = bytearray(WHOLE[kind])
    for place, value in changes:
        content[place % len(content)] = value
    reader = read_jpeg if kind == "jpg" else read_png
    facts = reader(io.BytesIO(bytes(content[:keep])))
    assert facts.get("width") != 0


def test_real_files_have_the_size_that_decoding_gives(shared: Path) -> None:
    folder = shared / "data" / "odd"
    paths = sorted(path for path in folder.rglob("*.*") if path.is_file())
    facts = file_facts(paths)
    compared = 0
    for path, width, height in zip(paths, facts["width"], facts["height"], strict=True):
        try:
            size = read_size(path)
        except ImageError:
            assert pd.isna(width)
            continue
        assert (width, height) == size, path.name
        compared += 1
    assert compared == 36


def test_all_of_ham10000_is_read(shared: Path) -> None:
    folder = shared / "data" / "ham10000" / "HAM10000_images_part_1"
    facts = file_facts(sorted(folder.glob("*.jpg")))
    assert len(facts) == 8013
    assert facts["quality"].eq(75).all()
    assert facts["width"].eq(200).all()
    assert facts["subsampling"].eq("4:2:0").all()
