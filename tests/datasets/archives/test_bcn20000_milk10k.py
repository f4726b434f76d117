from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.errors import ColumnError
from tests.fakes import fake_bcn20000, fake_isic_archive, fake_milk10k


def test_bcn20000_as_the_paper_released_it(tmp_path: Path) -> None:
    table = read_table("bcn20000", fake_bcn20000(tmp_path))
    assert table["part"].tolist() == 3 * ["train"] + ["test"]
    assert table["image_id"][0] == "BCN_0000000001"
    assert table["diagnosis"].fillna("-").tolist() == ["melanoma", "melanoma", "scar", "-"]
    assert table["malignant"].tolist() == [True, True, False, pd.NA]
    assert table["lesion_id"].tolist()[:3] == ["BCN_0003884", "BCN_0003884", "BCN_0000021"]
    assert table["path"].notna().all()


def test_bcn20000_from_the_archive(tmp_path: Path) -> None:
    root = fake_isic_archive(tmp_path, table="bcn20000_metadata_2025-10-21.csv")
    table = read_table("bcn20000", root, unknown="missing")
    assert len(table) == 6
    assert table["dataset"].unique().tolist() == ["bcn20000"]
    assert table["diagnosis"][1] == "melanoma in situ"


def test_milk10k_gives_two_images_of_a_lesion_one_diagnosis(tmp_path: Path) -> None:
    read = read_archive("milk10k", fake_milk10k(tmp_path))
    table = read.table
    assert table["diagnosis"].fillna("-").tolist() == [
        "lentigo maligna", "lentigo maligna", "inflammatory or other condition",
        "inflammatory or other condition", "-",
    ]  # fmt: skip
    assert table["modality"].tolist() == ["clinical", "dermoscopy"] * 2 + ["dermoscopy"]
    assert table["site"].tolist() == [
        "head/neck", "head/neck", "lower extremity", "lower extremity", "torso"
    ]  # fmt: skip
    assert table["skin_type"].isna().all()
    assert table["skin_tone_class"].tolist() == ["3", "3", "5", "5", "2"]
    notes = " ".join(read.notes)
    assert "no truth file for the test part" in notes
    assert "3 of 5 images without a file" in notes


def test_milk10k_by_modality_and_part(tmp_path: Path) -> None:
    root = fake_milk10k(tmp_path)
    table = read_table("milk10k", root, part="training", modality="dermoscopy")
    assert table["image_id"].tolist() == ["ISIC_8149219", "ISIC_6671212"]


def test_milk10k_takes_the_class_where_the_finer_diagnosis_contradicts_it(
    tmp_path: Path,
) -> None:
    root = fake_milk10k(tmp_path)
    path = root / "MILK10k_Training_Supplement.csv"
    path.write_text("isic_id,diagnosis_full\nISIC_4671410,Benign:x:Nevus\n")
    read = read_archive("milk10k", root)
    table = read.table
    assert table["diagnosis"].tolist()[:2] == 2 * ["melanoma"]
    assert "For 1 image the finer diagnosis contradicts" in " ".join(read.notes)


def test_a_lesion_with_two_truths_is_not_read_by_the_last(tmp_path: Path) -> None:
    root = fake_milk10k(tmp_path)
    path = root / "MILK10k_Training_GroundTruth.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]))
    assert len(read_table("milk10k", root)) == 5
    other = lines[1].split(",")
    moved = [other[0], *other[2:], other[1]]
    path.write_text("\n".join([*lines, ",".join(moved)]))
    with pytest.raises(ColumnError, match=f"they differ: {other[0]}"):
        read_table("milk10k", root)
