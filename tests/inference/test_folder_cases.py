"""Folders as people have them: from the search to a row of the predictions."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

import lentigo
from lentigo.datasets import read_archive, read_table
from lentigo.inference.inputs import find_sources
from tests.inference.test_predict import save

CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture
def photos(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    shutil.copytree(CASES / request.param, tmp_path / "case")
    return tmp_path / "case" / "photos"


def names(*inputs: str | Path) -> list[str]:
    return [source.image_id for source in find_sources(inputs)]


def test_a_composed_name_finds_its_decomposed_file() -> None:
    table = read_table("csv", CASES / "09-decomposed-file-names" / "table.csv")
    assert table["path"].notna().all()
    assert len(table) == 4
    folder = CASES / "09-decomposed-file-names"
    assert names(folder) == [f"L\u00e4sion_{n}" for n in range(4)]
    for given in ("L\u00e4sion_1.jpg", "La\u0308sion_1.jpg", "L\u00e4*_1.jpg"):
        assert names(folder / given) == ["L\u00e4sion_1"]


@pytest.mark.parametrize("photos", ["11-litter-in-a-folder"], indirect=True)
def test_litter_is_not_predicted(photos: Path) -> None:
    assert names(photos) == ["N0", "N1", "N2", "N3"]
    packed = photos.parent / "photos.zip"
    with zipfile.ZipFile(packed, "w") as file:
        for each in ("N0", "N1", "._N0", ".ipynb_checkpoints/N2", "__MACOSX/N3"):
            file.writestr(f"photos/{each}.jpg", b"")
    assert names(packed) == ["N0", "N1"]


@pytest.mark.parametrize("photos", ["13-other-kinds-in-a-folder"], indirect=True)
def test_what_is_not_read_has_a_row_with_its_reason(photos: Path, tmp_path: Path) -> None:
    save(tmp_path / "model")
    rows = lentigo.load(tmp_path / "model").predict(photos).set_index("image_id")
    assert rows["probability"].notna().tolist() == [True, True, True, False, False, True]
    assert "N3.heic cannot be decoded" in str(rows.loc["N3", "reason"])
    assert "is a GIF picture, which is not read" in str(rows.loc["N4", "reason"])


@pytest.mark.parametrize("photos", ["13-other-kinds-in-a-folder"], indirect=True)
def test_a_table_of_a_folder_counts_what_is_not_read(photos: Path) -> None:
    (photos.parent / "melanoma").mkdir()
    photos.rename(photos.parent / "melanoma" / "photos")
    read = read_archive("folder", photos.parent)
    table = read.table
    assert len(table) == 5
    assert read.notes[-1] == (
        "1 picture is left out, of kinds that are not read: N4.gif. Save them as JPEG or "
        "PNG."
    )


@pytest.mark.parametrize("photos", ["15-linked-folder"], indirect=True)
def test_a_linked_folder_is_looked_into(photos: Path) -> None:
    (photos / "more").unlink()
    (photos / "more").symlink_to("../elsewhere")
    (photos / "loop").symlink_to("../photos")
    assert len(names(photos)) == 6


def test_one_stem_with_two_endings_is_two_images() -> None:
    table = read_table("folder", CASES / "43-one-stem-two-endings")
    assert len(table) == 9
    assert {"nevus/n0.jpg", "nevus/n0.png", "n1", "m0"} <= set(table["image_id"])
    found = names(CASES / "43-one-stem-two-endings")
    assert len(set(found)) == 9
