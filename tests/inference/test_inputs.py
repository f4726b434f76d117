"""Finding the images that somebody names."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError, ImageError
from lentigo.inference.inputs import as_sources, find_sources
from tests.fakes import write_hdf5, write_zip


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a/one.jpg", "a/two.PNG", "b/one.jpg", "b/three.tif"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    (tmp_path / "a" / "notes.txt").write_text("not an image")
    return tmp_path


def names(sources: object) -> list[str]:
    return [source.image_id for source in sources]  # type: ignore[attr-defined]


def test_a_folder_is_searched_through_for_images(photos: Path) -> None:
    assert names(find_sources([photos / "a"])) == ["one", "two"]


def test_a_pattern_finds_what_it_matches(photos: Path) -> None:
    assert names(find_sources([f"{photos}/*/t*.*"])) == ["two", "three"]


def test_a_file_named_twice_is_looked_at_once(photos: Path) -> None:
    file = photos / "a" / "one.jpg"
    assert names(find_sources([file, photos / "a", file])) == ["one", "two"]


def test_two_files_of_one_name_are_told_apart_by_their_folder(photos: Path) -> None:
    found = names(find_sources([photos]))
    assert found == [str(photos / "a/one.jpg"), "two", str(photos / "b/one.jpg"), "three"]


def test_a_file_that_is_no_image_stays_in_to_get_its_reason(photos: Path) -> None:
    assert names(find_sources([photos / "a" / "notes.txt"])) == ["notes"]


def test_what_is_not_there_is_named(photos: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"nothing\.jpg"):
        find_sources([photos / "nothing.jpg"])


def test_a_folder_without_an_image_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"no file ends in .*\.bmp"):
        find_sources([tmp_path])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_lesion_table_brings_its_groups(photos: Path, suffix: str) -> None:
    table = pd.DataFrame(
        {
            "image_id": ["x", "y"],
            "path": [str(photos / "a/one.jpg"), None],
            "group_id": "P1",
        }
    )
    path = photos / f"table{suffix}"
    table.to_csv(path) if suffix == ".csv" else table.to_parquet(path)
    found = find_sources([path])
    assert names(found) == ["x", "y"]
    assert [source.group_id for source in found] == ["P1", "P1"]
    assert found[1].path is None


def test_a_table_keeps_its_names_beside_a_file_of_the_same_name(photos: Path) -> None:
    table = photos / "table.csv"
    table.write_text(f"image_id,path\none,{photos / 'b/one.jpg'}\n")
    file = photos / "a" / "one.jpg"
    assert names(find_sources([file, table])) == [str(file), "one"]


def test_a_table_without_paths_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("image_id,target\na,0\n")
    with pytest.raises(ColumnError, match="no column path"):
        find_sources([path])


def test_arrays_are_numbered() -> None:
    image = np.zeros((5, 6, 3), dtype=np.uint8)
    assert names(as_sources(image)) == ["0"]
    assert names(as_sources([image, image])) == ["0", "1"]
    assert names(as_sources(np.stack([image] * 3))) == ["0", "1", "2"]


@pytest.mark.parametrize(
    "image",
    [np.zeros((5, 6), np.uint8), np.zeros((5, 6, 3)), np.zeros((5, 6, 4), np.uint8),
     np.zeros((0, 6, 3), np.uint8)],
)  # fmt: skip
def test_an_array_of_another_kind_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"\(height, width, 3\) RGB of type uint8"):
        as_sources([image])


def test_a_zip_or_hdf5_file_is_searched_as_a_folder_is(photos: Path) -> None:
    container = write_zip(photos / "all.zip", photos)
    assert names(find_sources([container])) == [
        str(container / "a/one.jpg"), "two", str(container / "b/one.jpg"), "three"
    ]  # fmt: skip
    assert find_sources([f"{container}/a/two.PNG"])[0].path == container / "a/two.PNG"
    assert names(find_sources([write_hdf5(photos / "x.hdf5", ["i", "j"])])) == ["i", "j"]
    with pytest.raises(DatasetNotFoundError, match="There is no image"):
        find_sources([container / "a/three.jpg"])
    (photos / "broken.zip").write_bytes(b"half a download")
    with pytest.raises(DatasetError, match=r"broken\.zip cannot be read"):
        find_sources([photos / "broken.zip"])


def test_an_image_that_a_list_names_and_that_is_gone_ends_nothing(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = write_zip(photos / "all.zip", photos)
    there, gone = str(photos / "a/one.jpg"), str(photos / "gone.jpg")
    lines = [there, gone, str(container / "a/gone.jpg"), str(photos / "a/two.PNG")]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    assert [str(each.path) for each in find_sources(["-"])] == lines
    for wrong in ([gone, there], [there, str(photos / "gone")], [there, "gone*.jpg"]):
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(wrong)))
        with pytest.raises(DatasetNotFoundError, match=r"There is no image.*gone"):
            find_sources(["-"])


def test_two_names_of_a_table_for_one_file_both_stay(photos: Path) -> None:
    file = str(photos / "a" / "one.jpg")
    table = pd.DataFrame({"image_id": ["x", "y", "one"], "path": [file] * 3})
    assert names(as_sources(table)) == ["x", "y", "one"]
    table.to_csv(photos / "table.csv", index=False)
    assert names(find_sources([photos / "table.csv", file])) == ["x", "y", "one"]
    assert names(find_sources([file, photos / "table.csv"])) == ["one", "x", "y"]


def test_what_is_no_ordinary_file_stays_in_and_is_never_opened(photos: Path) -> None:
    os.mkfifo(photos / "pipe.csv")
    os.mkfifo(photos / "pipe.zip")
    (photos / "loop.jpg").symlink_to("loop.jpg")
    (photos / "nowhere.jpg").symlink_to("gone.jpg")
    (photos / "zeros.hdf5").symlink_to("/dev/zero")
    odd = ["pipe.csv", "pipe.zip", "loop.jpg", "nowhere.jpg", "zeros.hdf5"]
    found = find_sources([photos / name for name in odd])
    assert [path.name for each in found if (path := each.path)] == odd


def test_a_name_with_the_signs_of_a_pattern_is_a_name(tmp_path: Path) -> None:
    for name in ("a[1].jpg", "a1.jpg"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    assert names(find_sources([tmp_path / "a[1].jpg"])) == ["a[1]"]
    assert names(find_sources([f"{tmp_path}/a*.jpg"])) == ["a1", "a[1]"]


def test_folders_that_are_called_like_images_are_searched_not_shown(photos: Path) -> None:
    (photos / "a" / "set.jpg").mkdir()
    Image.new("RGB", (4, 4)).save(photos / "a" / "set.jpg" / "inner.png")
    (photos / "a" / "back").symlink_to(photos / "a")
    assert names(find_sources([photos / "a"])) == ["one", "inner", "two"]


def test_a_name_that_is_no_text_is_spelled_out(tmp_path: Path) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.png"))
    try:
        Image.new("RGB", (4, 4)).save(strange)
    except OSError:
        pytest.skip("this disk takes only names in UTF-8")
    (source,) = find_sources([tmp_path])
    assert source.image_id == r"a\udcff"
    assert source.path == strange


def test_a_path_with_a_zero_byte_is_a_source_like_any_other() -> None:
    assert names(as_sources(["a\0b.jpg"])) == ["a\0b"]
