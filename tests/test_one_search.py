"""One awkward folder of photographs means the same images in every command."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.datasets.reading.image_files import ImageFiles
from lentigo.inference.inputs import find_sources
from tests.hostile.seeds import HEIC

FOUND = [
    "melanoma/a.JPG", "nevus/b.Jpeg", "nevus/d.HEIC", "nevus/deep/c.PNG",
    "nevus/linked/h.jpg",
]  # fmt: skip
LEFT_OUT = [
    "1 picture is left out, of kinds that are not read: g.gif. Save them as JPEG or PNG.",
    "1 zip or HDF5 file is not looked into: more.zip. Name it itself, or unpack it.",
    "1 image is left out whose file name has no ending: noending. Add one, such as .jpg.",
]


def lay(path: Path, kind: str = "JPEG") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (200, 100, 50)).save(path, kind)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in ("melanoma/a.JPG", "nevus/b.Jpeg", "melanoma/._a.jpg", "__MACOSX/e.jpg",
                 ".hidden/f.jpg", "nevus/noending"):  # fmt: skip
        lay(root / name)
    lay(root / "nevus/deep/c.PNG", "PNG")
    lay(root / "nevus/g.gif", "GIF")
    lay(tmp_path / "elsewhere/h.jpg")
    shutil.copy(HEIC / "plain.heic", root / "nevus/d.HEIC")
    (root / "notes.txt").write_text("x")
    (root / "nevus/linked").symlink_to(tmp_path / "elsewhere")
    (root / "nevus/round").symlink_to(root)
    with zipfile.ZipFile(root / "more.zip", "w") as more:
        more.write(root / "melanoma/a.JPG", "in/i.jpg")
    return root


def below(root: Path, paths: object) -> list[str]:
    found = pd.Series(paths, dtype="string").dropna()
    return sorted(Path(path).relative_to(root).as_posix() for path in found)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code in {0, 1}, result.output
    return result.output


def test_every_command_finds_the_same_images(folder: Path, tmp_path: Path) -> None:
    said = run("read", "folder", folder, "--out", tmp_path / "t.parquet")
    assert below(folder, pd.read_parquet(tmp_path / "t.parquet")["path"]) == FOUND
    assert all(note in " ".join(said.split()) for note in LEFT_OUT)
    run("view", folder, "--view", "gray", "--no-sheet", "--size", 32, "--out",
        tmp_path / "views")  # fmt: skip
    assert sorted(path.name[0] for path in (tmp_path / "views").iterdir()) == list("abcdh")
    prepared = json.loads(run("prepare", folder, "--size", 32, "--out",
                              tmp_path / "store", "--json"))  # fmt: skip
    assert prepared["images"] == len(FOUND)


def test_predict_sees_these_and_a_reason_for_each_picture_of_another_kind(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="lentigo"):
        found = below(folder, [str(source.path) for source in find_sources([folder])])
    assert found == sorted([*FOUND, "nevus/g.gif"])
    assert all(note in caplog.text for note in LEFT_OUT[1:])


def test_a_table_finds_these_and_what_lies_packed(folder: Path) -> None:
    files = ImageFiles(folder)
    assert below(folder, [files.find(name) for name in [*FOUND, "i", "e", "f"]]) == sorted(
        [*FOUND, "more.zip/in/i.jpg"]
    )


@pytest.fixture
def capitals(tmp_path: Path) -> Path:
    for name in ("ISIC_1.jpg", "two.png", "TWO.png", "Three.jpg"):
        lay(tmp_path / name)
    return tmp_path


def capitals_of(folder: Path, names: list[str]) -> tuple[list[str | None], list[str]]:
    files = ImageFiles(folder)
    paths = files.paths(pd.Series(names))
    found = [None if pd.isna(path) else Path(path).name for path in paths]
    return found, files.notes(pd.DataFrame({"image_id": names, "path": paths}))


def test_a_name_in_other_capitals_finds_its_file_unless_it_is_anothers(
    capitals: Path,
) -> None:
    assert capitals_of(capitals, ["isic_1"]) == (["ISIC_1.jpg"], [])
    found, notes = capitals_of(capitals, ["ISIC_1", "isic_1", "ISIC_1"])
    assert found == ["ISIC_1.jpg", None, "ISIC_1.jpg"]
    assert notes[1].startswith(
        "1 image differs from another in capital letters alone and has not its file "
        "(isic_1: "
    )


def test_two_files_that_differ_in_capitals_alone_are_told_apart(capitals: Path) -> None:
    assert capitals_of(capitals, ["TWO", "two", "two.png"]) == (
        ["TWO.png", "two.png", "two.png"],
        [],
    )
    found, notes = capitals_of(capitals, ["Two"])
    assert found == ["TWO.png"]
    assert notes[0].startswith("1 image has several files")


def test_a_file_of_which_nobody_has_the_capitals_is_told(capitals: Path) -> None:
    found, notes = capitals_of(capitals, ["THREE", "three"])
    assert found == ["Three.jpg", "Three.jpg"]
    assert notes[0].startswith(
        "1 file is that of images which differ in capital letters alone (THREE and three: "
    )
