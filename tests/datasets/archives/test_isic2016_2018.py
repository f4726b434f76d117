from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.errors import ColumnError
from tests.fakes import fake_isic2016, fake_isic2018


def test_isic2016_reads_words_and_numbers_without_a_header(tmp_path: Path) -> None:
    read = read_archive("isic2016", fake_isic2016(tmp_path))
    table = read.table
    assert table["part"].tolist() == 2 * ["training"] + 2 * ["test"]
    assert table["melanoma"].tolist() == [False, True, False, True]
    assert table["diagnosis"].fillna("-").tolist() == ["-", "melanoma", "-", "melanoma"]
    assert table["path"].notna().all()
    assert list(read.notes) == []
    assert len(read_table("isic2016", tmp_path, part="test")) == 2


def test_isic2016_with_a_header_is_read_alike(tmp_path: Path) -> None:
    root = fake_isic2016(tmp_path)
    path = root / "ISBI2016_ISIC_Part3_Test_GroundTruth.csv"
    path.write_text("image,target\n" + path.read_text())
    assert len(read_table("isic2016", root, part="test")) == 2


def test_isic2016_with_another_number_of_columns_is_refused(tmp_path: Path) -> None:
    root = fake_isic2016(tmp_path)
    path = root / "ISBI2016_ISIC_Part3_Test_GroundTruth.csv"
    path.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(ColumnError, match="should hold two columns"):
        read_table("isic2016", root)


def test_isic2018_knows_seven_classes_and_the_lesions_of_its_training_part(
    tmp_path: Path,
) -> None:
    table = read_table("isic2018", fake_isic2018(tmp_path))
    assert table["diagnosis"].tolist() == [
        "melanoma",
        "nevus",
        "basal cell carcinoma",
        "actinic keratosis or carcinoma in situ",
        "benign keratosis",
        "dermatofibroma",
        "vascular lesion",
        "nevus",
    ]
    assert table["malignant"].tolist()[:4] == [True, False, True, pd.NA]
    assert table["lesion_id"].tolist()[:2] == 2 * ["HAM_0000001"]
    assert table["lesion_id"].isna().sum() == 6
    assert table["diagnosis_confirm_type"][0] == "histopathology"
    assert table["path"].notna().all()


def test_isic2018_without_groupings_names_no_lesion(tmp_path: Path) -> None:
    root = fake_isic2018(tmp_path)
    (root / "ISIC2018_Task3_Training_LesionGroupings.csv").unlink()
    assert read_table("isic2018", root)["lesion_id"].isna().all()
