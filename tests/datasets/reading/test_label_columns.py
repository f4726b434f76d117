"""Several label columns in one table: who is believed, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.datasets import read_table
from lentigo.datasets.reading.columns import read_truth
from lentigo.errors import UnknownWordsError
from tests.datasets.reading.test_word_map import labels
from tests.fakes import fake_csv

CASES = Path(__file__).parents[2] / "cases"


def test_beside_a_diagnosis_malignant_is_not_melanoma() -> None:
    path = CASES / "03-malignant-beside-diagnosis" / "table.csv"
    table = read_table("csv", path)
    assert table.loc[table["melanoma"], "image_id"].tolist() == ["I0", "I7"]
    assert labels(table.assign(melanoma=table["malignant"])) == "11100011"
    notes = " ".join(table.attrs["notes"])
    assert "melanoma from diagnosis" in notes
    assert "3 images that benign_malignant calls malignant are no melanoma" in notes
    truth, sentence = read_truth(path)
    assert int(truth["melanoma"].sum()) == 2
    assert "melanoma is read from diagnosis (2 of 8)" in sentence


def test_a_malignant_lesion_without_a_diagnosis_has_no_label(tmp_path: Path) -> None:
    rows = ["image,dx,malignant", "a,mel,1", "b,,1", "c,,0", "d,nv,0"]
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert labels(table) == "1-00"
    assert any("no label" in note for note in table.attrs["notes"])
    named = read_table("csv", tmp_path, columns="melanoma=malignant")
    assert labels(named) == "1100"


def test_malignant_alone_means_melanoma_and_says_so(tmp_path: Path) -> None:
    rows = ["image,malignant", "a,malignant", "b,benign"]
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert labels(table) == "10"
    assert any("taken to mean melanoma" in note for note in table.attrs["notes"])


def test_a_target_that_counts_every_cancer_is_malignancy(tmp_path: Path) -> None:
    rows = ["image,dx,target", "a,mel,1", "b,bcc,1", "c,nv,0"]
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert labels(table) == "100"
    assert labels(read_table("csv", tmp_path, columns="melanoma=target")) == "110"


def test_a_label_is_believed_before_the_diagnosis_and_what_differs_is_counted(
    tmp_path: Path,
) -> None:
    rows = ["image,dx,target", "a,mel,1", "b,mel,0", "c,nv,1", "d,nv,0"]
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert labels(table) == "1010"
    (said,) = [note for note in table.attrs["notes"] if "contradicts" in note]
    assert "the column target for 2 images" in said
    assert "--column melanoma=dx" in said


def test_an_empty_label_is_read_from_the_diagnosis(tmp_path: Path) -> None:
    rows = ["image,dx,target", "a,Melanom,", "b,mel,1", "c,nv,0", "d,,"]
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert labels(table) == "110-"
    assert any("label is read from dx" in note for note in table.attrs["notes"])


def test_a_strange_diagnosis_is_refused_where_it_is_the_label(tmp_path: Path) -> None:
    rows = ["image,dx,target", "a,Melanomm,1", "b,what,0", "c,nv,0"]
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert labels(table) == "100"
    rows[1] = "a,Melanomm,"
    with pytest.raises(UnknownWordsError, match=r"column dx is not .* 'Melanomm' \(1\)"):
        read_table("csv", fake_csv(tmp_path, rows))


@pytest.mark.parametrize("ours", ["diagnosis", "malignant"])
def test_a_label_follows_from_a_column_that_was_named(tmp_path: Path, ours: str) -> None:
    word = "Melanom" if ours == "diagnosis" else "1"
    other = "NZN" if ours == "diagnosis" else "0"
    path = fake_csv(tmp_path, ["image,X", f"a,{word}", f"b,{other}"])
    assert labels(read_table("csv", path, columns={ours: "X"})) == "10"


def test_columns_are_known_in_other_languages(tmp_path: Path) -> None:
    rows = [
        "Bild,Patienten-ID,Geschlecht,Alter,Lokalisation,Diagnose",
        "a,7,w,40,Rücken,Melanom", "b,8,m,50,Unterschenkel,NZN",
    ]  # fmt: skip
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert labels(table) == "10"
    assert table["site"].tolist() == ["torso", "lower extremity"]
    assert table["sex"].tolist() == ["female", "male"]
    assert table["age"].tolist() == [40, 50]
