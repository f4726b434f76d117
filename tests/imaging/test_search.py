"""What is found in a folder of images."""

from __future__ import annotations

import os
from pathlib import Path
from unicodedata import normalize

import pytest

from lentigo.errors import DatasetError
from lentigo.imaging.search import files_below, is_litter, left_out, on_disk, unseen


def lay(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def found(root: Path) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in files_below(root)]


def test_what_programs_leave_behind_is_no_file_of_the_user(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg", "c/e.jpg")
    lay(tmp_path, "._a.jpg", ".hidden/b.jpg", "c/.ipynb_checkpoints/a-checkpoint.jpg")
    lay(tmp_path, "__MACOSX/a.jpg", "c/@eaDir/THUMB_M.jpg", "$RECYCLE.BIN/d.jpg")
    assert found(tmp_path) == ["a.jpg", "c/e.jpg"]
    assert is_litter("images/.ipynb_checkpoints/a.jpg")
    assert not is_litter("images/a.b.jpg")


def test_a_hidden_folder_that_is_asked_for_is_searched(tmp_path: Path) -> None:
    lay(tmp_path / ".photos", "a.jpg")
    assert found(tmp_path / ".photos") == ["a.jpg"]


def test_links_are_followed_once_and_never_outwards(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    lay(tmp_path, "photos/a.jpg", "photos/sub/b.jpg", "elsewhere/c.jpg", "beside.jpg")
    for name, target in (
        ("more", tmp_path / "elsewhere"),
        ("again", tmp_path / "elsewhere"),
        ("loop", photos),
        ("up", tmp_path),
        ("sub/round", photos / "sub"),
    ):
        (photos / name).symlink_to(target)
    assert found(photos) == ["a.jpg", "again/c.jpg", "sub/b.jpg"]


def test_a_link_to_a_file_and_one_to_nowhere_are_files(tmp_path: Path) -> None:
    lay(tmp_path, "b.jpg")
    (tmp_path / "a.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert found(tmp_path) == ["a.jpg", "b.jpg"]


def test_a_folder_that_cannot_be_looked_into_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, "a.jpg", "closed/b.jpg")
    scan = os.scandir

    def closed(place: str) -> object:
        if str(place).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(
        DatasetError, match="closed cannot be looked into: Permission denied"
    ):
        files_below(tmp_path)


def test_pictures_of_other_kinds_are_counted_and_named() -> None:
    assert left_out(["a.jpg", "notes.txt"]) == []
    assert left_out(["x/b.PSD", "a.jpg", "c.gif"]) == [
        "2 pictures are left out, of kinds that are not read: b.PSD, c.gif. Save them as "
        "JPEG or PNG."
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_are_found_however_the_disk_spells_them(tmp_path: Path, form: str) -> None:
    name = "Läsionen/möle é.jpg"
    lay(tmp_path, normalize(form, name))  # type: ignore[arg-type]
    for asked in ("NFC", "NFD"):
        path = on_disk(tmp_path / normalize(asked, name))
        assert path.is_file()
    assert on_disk(tmp_path / "ä.jpg") == tmp_path / "ä.jpg"
    assert on_disk(Path("a\0ä.jpg")) == Path("a\0ä.jpg")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), []),
        (("a.zip",), ["1 zip or HDF5 file is not looked into: a.zip. Name it itself, or "
                      "unpack it."]),
        (("a.zip", "b.h5"), ["2 zip or HDF5 files are not looked into: a.zip, b.h5. "
                             "Name it itself, or unpack it."]),
        (("a.rar",), ["1 archive is of a kind that is not read: a.rar. Unpack it."]),
        (("picture",), ["1 image is left out whose file name has no ending: picture. Add "
                        "one, such as .jpg."]),
        (("text",), []),
        (("a.txt",), []),
    ],
)  # fmt: skip
def test_what_was_not_read_is_told(
    names: tuple[str, ...], said: list[str], tmp_path: Path
) -> None:
    for name in names:
        start = b"\xff\xd8\xff\xe0" if name == "picture" else b"plain text"
        (tmp_path / name).write_bytes(start + bytes(20))
    assert unseen([str(tmp_path / name) for name in names]) == said
