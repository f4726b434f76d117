from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from lentigo.config import ImagingConfig
from lentigo.datasets import FORMATS, guess_format, read_archive, read_table
from lentigo.datasets.any_table import read_any
from lentigo.datasets.reading import zipped
from lentigo.datasets.reading.word_map import understood
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.store.build import build_store
from tests import fakes
from tests.datasets.archives.test_every_reader import ARCHIVES

PATHS = ("path", "mask_path")


def without_paths(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=[*PATHS, "dataset"], errors="ignore")


@pytest.mark.parametrize("name", FORMATS)
def test_each_archive_is_read_out_of_a_zip(name: str, tmp_path: Path) -> None:
    root = ARCHIVES[name].fake(tmp_path / "folder")
    containers = {
        below: fakes.write_zip(tmp_path / f"download{len(below)}.zip", root, below=below)
        for below in ("", "Archive 1.0/data")
    }
    if name == "isic2024":
        # A container inside a zip is not looked into, and one image is in no other place.
        (root / "train-image.hdf5").unlink()
    # The fake of the ISIC Archive has a word that nobody knows.
    loose = read_table(name, root, unknown="missing")
    for below, container in containers.items():
        assert_read_out(name, container, loose)
        if not (name == "dicom" and below):  # images alone say little from two folders down
            assert guess_format(container) == name


def assert_read_out(name: str, container: Path, loose: pd.DataFrame) -> None:
    """The zip holds what the folder, read as `loose`, does."""
    read = read_archive(name, container, unknown="missing")
    inside = read.table
    pd.testing.assert_frame_equal(without_paths(inside), without_paths(loose))
    for column in set(PATHS) & set(loose):
        assert inside[column].isna().tolist() == loose[column].isna().tolist()
        for mine, theirs in zip(inside[column], loose[column], strict=True):
            if pd.notna(mine):
                assert packed.read_bytes(mine) == Path(theirs).read_bytes()
                assert str(mine).startswith(str(container))
    assert f"{container} was read as it is" in read.notes[0]
    assert "/lentigo-" not in " ".join(read.notes)  # the temporary folder


ZIPPED = {
    "isic2019": ("ISIC_2019_Training_Input", "ISIC_2019_Test_Input"),
    "isic2017": ("ISIC-2017_Training_Data", "ISIC-2017_Validation_Data"),
    "ham10000": (
        "HAM10000_images_part_1",
        "HAM10000_images_part_2",
        "HAM10000_segmentations_lesion_tschandl",
    ),
    "isic2018": (
        "ISIC2018_Task3_Training_Input",
        "ISIC2018_Task3_Test_Input",
        "ISIC2018_Task3_Training_GroundTruth",
        "ISIC2018_Task3_Test_GroundTruth",
    ),
    "pad_ufes20": ("imgs_part_1", "imgs_part_3"),
}


@pytest.mark.parametrize("name", ZIPPED)
def test_folders_that_are_left_zipped_as_they_are_shipped(
    name: str, tmp_path: Path
) -> None:
    loose = read_table(name, ARCHIVES[name].fake(tmp_path / "a"))
    for flat in (False, True):
        assert_left_zipped(
            name, ARCHIVES[name].fake(tmp_path / f"flat {flat}"), loose, flat
        )


def assert_left_zipped(name: str, root: Path, loose: pd.DataFrame, flat: bool) -> None:
    """Its folders, each in a zip beside the table, hold what was read as `loose`."""
    for folder in ZIPPED[name]:
        below = "" if flat else folder
        fakes.write_zip(root / f"{folder}.zip", root / folder, below=below)
        for path in (root / folder).iterdir():
            path.unlink()
        (root / folder).rmdir()
    read = read_archive(name, root)
    inside = read.table
    pd.testing.assert_frame_equal(without_paths(inside), without_paths(loose))
    for column in set(PATHS) & set(loose):
        for mine, theirs in zip(inside[column], loose[column], strict=True):
            assert pd.isna(mine) == pd.isna(theirs)
            assert pd.isna(mine) or packed.read_bytes(mine) == Path(theirs).read_bytes()
    notes = " ".join(read.notes)
    assert f"read out of {root / ZIPPED[name][0]}.zip, where they lie packed." in notes
    assert guess_format(root) == name


def test_files_win_over_packed_ones(tmp_path: Path) -> None:
    root = fakes.fake_isic2017(tmp_path)
    fakes.write_zip(root / "backup.zip", root)
    read = read_archive("isic2017", root)
    assert not read.table["path"].map(packed.is_there).any()
    assert "packed" not in " ".join(read.notes)
    (root / "ISIC-2017_Training_Data/ISIC_0001001.jpg").unlink()
    table = read_table("isic2017", root).set_index("image_id")
    place = root / "backup.zip/ISIC-2017_Training_Data/ISIC_0001001.jpg"
    assert table.loc["ISIC_0001001", "path"] == str(place)
    assert int(table["path"].map(packed.is_there).sum()) == 1


def test_a_broken_zip_beside_the_table_is_told_where_an_image_is_missing(
    tmp_path: Path,
) -> None:
    root = fakes.fake_isic2017(tmp_path)
    (root / "ISIC-2017_Test_v2_Data.zip").write_bytes(b"half a download")
    assert "cannot be read" not in " ".join(read_archive("isic2017", root).notes)
    (root / "ISIC-2017_Training_Data/ISIC_0001001.jpg").unlink()
    notes = read_archive("isic2017", root).notes
    assert "ISIC-2017_Test_v2_Data.zip cannot be read" in notes[0]
    assert notes[1] == "1 of 6 images without a file: ISIC_0001001."


