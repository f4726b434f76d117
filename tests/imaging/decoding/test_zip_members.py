"""No member of a zip is lost in silence: each is read, or has a reason."""

from __future__ import annotations

import stat
import time
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from lentigo.datasets.any_table import read_any
from lentigo.datasets.reading.image_files import ImageFiles
from lentigo.errors import DatasetError, ImageError
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.zip_members import FOLDER, OUTSIDE, TWICE, ZipMembers
from lentigo.imaging.search import not_read_inside, unseen
from lentigo.inference.inputs import find_sources
from tests.fakes import image_bytes

ONE, OTHER = image_bytes(seed=1), image_bytes(seed=2)


def zipped(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as file:
        warnings.simplefilter("ignore")  # zipfile warns of a name that is there twice
        for name, data in members:
            file.writestr(name, data)
    return path


def answers(path: Path) -> dict[str, str]:
    """Path in the zip → why the image is not read, or nothing."""
    found = {}
    for source in find_sources([path]):
        try:
            read_image(str(source.path))
            found[Path(str(source.path)).relative_to(path).as_posix()] = ""
        except ImageError as error:
            found[Path(str(source.path)).relative_to(path).as_posix()] = str(error)
    return found


def test_two_images_of_one_name_are_both_told_and_neither_is_guessed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="lentigo")
    path = zipped(
        tmp_path / "z.zip",
        ("a.jpg", ONE), ("a.jpg", OTHER), ("A.jpg", ONE), ("x/a.jpg", ONE),
        ("b.jpg", ONE), ("./b.jpg", ONE),  # the same image: nothing is lost
    )  # fmt: skip
    found = answers(path)
    assert [name for name, why in found.items() if not why] == ["A.jpg", "b.jpg", "x/a.jpg"]
    assert [name for name, why in found.items() if TWICE in why] == [
        "(again)/a.jpg",
        "a.jpg",
    ]
    assert "2 files in" in caplog.text and "a.jpg, (again)/a.jpg" in caplog.text  # noqa: PT018


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("/etc/a.jpg", "(outside)/etc/a.jpg"),
        ("../../a.jpg", "(outside)/(up)/(up)/a.jpg"),
        ("x/../a.jpg", "(outside)/x/(up)/a.jpg"),
        ("C:\\x\\a.jpg", "(outside)/C:/x/a.jpg"),
        ("\\\\server\\a.jpg", "(outside)/server/a.jpg"),
    ],
)
def test_a_name_that_leads_out_has_a_row_with_the_reason(
    name: str, place: str, tmp_path: Path
) -> None:
    found = answers(zipped(tmp_path / "z.zip", ("ok.jpg", ONE), (name, ONE)))
    assert list(found) == [place, "ok.jpg"]
    assert found["ok.jpg"] == ""
    assert OUTSIDE in found[place]


def test_a_clock_in_a_name_is_no_drive(tmp_path: Path) -> None:
    assert answers(zipped(tmp_path / "z.zip", ("12:30.jpg", ONE))) == {"12:30.jpg": ""}


def test_links_and_folders_with_content_have_a_reason(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "z.zip", (link, b"/etc/passwd"), ("ok.jpg", ONE))
    assert "it is a link" in answers(path)["link.jpg"]
    folder = zipfile.ZipInfo("a.jpg/")
    folder.file_size = 10
    found = ZipMembers.of([folder])
    assert found.not_read() == {"(folder)/a.jpg": FOLDER}
    assert found.names() == []


def test_a_search_names_what_it_does_not_look_into(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", ("in.jpg", ONE))
    path = zipped(
        tmp_path / "z.zip",
        ("inner.zip", inner.read_bytes()), ("more.tar.gz", b"x"), ("lesion1", ONE),
        ("README", b"x"), ("__MACOSX/._ok.jpg", b"x"), ("ok.jpg", ONE),
    )  # fmt: skip
    assert not_read_inside(path) == [
        f"2 containers in {path} are not looked into: inner.zip, more.tar.gz.",
        f"1 file in {path} is left out, for the name has no ending: lesion1. Add one, such "
        "as .jpg, to an image.",
    ]
    assert unseen(["a/x.tar.gz", "a/y.7z", "a/z.jpg"]) == [
        "2 archives are of a kind that is not read: x.tar.gz, y.7z. Unpack it."
    ]


def test_readers_of_tables_tell_of_them_and_take_the_readable_one(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "z.zip",
        ("a.jpg", ONE), ("a.jpg", OTHER), ("../b.jpg", ONE), ("b.jpg", OTHER),
        ("../c.jpg", ONE),
    )  # fmt: skip
    files = ImageFiles(tmp_path)
    assert files.find("a") == str(path / "a.jpg")  # each later step says why not
    assert files.find("b") == str(path / "b.jpg")
    assert files.find("c") == str(path / "(outside)/(up)/c.jpg")
    (tmp_path / "t.csv").write_text("image,melanoma\na,1\nb,0\nc,1\n")
    notes = "\n".join(read_any(tmp_path / "t.csv").notes)
    assert f"2 files in {path} are not read ({TWICE})" in notes
    assert f"2 files in {path} are not read ({OUTSIDE})" in notes


def test_an_archive_in_a_zip_names_them_and_refuses_two_tables(tmp_path: Path) -> None:
    images = [(f"{kind}/{n}.jpg", image_bytes(seed=n))
              for kind in ("melanoma", "nevus") for n in range(2)]  # fmt: skip
    path = zipped(tmp_path / "z.zip", *images, ("melanoma/0.jpg", OTHER), ("/x.jpg", ONE))
    read = read_any(path)
    assert len(read.table) == 4
    notes = "\n".join(read.notes)
    assert "melanoma/0.jpg, (again)/melanoma/0.jpg" in notes
    assert "(outside)/x.jpg" in notes
    path = zipped(
        tmp_path / "t.zip",
        ("a.jpg", ONE), ("t.csv", b"image,melanoma\na,1\n"),
        ("t.csv", b"image,melanoma\na,0\n"),
    )  # fmt: skip
    with pytest.raises(DatasetError, match=r"t\.csv in .*which is meant cannot be told"):
        read_any(path)


def test_an_hdf5_file_is_known_by_its_first_array_not_by_a_link(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["a"] = h5py.ExternalLink("other.hdf5", "/x")
        file["b"] = np.void(ONE)
    found = answers(tmp_path / "a.hdf5")
    assert "leads to another file" in found["a"]
    assert found["b"] == ""
    with h5py.File(tmp_path / "w.hdf5", "w") as file:
        file["images"], file["labels"] = np.zeros((2, 2)), np.zeros(2, np.uint8)
    assert packed.members(tmp_path / "w.hdf5") == []


def test_a_million_of_one_name_are_not_slow() -> None:
    members = [zipfile.ZipInfo("../a.jpg") for _ in range(20_000)]
    start = time.process_time()
    found = ZipMembers.of(members)
    assert time.process_time() - start < 2
    assert len(found.not_read()) == 20_000
