from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.datasets import read_archive, read_table
from tests.fakes import fake_isic_archive, write_lines


def test_the_deepest_known_level_is_the_diagnosis(tmp_path: Path) -> None:
    read = read_archive("isic_archive", fake_isic_archive(tmp_path), unknown="missing")
    table = read.table
    assert table["diagnosis"].fillna("-").tolist() == [
        "compound nevus", "melanoma in situ", "-", "Malignant wonders",
        "actinic keratosis", "-",
    ]  # fmt: skip
    assert table["melanoma"].tolist() == [False, True, False, pd.NA, False, pd.NA]
    assert table["malignant"].tolist() == [False, True, False, True, False, pd.NA]
    assert "'Malignant wonders' (1)" in " ".join(read.notes)


def test_what_the_archive_knows_of_an_image_is_carried_along(tmp_path: Path) -> None:
    table = read_table("isic_archive", fake_isic_archive(tmp_path), unknown="missing")
    assert table["modality"].tolist() == [
        "dermoscopy", "clinical", "clinical", "dermoscopy", "dermoscopy", "confocal"
    ]  # fmt: skip
    assert list(table.loc[0, ["width", "height", "skin_type"]]) == [4288, 2848, 2]
    assert table["patient_id"].tolist()[:2] == 2 * ["IP_0000001"]
    assert table["copyright_license"][1] == "CC-BY"
    assert table["site"].tolist()[:2] == ["torso", "head/neck"]
    assert table["path"].notna().all()


def test_older_downloads_have_one_word_and_a_label(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "metadata.csv",
        [
            "isic_id,benign_malignant,diagnosis,age_approx",
            "ISIC_0000001,benign,pigmented benign keratosis,50",
            "ISIC_0000002,malignant,,50",
            "ISIC_0000003,indeterminate/benign,,50",
            "ISIC_0000004,malignant,nevus,50",
        ],
    )
    read = read_archive("isic_archive", tmp_path)
    table = read.table
    assert table["diagnosis"].fillna("-").tolist() == [
        "benign keratosis",
        "-",
        "-",
        "nevus",
    ]
    assert table["malignant"].tolist() == [False, True, pd.NA, False]
    assert table["melanoma"].tolist() == [False, pd.NA, pd.NA, False]
    assert "For 1 image the archive's own word" in " ".join(read.notes)


def test_columns_may_be_written_in_any_case(tmp_path: Path) -> None:
    write_lines(tmp_path / "metadata.csv", ["ISIC_ID,Sex", "ISIC_0000001,Female"])
    table = read_table("isic_archive", tmp_path)
    assert list(table.loc[0, ["image_id", "sex"]]) == ["ISIC_0000001", "female"]


def test_a_site_in_levels(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "metadata.csv",
        [
            "isic_id,anatom_site_1,anatom_site_2,anatom_site_3",
            "ISIC_0000001,Trunk,Anterior trunk,Anterior chest",
            "ISIC_0000002,Lower extremity,Foot,Sole of foot",
            "ISIC_0000003,Head and neck,Head,Mouth",
            "ISIC_0000004,Anogenital region,,",
            "ISIC_0000005,,,",
        ],
    )
    table = read_table("isic_archive", tmp_path)
    assert table["site"].fillna("-").tolist() == [
        "torso", "palms/soles", "oral/genital", "oral/genital", "-"
    ]  # fmt: skip
    assert table["site_detail"].fillna("-").tolist() == [
        "anterior chest", "sole of foot", "mouth", "anogenital region", "-"
    ]  # fmt: skip