def test_slice_3d_is_read_with_its_hdf5_files(tmp_path: Path) -> None:
    root = fakes.fake_isic2024(tmp_path)
    read = read_archive("isic2024", root, part="all")
    table = read.table.set_index("image_id")
    assert table["path"].fillna("-").str.removeprefix(str(root)).to_dict() == {
        "ISIC_0015670": "/train-image/image/ISIC_0015670.jpg",  # the file wins
        "ISIC_0015845": "/train-image/image/ISIC_0015845.jpg",
        "ISIC_0015864": "/train-image.hdf5/ISIC_0015864",
        "ISIC_0015902": "-",
        "ISIC_0015657": "/test-image.hdf5/ISIC_0015657",
    }
    assert read_image(str(table.loc["ISIC_0015657", "path"])).shape == (16, 24, 3)
    notes = " ".join(read.notes)
    assert f"1 image read out of {root / 'train-image.hdf5'}" in notes
    store = build_store(
        table.reset_index(), tmp_path / "store", config=ImagingConfig(size=32, workers=1)
    )
    assert store.index["error"].fillna("-").tolist() == ["-", "-", "-", "no file", "-"]


def test_images_of_a_table_may_lie_in_a_zip_elsewhere(tmp_path: Path) -> None:
    path = fakes.fake_csv(tmp_path / "tables", ["image,target", "a,0", "b.jpg,1"])
    fakes.draw_image(tmp_path / "pictures/deep/a.jpg", seed=1)
    container = fakes.write_zip(tmp_path / "p.zip", tmp_path / "pictures")
    table = read_table("csv", path, image_dir=container)
    assert table["path"].fillna("-").tolist() == [str(container / "deep/a.jpg"), "-"]
    images = fakes.write_hdf5(tmp_path / "p.hdf5", ["a", "b"])
    table = read_table("csv", path, image_dir=images)
    assert table["path"].tolist() == [str(images / "a"), str(images / "b")]


def test_what_may_be_wrong_with_a_zip(tmp_path: Path) -> None:
    root = fakes.fake_ham10000(tmp_path / "folder")
    container = fakes.write_zip(tmp_path / "a.zip", root)
    with pytest.raises(DatasetNotFoundError, match=r"a.zip does not look like PAD-UFES-20"):
        read_table("pad_ufes20", container)
    (root / "HAM10000_metadata.csv").write_text("lesion_id,image_id\n1,2\n")
    fakes.write_zip(container, root)
    with pytest.raises(ColumnError, match=r"a.zip/HAM10000_metadata.csv has no column dx"):
        read_table("ham10000", container)
    container.write_bytes(container.read_bytes()[:-400])
    with pytest.raises(DatasetError, match=r"a.zip cannot be read: File is not a zip"):
        read_table("ham10000", container)
    with pytest.raises(DatasetError, match=r"a.zip cannot be read"):
        guess_format(container)


def test_tables_that_would_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = fakes.write_zip(tmp_path / "a.zip", fakes.fake_ham10000(tmp_path / "a"))
    monkeypatch.setattr(zipped, "LARGEST", 100)
    with pytest.raises(DatasetError, match="take more than 100 bytes"):
        read_table("ham10000", container)
    monkeypatch.setattr(zipped, "MANY", 2)
    with pytest.raises(DatasetError, match=r"1 table in 4 folders, too many"):
        read_table("ham10000", container)


def test_no_name_leads_out_of_the_temporary_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in ("../evil.csv", "/tmp/lentigo-evil.csv", "..\\evil.csv", "good.csv"):
            file.writestr(name, "image,target\na,0\n")
        file.writestr("__MACOSX/._good.csv", "image,target\nx,0\n")
    assert read_table("csv", tmp_path / "a.zip")["image_id"].tolist() == ["a"]
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/lentigo-evil.csv").exists()


def test_a_zip_may_be_looked_at(tmp_path: Path) -> None:
    root = fakes.fake_isic_archive(tmp_path / "ISIC-images")
    fakes.write_lines(root / "attribution.txt", ["who"])
    container = fakes.write_zip(tmp_path / "a.zip", root, below="ISIC-images")
    assert guess_format(container) == "isic_archive"
    with understood(unknown="missing"):
        assert len(read_any(container, own_words=True).table) == 6


def test_a_real_download(shared: Path, tmp_path: Path) -> None:
    root = shared / "data/isic2017"
    images = sorted((root / "ISIC-2017_Training_Data").glob("*.jpg"))[:20]
    names = [str(p.relative_to(root)) for p in [*images, *sorted(root.glob("*.csv"))]]
    container = fakes.write_zip(tmp_path / "a.zip", root, below="isic2017", names=names)
    table, loose = read_table("isic2017", container), read_table("isic2017", root)
    pd.testing.assert_frame_equal(without_paths(table), without_paths(loose))
    assert int(table["path"].notna().sum()) == 20
    small = ImagingConfig(size=32, workers=1)
    there = table["path"].notna()
    one = build_store(table[there], tmp_path / "one", config=small)
    two = build_store(loose[there], tmp_path / "two", config=small)
    assert one.index["error"].isna().all()
    assert one.digest == two.digest
