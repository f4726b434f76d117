from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.errors import DatasetNotFoundError, UnknownNameError
from tests.fakes import fake_isic2017


def test_numbers_of_the_real_archive(shared: Path) -> None:
    read = read_archive("isic2017", shared / "data/isic2017")
    table = read.table
    assert len(table) == 2_150
    assert table["part"].value_counts().to_dict() == {"training": 2_000, "validation": 150}
    melanomas = table[table["melanoma"]]["part"].value_counts().to_dict()
    assert melanomas == {"training": 374, "validation": 30}
    assert table["diagnosis"].value_counts().to_dict() == {
        "nevus": 1_372 + 78,
        "melanoma": 404,
        "seborrheic keratosis": 254 + 42,
    }
    assert int(table["path"].isna().sum()) == 9
    assert list(read.notes) == [
        "9 of 2,150 images without a file: ISIC_0012175, ISIC_0012271, ISIC_0012887 and 6 "
        "more."
    ]


def test_several_parts_make_one_table(tmp_path: Path) -> None:
    root = fake_isic2017(tmp_path, parts=("Training", "Validation", "Test_v2"))
    table = read_table("isic2017", root)
    assert table.index.tolist() == list(range(len(table)))
    assert table["part"].tolist() == 3 * ["training"] + 3 * ["validation"] + 3 * ["test"]
    assert table["diagnosis"].tolist() == 3 * ["melanoma", "seborrheic keratosis", "nevus"]
    assert table["age"].tolist()[:1] == [55]
    assert pd.isna(table["age"][1])
    assert pd.isna(table["sex"][1])
    assert not table["path"].str.contains("superpixels").any()
    assert read_table("isic2017", root, part="test")["part"].unique().tolist() == ["test"]


def test_without_metadata_age_and_sex_are_missing(tmp_path: Path) -> None:
    root = fake_isic2017(tmp_path, parts=("Validation",))
    (root / "ISIC-2017_Validation_Data_metadata.csv").unlink()
    read = read_archive("isic2017", root)
    table = read.table
    assert table[["age", "sex"]].isna().all(axis=None)
    assert list(read.notes) == [
        "There is no metadata file for the validation part: no age and sex."
    ]


def test_wrong_folder_and_part(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="ISIC-2017_Training_Part3_GroundTruth"):
        read_table("isic2017", tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean validation"):
        read_table("isic2017", tmp_path, part="valid")
