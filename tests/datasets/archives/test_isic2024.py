from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_table
from lentigo.errors import ColumnError
from tests.fakes import fake_isic2024, write_lines


def test_malignant_is_wider_than_melanoma(tmp_path: Path) -> None:
    table = read_table("isic2024", fake_isic2024(tmp_path))
    assert table["malignant"].tolist() == [False, True, True, pd.NA]
    assert table["melanoma"].tolist() == [False, True, False, pd.NA]
    assert table["diagnosis"].fillna("-").tolist() == [
        "-", "invasive melanoma", "nodular basal cell carcinoma",
        "indeterminate melanocytic lesion",
    ]  # fmt: skip
    assert table["patient_id"].nunique() == 3
    assert table["modality"].unique().tolist() == ["clinical"]
    assert table["path"].notna().tolist() == [True, True, True, False]


def test_the_test_part_is_unlabelled(tmp_path: Path) -> None:
    root = fake_isic2024(tmp_path)
    assert read_table("isic2024", root, part="test")["melanoma"].isna().all()
    assert len(read_table("isic2024", root, part="all")) == 5


def test_the_challenge_spreads_the_columns_over_three_tables(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "ISIC_2024_Training_GroundTruth.csv",
        ["isic_id,malignant", "ISIC_0015670,0.0", "ISIC_0015845,1.0"],
    )
    write_lines(
        tmp_path / "ISIC_2024_Training_Supplement.csv",
        ["isic_id,iddx_1,iddx_2,iddx_3", "ISIC_0015845,Malignant,x,Melanoma in situ"],
    )
    write_lines(
        tmp_path / "ISIC_2024_Training_Input/metadata.csv",
        ["isic_id,patient_id,age_approx", "ISIC_0015845,IP_8170065,60"],
    )
    table = read_table("isic2024", tmp_path)
    assert table["melanoma"].tolist() == [False, True]
    assert table["diagnosis"][1] == "melanoma in situ"
    assert table["patient_id"].fillna("-").tolist() == ["-", "IP_8170065"]


def test_a_training_table_without_a_label_is_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "train-metadata.csv", ["isic_id,sex", "ISIC_0015670,male"])
    with pytest.raises(ColumnError, match="no column target or malignant"):
        read_table("isic2024", tmp_path)
