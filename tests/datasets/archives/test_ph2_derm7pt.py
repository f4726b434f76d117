from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.curation.groups import assign_groups
from lentigo.datasets import read_table
from lentigo.errors import ColumnError, DatasetNotFoundError
from tests.fakes import fake_derm7pt, fake_ph2, write_lines


def test_ph2_reads_its_table_between_bars(tmp_path: Path) -> None:
    table = read_table("ph2", fake_ph2(tmp_path))
    assert table["image_id"].tolist() == ["IMD003", "IMD009", "IMD058"]
    assert table["melanoma"].tolist() == [False, False, True]
    assert table["diagnosis"].tolist() == ["nevus", "nevus", "melanoma"]
    assert table["histology"].fillna("-").tolist() == ["-", "-", "Melanoma in situ"]
    assert list(table.loc[2, ["asymmetry", "pigment_network", "streaks"]]) == [
        "2", "AT", "P"
    ]  # fmt: skip
    assert table["colors"].tolist() == ["4", "3 4", "3 4 5 6"]
    assert table["path"].str.endswith("_Dermoscopic_Image/IMD003.bmp")[0]
    assert table["mask_path"].str.endswith("IMD058_lesion.bmp")[2]


def test_ph2_with_the_spreadsheet_alone_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "PH2_dataset.xlsx").write_bytes(b"")
    with pytest.raises(DatasetNotFoundError, match=r"not PH2_dataset\.txt"):
        read_table("ph2", tmp_path)


def test_ph2_rows_that_break_off_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "PH2_dataset.txt"
    path.write_text("|| IMD003 || || 0 || 0 | T | A || 4 ||\n")
    with pytest.raises(ColumnError, match="should have 6 criteria"):
        read_table("ph2", tmp_path)
    path.write_text("name,diagnosis\n")
    with pytest.raises(ColumnError, match="holds no row"):
        read_table("ph2", tmp_path)


def test_derm7pt_gives_two_images_a_lesion(tmp_path: Path) -> None:
    table = read_table("derm7pt", fake_derm7pt(tmp_path))
    assert table["modality"].value_counts().to_dict() == {"dermoscopy": 3, "clinical": 3}
    derm = table[table["modality"] == "dermoscopy"]
    assert derm["image_id"].tolist() == ["NEL/Nel026", "NEL/Nel028", "NEL/Nel029"]
    assert derm["diagnosis"].tolist() == [
        "basal cell carcinoma", "invasive melanoma", "nevus"
    ]  # fmt: skip
    assert derm["part"].tolist() == ["train", "valid", "test"]
    assert derm["site"].tolist() == ["torso", "lower extremity", "head/neck"]
    assert derm["lesion_id"].tolist() == ["1", "2", "3"]
    assert table["path"].notna().tolist() == [True, True, False, True, True, True]


def test_derm7pt_lesions_on_one_image_are_one_group(tmp_path: Path) -> None:
    table = read_table("derm7pt", fake_derm7pt(tmp_path), modality="clinical")
    assert table["image_id"].tolist() == ["NEL/NEL025", "NEL/NEL027", "NEL/NEL027#2"]
    groups = assign_groups(table)["group_id"]
    assert groups[1] == groups[2] != groups[0]


def test_derm7pt_parts(tmp_path: Path) -> None:
    root = fake_derm7pt(tmp_path)
    assert len(read_table("derm7pt", root, part="test")) == 2
    (root / "meta/test_indexes.csv").write_text("indexes\n3\n")
    with pytest.raises(ColumnError, match=r"rows of meta\.csv, 0 to 2"):
        read_table("derm7pt", root)


def test_miscellaneous_of_derm7pt_is_no_melanoma_and_elsewhere_says_nothing(
    tmp_path: Path,
) -> None:
    path = fake_derm7pt(tmp_path) / "meta/meta.csv"
    path.write_text(path.read_text().replace("clark nevus", "miscellaneous"))
    table = read_table("derm7pt", tmp_path)
    other = table[table["diagnosis"] == "miscellaneous lesion"]
    assert len(other) == 2
    assert other["melanoma"].tolist() == [False, False]
    assert other["malignant"].isna().all()
    write_lines(tmp_path / "x.csv", ["image,dx", "a,miscellaneous", "b,nevus"])
    elsewhere = read_table("csv", tmp_path / "x.csv", unknown="missing")
    assert elsewhere["melanoma"].isna().tolist() == [True, False]
