from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets import read_archive, read_table
from tests.fakes import fake_isic2019


def test_numbers_of_the_real_tables(shared: Path) -> None:
    table = read_table("isic2019", shared / "data/isic2019")
    assert table["part"].value_counts().to_dict() == {"training": 22_734, "test": 8_238}
    melanomas = table[table["melanoma"]]["part"].value_counts().to_dict()
    assert melanomas == {"training": 4_183, "test": 1_327}
    assert table["melanoma"].notna().all()
    assert table["diagnosis"].value_counts().to_dict() == {
        "nevus": 11_146 + 2_495,
        "melanoma": 4_183 + 1_327,
        "basal cell carcinoma": 3_220 + 975,
        "benign keratosis": 2_314 + 660,
        "actinic keratosis": 853 + 374,
        "squamous cell carcinoma": 576 + 165,
        "vascular lesion": 225 + 104,
        "dermatofibroma": 217 + 91,
    }
    assert int(table["diagnosis"].isna().sum()) == 2_047  # the class UNK of the test
    assert int(table["age"].isna().sum()) == 383 + 326
    assert table["site"].value_counts()["torso"] == 6_559 + 2_244 + 35 + 2_478 + 312
    training = table[table["part"] == "training"]
    assert int(training["lesion_id"].isna().sum()) == 1_639


def test_none_of_the_others_is_no_melanoma_and_else_open(tmp_path: Path) -> None:
    table = read_table("isic2019", fake_isic2019(tmp_path), part="test")
    assert table["melanoma"].tolist() == [False, True, False]
    assert table["malignant"].tolist() == [pd.NA, True, False]
    assert table["diagnosis"].fillna("-").tolist() == ["-", "melanoma", "nevus"]


def test_both_parts_with_patients_where_the_metadata_names_them(tmp_path: Path) -> None:
    table = read_table("isic2019", fake_isic2019(tmp_path))
    assert table["part"].tolist() == 3 * ["training"] + 3 * ["test"]
    assert table["lesion_id"].fillna("-").tolist()[:3] == [
        "-", "MSK4_0011169", "HAM_0000001"
    ]  # fmt: skip
    assert table["site"].fillna("-").tolist() == [
        "torso", "torso", "head/neck", "-", "-", "-"
    ]  # fmt: skip
    assert table["path"].notna().tolist() == [True, True, False, False, True, False]
    assert table["malignant"].tolist()[2] is True  # squamous cell carcinoma


def test_tables_may_lie_in_folders_and_the_metadata_may_be_absent(tmp_path: Path) -> None:
    root = fake_isic2019(tmp_path)
    below = root / "tables"
    below.mkdir()
    name = "ISIC_2019_Training_GroundTruth.csv"
    (root / name).rename(below / name)
    (root / "ISIC_2019_Training_Metadata.csv").unlink()
    read = read_archive("isic2019", root, part="training")
    table = read.table
    assert len(table) == 3
    assert table[["age", "sex", "site", "lesion_id"]].isna().all(axis=None)
    assert "no metadata file for the training part" in read.notes[0]


def test_rows_of_no_or_two_classes_are_unlabelled_and_counted(tmp_path: Path) -> None:
    root = fake_isic2019(tmp_path)
    path = root / "ISIC_2019_Test_GroundTruth.csv"
    path.write_text(path.read_text().replace("322,1,0", "322,1,1"))
    read = read_archive("isic2019", root, part="test")
    table = read.table
    assert table["melanoma"].isna().tolist() == [False, True, False]
    assert "diagnosis is missing for 1 row" in " ".join(read.notes)
