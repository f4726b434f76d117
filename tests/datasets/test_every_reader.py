"""What may be wrong with an archive on disk, for each reader that reads a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from lentigo.datasets import guess_format, read_table
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError
from tests import fakes


class Archive(NamedTuple):
    fake: Callable[[Path], Path]
    table: str
    """The table that names the images."""
    key: str
    """The column of it without which nothing can be read."""
    words: str
    """A column whose unknown words must be named."""


ARCHIVES = {
    "isic2018": Archive(
        fakes.fake_isic2018,
        "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv",
        "image",
        "",
    ),
    "isic2019": Archive(
        fakes.fake_isic2019, "ISIC_2019_Training_GroundTruth.csv", "image", ""
    ),
    "isic2024": Archive(fakes.fake_isic2024, "train-metadata.csv", "isic_id", "sex"),
    "isic_archive": Archive(fakes.fake_isic_archive, "metadata.csv", "isic_id", "sex"),
    "bcn20000": Archive(
        fakes.fake_bcn20000, "bcn_20k_train.csv", "bcn_filename", "diagnosis"
    ),
    "milk10k": Archive(
        fakes.fake_milk10k, "MILK10k_Training_Metadata.csv", "isic_id", "site"
    ),
    "pad_ufes20": Archive(fakes.fake_pad_ufes20, "metadata.csv", "img_id", "diagnostic"),
    "derm7pt": Archive(fakes.fake_derm7pt, "meta/meta.csv", "derm", "diagnosis"),
    "fitzpatrick17k": Archive(
        fakes.fake_fitzpatrick17k, "fitzpatrick17k.csv", "md5hash", "label"
    ),
    "ddi": Archive(fakes.fake_ddi, "ddi_metadata.csv", "ddi_file", "disease"),
}
ALL = {**{name: row.fake for name, row in ARCHIVES.items()}, "ph2": fakes.fake_ph2,
       "isic2016": fakes.fake_isic2016}  # fmt: skip


@pytest.fixture(params=ARCHIVES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def changed(name: str, root: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """The made-up archive with its table `change`d."""
    path = ARCHIVES[name].fake(root) / ARCHIVES[name].table
    table = pd.read_csv(path, dtype="string")
    change(table.rename(columns=str.lower)).to_csv(path, index=False)
    return root


@pytest.mark.parametrize("name", ALL)
def test_the_archive_is_recognised_by_its_files(name: str, tmp_path: Path) -> None:
    assert guess_format(ALL[name](tmp_path)) == name


@pytest.mark.parametrize("name", ALL)
def test_a_folder_that_is_not_there_or_holds_no_table(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        read_table(name, tmp_path / "absent")
    with pytest.raises(
        DatasetNotFoundError, match=r"does not look like .* It holds nothing"
    ):
        read_table(name, tmp_path)


def test_a_missing_column_is_named_with_the_nearest(name: str, tmp_path: Path) -> None:
    key = ARCHIVES[name].key
    root = changed(name, tmp_path, lambda table: table.rename(columns={key: f"{key}x"}))
    with pytest.raises(ColumnError, match=rf"no column {key}. Did you mean .*{key}x"):
        read_table(name, root)


def test_a_further_column_does_no_harm(name: str, tmp_path: Path) -> None:
    before = read_table(name, ARCHIVES[name].fake(tmp_path / "a"))
    after = read_table(
        name, changed(name, tmp_path / "b", lambda table: table.assign(shoe_size="42"))
    )
    pd.testing.assert_frame_equal(
        before.drop(columns=["path"]), after.drop(columns=["path"])
    )


def test_an_empty_table_and_one_without_rows(name: str, tmp_path: Path) -> None:
    root = changed(name, tmp_path, lambda table: table.iloc[:0])
    for path in root.rglob("*"):
        if "est" in path.name and path.suffix == ".csv":
            path.unlink()  # leave the one part that is broken
    with pytest.raises(DatasetError, match=r"not one row|no row"):
        read_table(name, root)
    (root / ARCHIVES[name].table).write_text("")
    with pytest.raises(DatasetError, match="is empty"):
        read_table(name, root)


def test_an_image_that_comes_twice(name: str, tmp_path: Path) -> None:
    root = changed(name, tmp_path, lambda table: pd.concat([table, table.head(1)]))
    if name == "derm7pt":  # two lesions on one image are not unheard of there
        assert read_table(name, root)["duplicate_of"].notna().any()
        return
    with pytest.raises(ColumnError, match="names each image once"):
        read_table(name, root)


def test_words_that_nobody_knows_are_named(name: str, tmp_path: Path) -> None:
    column = ARCHIVES[name].words
    if not column:
        return  # its diagnoses are columns of 0 and 1
    root = changed(name, tmp_path, lambda table: table.assign(**{column: "wonder"}))
    table = read_table(name, root)
    assert "'wonder'" in " ".join(table.attrs["notes"])
