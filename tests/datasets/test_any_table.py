"""A table to look at keeps the words that a lesion table would refuse."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets.any_table import read_any
from lentigo.errors import ColumnError, UnknownWordsError
from lentigo.tables import check_table, write_table
from tests.fakes import fake_siim2020


def test_a_csv_keeps_its_words_and_its_sizes(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "image,sex,body_site,target,width,height\n"
        "a,f,Knee cap,0,600,450\nb,other sex,back,1,600,-1\nc,,unknown,0,,\n"
    )
    read = read_any(tmp_path / "t.csv", own_words=True)
    table = read.table
    assert table["sex"].fillna("").tolist() == ["female", "other sex", ""]
    assert table["site"].fillna("").tolist() == ["Knee cap", "torso", ""]
    assert table["width"].fillna(0).tolist() == [600, 600, 0]
    assert table["height"].fillna(0).tolist() == [450, 0, 0]
    assert any("site keeps the table's word" in note for note in read.notes)


def test_a_lesion_table_with_other_sites_is_read_too(tmp_path: Path) -> None:
    table = check_table(pd.DataFrame({"image_id": ["a", "b"]}), source="t")
    table["site"] = pd.Series(["torso", "knee"], dtype="string")
    write_table(table, tmp_path / "t.parquet")
    read = read_any(tmp_path / "t.parquet", own_words=True).table
    assert read["site"].tolist() == ["torso", "knee"]


def test_the_folder_of_an_archive_is_read_by_its_reader(tmp_path: Path) -> None:
    table = read_any(fake_siim2020(tmp_path), own_words=True).table
    assert len(table) == 6
    assert set(table["dataset"]) == {"siim2020"}


def test_a_table_without_images_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sex,target\nf,0\n")
    with pytest.raises(ColumnError, match="name of an image"):
        read_any(tmp_path / "t.csv", own_words=True)


@pytest.mark.parametrize("strange", [9, 2, -1])
def test_a_number_that_is_no_label_is_no_melanoma(strange: int) -> None:
    frame = pd.DataFrame({"image_id": ["a", "b", "c"], "melanoma": [1, 0, strange]})
    frame["melanoma"] = frame["melanoma"].astype("Int64")
    with pytest.raises(UnknownWordsError, match=rf"'{strange}' \(1\)"):
        read_any(frame)
    with pytest.raises(ColumnError, match="melanoma should be yes or no"):
        check_table(frame, source="t")
    with pytest.raises(ColumnError, match="malignant should be yes or no"):
        check_table(frame.rename(columns={"melanoma": "malignant"}), source="t")


def test_nullable_0_and_1_are_labels_and_the_empty_one_is_none() -> None:
    label = pd.array([1.0, 0.0, pd.NA], dtype="Float64")
    frame = pd.DataFrame({"image_id": ["a", "b", "c"], "melanoma": label})
    assert read_any(frame).table["melanoma"].fillna(False).tolist() == [True, False, False]
