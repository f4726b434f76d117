"""Several label columns in one table: who is believed, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.datasets.any_table import read_any
from lentigo.datasets.reading.columns import read_truth
from lentigo.datasets.reading.label_columns import read_labels
from lentigo.errors import ColumnError, ConfigError, UnknownWordsError
from lentigo.tables import write_table
from tests.datasets.reading.test_word_map import labels
from tests.fakes import fake_csv, fake_siim2020

CASES = Path(__file__).parents[2] / "cases"


def test_beside_a_diagnosis_malignant_is_not_melanoma() -> None:
    path = CASES / "03-malignant-beside-diagnosis" / "table.csv"
    read = read_archive("csv", path)
    table = read.table
    assert table.loc[table["melanoma"], "image_id"].tolist() == ["I0", "I7"]
    assert labels(table.assign(melanoma=table["malignant"])) == "11100011"
    notes = " ".join(read.notes)
    assert "melanoma from diagnosis" in notes
    assert "3 images that benign_malignant calls malignant are no melanoma" in notes
    truth, sentence = read_truth(path)
    assert int(truth["melanoma"].sum()) == 2
    assert "melanoma is read from diagnosis (2 of 8)" in sentence


def test_a_malignant_lesion_without_a_diagnosis_has_no_label(tmp_path: Path) -> None:
    rows = ["image,dx,malignant", "a,mel,1", "b,,1", "c,,0", "d,nv,0"]
    read = read_archive("csv", fake_csv(tmp_path, rows))
    table = read.table
    assert labels(table) == "1-00"
    assert any("no label" in note for note in read.notes)
    named = read_table("csv", tmp_path, columns="melanoma=malignant")
    assert labels(named) == "1100"


@pytest.mark.parametrize("words", [("malignant", "benign"), ("1", "0"), ("yes", "no")])
def test_malignant_alone_means_melanoma_and_says_so(
    tmp_path: Path, words: tuple[str, str]
) -> None:
    rows = ["image,malignant", f"a,{words[0]}", f"b,{words[1]}"]
    read = read_archive("csv", fake_csv(tmp_path, rows))
    table = read.table
    assert labels(table) == "10"
    assert any("taken to mean melanoma" in note for note in read.notes)


def test_a_target_that_counts_every_cancer_is_malignancy(tmp_path: Path) -> None:
    rows = ["image,dx,target", "a,mel,1", "b,bcc,1", "c,nv,0"]
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert labels(table) == "100"
    assert labels(read_table("csv", tmp_path, columns="melanoma=target")) == "110"


_AT_ODDS = {
    "melanoma beside a nevus": (["image,dx,melanoma", "a,mel,1", "b,nv,1"], "melanoma"),
    "a melanoma not called so": (["image,dx,target", "a,mel,1", "b,mel,0"], "target"),
    "a benign melanoma": (["image,dx,malignant", "a,mel,1", "b,mel,0"], "malignant"),
    "a malignant nevus": (["image,dx,malignant", "a,mel,1", "b,nv,1"], "malignant"),
    "cancers and a nevus": (["image,dx,target", "a,bcc,1", "b,nv,1"], "target"),
    "melanoma beside benign": (
        ["image,benign_malignant,melanoma", "a,malignant,1", "b,benign,1"], "melanoma",
    ),
    "benign beside truth": (["image,ground_truth,label", "a,1,1", "b,1,0"], "label"),
    "another language": (["image,label,Melanom", "a,1,1", "b,0,1"], "Melanom"),
    "beside a strange word": (["image,target,melanoma", "a,x,1", "b,1,0"], "melanoma"),
    "benign beside target": (["image,mel,target", "a,1,1", "b,1,0"], "target"),
}  # fmt: skip


@pytest.mark.parametrize("case", _AT_ODDS)
def test_columns_that_contradict_each_other_are_refused_until_one_is_named(
    tmp_path: Path, case: str
) -> None:
    rows, name = _AT_ODDS[case]
    path = fake_csv(tmp_path, rows)
    with pytest.raises(ColumnError, match=r"contradict each other .*\bb \(") as refused:
        read_table("csv", path)
    assert f"--column melanoma={name}" in str(refused.value)
    named = read_table("csv", path, columns={"melanoma": name})
    assert labels(named)[1] == rows[2].rpartition(",")[2]


def test_the_first_three_images_of_a_contradiction_are_named(tmp_path: Path) -> None:
    rows = ["image,dx,target", *(f"i{n},nv,1" for n in range(5)), "m,mel,1"]
    path = fake_csv(tmp_path, rows)
    shown = r"for 5 images, .*: i0 \(target '1' beside dx 'nv'\), i1 .*, i2 .* and 2 more"
    with pytest.raises(ColumnError, match=shown):
        read_table("csv", path)
    assert labels(read_table("csv", path, columns="melanoma=dx")) == "000001"


def test_what_is_not_sure_contradicts_nothing(tmp_path: Path) -> None:
    rows = [
        "image,dx,malignant", "a,mel,1", "b,bcc,1", "c,actinic keratosis,1", "d,nv,",
        "e,melanocytic lesion,0", "f,,1",
    ]  # fmt: skip
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "10000-"


def test_a_table_in_the_layout_of_an_archive_is_held_to_the_same(tmp_path: Path) -> None:
    root = fake_siim2020(tmp_path)
    table = pd.read_csv(root / "train.csv")
    table["diagnosis"] = table["diagnosis"].mask(table["target"].eq(0), "melanoma")
    table.to_csv(root / "train.csv", index=False)
    with pytest.raises(ColumnError, match="target and diagnosis contradict each other"):
        read_table("siim2020", root)


def test_a_label_that_its_diagnosis_contradicts_is_not_trained_on(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image_id,diagnosis,melanoma", "a,melanoma,0", "b,nv,0"])
    with pytest.raises(ColumnError, match=r"a \(melanoma '0' beside .*--column melanoma="):
        read_any(path)


def test_what_was_settled_once_is_only_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = fake_csv(tmp_path, ["image,dx,melanoma", "a,mel,0", "b,nv,0"])
    table = read_table("csv", path, columns={"melanoma": "melanoma"})
    write_table(table, tmp_path / "t.parquet")
    assert labels(read_any(tmp_path / "t.parquet").table) == "00"
    assert "contradicts the label of 1 image" in caplog.text


def test_an_empty_label_is_read_from_the_diagnosis(tmp_path: Path) -> None:
    rows = ["image,dx,target", "a,Melanom,", "b,mel,1", "c,nv,0", "d,,"]
    read = read_archive("csv", fake_csv(tmp_path, rows))
    table = read.table
    assert labels(table) == "110-"
    assert any("label is read from dx" in note for note in read.notes)


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


@pytest.mark.parametrize(
    "lines",
    [
        ["image_id,melanoma,melanoma", "a,0,1", "b,0,0", "c,1,1"],
        ["image_id,dx,dx", "a,nevus,melanoma", "b,nevus,nevus", "c,mel,mel"],
    ],
)
def test_a_column_that_stands_there_twice_is_not_read_once_in_silence(
    tmp_path: Path, lines: list[str]
) -> None:
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(ColumnError, match="contradict each other for 1 image"):
        read_table("csv", tmp_path / "t.csv")
    alike = [line.replace(",0,1", ",1,1").replace("nevus,mel", "mel,mel") for line in lines]
    (tmp_path / "t.csv").write_text("\n".join(alike))
    assert read_table("csv", tmp_path / "t.csv")["melanoma"].sum() == 2


_DIAGNOSED_TWICE = {
    "in German": "image,Diagnose,Histologie",
    "as the archives": "image,dx,diagnosis",
    "in English": "image,diagnosis,histology",
    "in Chinese": "image,诊断,病理",
}


@pytest.mark.parametrize("case", _DIAGNOSED_TWICE)
def test_two_columns_of_diagnoses_may_not_contradict_each_other(
    tmp_path: Path, case: str
) -> None:
    header = _DIAGNOSED_TWICE[case]
    other = header.split(",")[1 if case == "as the archives" else 2]
    path = fake_csv(tmp_path, [header, "a,Nävus,Melanom", "b,Nävus,Nävus"])
    with pytest.raises(ColumnError, match=r"contradict each other for 1 image.*: a \("):
        read_table("csv", path)
    told = "01" if case == "as the archives" else "10"
    assert labels(read_table("csv", path, columns=f"melanoma={other}"))[0] == told[0]


def test_a_label_is_compared_with_every_column_of_diagnoses(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image,label,Diagnose,Histologie", "a,0,Nävus,Melanom"])
    with pytest.raises(ColumnError, match="label and Histologie contradict each other"):
        read_table("csv", path)


def test_where_a_label_is_missing_further_columns_tell_it(tmp_path: Path) -> None:
    rows = ["image,melanoma,target,Histologie", "a,,1,", "b,0,0,", "c,,,Melanom", "d,,x,?"]
    read = read_archive("csv", fake_csv(tmp_path, rows))
    assert labels(read.table) == "101-"
    assert "for 1 image whose label is read from target" in " ".join(read.notes)
    assert "for 1 image whose label is read from Histologie" in " ".join(read.notes)


def test_a_column_that_numbers_classes_is_no_second_label(tmp_path: Path) -> None:
    rows = ["image,melanoma,class,y", "a,1,4,1.5", "b,0,1,1"]
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "10"


def test_y_and_class_beside_a_label_are_no_labels(tmp_path: Path) -> None:
    rows = ["image_id,melanoma,x,y", "a,1,10,1", "b,0,12,1", "c,,4,1"]
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "10-"
    rows = ["bild,Melanom,class,y", "a,1,0,0", "b,0,1,1"]
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "10"


def test_a_second_column_of_the_same_name_is_compared_with_the_label(
    tmp_path: Path,
) -> None:
    path = fake_csv(tmp_path, ["image_id,melanoma,label,label", "a,1,1,0", "b,0,0,1"])
    with pytest.raises(ColumnError, match=r"melanoma and label.1 contradict .* 2 images"):
        read_table("csv", path)


def test_a_diagnosis_that_was_named_is_not_overruled_by_another(tmp_path: Path) -> None:
    rows = ["bild,melanom,diagnose,histologie", "a,0,Melanom,dysplastischer Nävus"]
    path = fake_csv(tmp_path, [*rows, "b,0,Nävus,Nävus", "c,1,Melanom,Melanom"])
    read = read_archive("csv", path, columns={"diagnosis": "histologie"})
    assert labels(read.table) == "001"
    told = "The column diagnose says otherwise for 1 image; histologie is used."
    assert told in read.notes


@pytest.mark.parametrize("name", ["histology", "pathology", "Histopathology"])
def test_a_histology_alone_is_the_diagnosis(tmp_path: Path, name: str) -> None:
    path = fake_csv(tmp_path, [f"bild,{name}", "a,melanoma", "b,nevus"])
    assert labels(read_table("csv", path)) == "10"


def test_words_for_a_label_are_listed_once(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image,melanoma", "a,f", "b,1"])
    with pytest.raises(ConfigError, match=r"benign, yes, no, missing\."):
        read_table("csv", path, map="melanoma:f=f")


def test_a_label_of_a_second_diagnosis_is_not_said_to_be_missing(tmp_path: Path) -> None:
    rows = ["image,malignant,diagnosis,histology", "a,1,bcc,", "b,0,nevus,"]
    path = fake_csv(tmp_path, [*rows, "c,1,,melanoma", "d,1,,"])
    read = read_archive("csv", path)
    assert labels(read.table) == "001-"
    told = " ".join(read.notes)
    assert "diagnosis says nothing for 1 image whose label is read from histology" in told
    assert "1 image that malignant calls malignant without a diagnosis" in told


_UNCLEAR = {
    "other": ["image,label", "m,melanoma", "a,other", "b,other", "c,nevus"],
    "malignant": ["image,label", "m,melanoma", "a,malignant", "b,Malignant", "c,nevus"],
    "1": ["image,label", "m,melanoma", "a,1", "b,1", "c,nevus"],
    "无": ["image,诊断", "m,黑色素瘤", "a,无", "b,无", "c,色素痣"],
    "no": ["image,dx", "m,nevus", "a,no", "b,No", "c,nevus"],
    "0": ["image,dx", "m,bcc", "a,0", "b,0", "c,nevus"],
    "yes": ["image,melanoma,dx", "m,1,melanoma", "a,,yes", "b,,yes", "c,0,nevus"],
    "Malignant": ["image,target,dx", "m,1,mel", "a,,Malignant", "b,,malignant", "c,,nv"],
}


@pytest.mark.parametrize("word", _UNCLEAR)
def test_an_answer_to_an_unknown_question_is_no_label(tmp_path: Path, word: str) -> None:
    path = fake_csv(tmp_path, _UNCLEAR[word])
    with pytest.raises(UnknownWordsError, match=rf"'{word}' \([12]\)"):
        read_table("csv", path)
    column = _UNCLEAR[word][0].rpartition(",")[2]
    assert labels(read_table("csv", path, unknown="missing"))[1:] == "--0"
    no = read_table("csv", path, map={column: {word: "no"}})
    assert labels(no)[1:] == "000"
    yes = read_table("csv", path, map={column: {word: "yes"}})
    if column != "dx":
        assert labels(yes)[1:] == "110"


def test_yes_and_no_stay_labels_in_a_column_of_their_own(tmp_path: Path) -> None:
    rows = ["image,melanoma,dx", "a,ja,", "b,nein,", "c,无,", "d,有,", "e,,benign"]
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "10010"
    rows = ["image,dx", "a,ja", "b,nein", "c,none"]
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "10-"


def test_a_melanoma_that_its_diagnosis_calls_benign_is_refused(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image,melanoma,dx", "a,1,benign", "b,0,mel"])
    with pytest.raises(ColumnError, match="contradict each other for 2 images"):
        read_table("csv", path)


def test_a_minus_beside_a_plus_is_no_empty_cell(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image,melanoma", "a,+", "b,-", "c,-", "d,"])
    with pytest.raises(UnknownWordsError, match=r"'-' \(2\), '\+' \(1\)"):
        read_table("csv", path)
    with pytest.raises(UnknownWordsError, match=r"1 word .*: '-' \(2\)"):
        read_table("csv", path, map="melanoma:+=yes")
    assert labels(read_table("csv", path, map="melanoma:+=yes,-=no")) == "100-"
    alone = fake_csv(tmp_path, ["image,melanoma", "a,1", "b,-"])
    assert labels(read_table("csv", alone)) == "1-"


@pytest.mark.parametrize("line", ["image,label", "image,melanoma"])
def test_a_mapped_word_makes_no_answer_beside_it_unclear(tmp_path: Path, line: str) -> None:
    path = fake_csv(tmp_path, [line, "a,ja", "b,nein", "c,?x"])
    assert labels(read_table("csv", path, map="?x=SSM")) == "101"
    assert labels(read_table("csv", path, map="?x=yes")) == "101"


def test_yes_in_a_column_called_melanoma_is_one_beside_its_name(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image,melanoma", "a,ja", "b,nein", "c,Melanom in situ"])
    assert labels(read_table("csv", path)) == "101"


@pytest.mark.parametrize(
    "rows",
    [
        ["imagen,Diagnóstico anatomopatológico", "a,Melanoma pT1a", "b,Nevus displásico"],
        ["imagen,diagnóstico histológico", "a,melanoma", "b,nevus"],
        ["fichier,diagnostic histologique", "a,mélanome SSM", "b,naevus"],
        ["immagine,diagnosi istologica", "a,melanoma in situ", "b,nevo"],
        ["图片,病理诊断", "a,恶性黑色素瘤", "b,色素痣"],
        ["image,Histopathological diagnosis", "a,malignant melanoma", "b,nevus"],
    ],
)
def test_a_diagnosis_of_histology_is_the_label_in_every_language(
    tmp_path: Path, rows: list[str]
) -> None:
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "10"


@pytest.mark.parametrize(
    ("name", "melanoma", "none"),
    [("ICD-10", "C43.5", "D22.5"), ("Klassifikation", "Melanom", "Nävus"),
     ("Dignität", "maligne", "benigne")],
)  # fmt: skip
def test_where_nothing_is_called_a_label_the_column_with_diagnoses_is_named(
    tmp_path: Path, name: str, melanoma: str, none: str
) -> None:
    path = fake_csv(tmp_path, [f"image,{name},Ort", f"a,{melanoma},Ulm", f"b,{none},Ulm"])
    read = read_archive("csv", path)
    assert labels(read.table) == "--"
    assert f"Words for diagnoses stand in {name}: say so with --column melanoma=" in (
        " ".join(read.notes)
    )
    assert labels(read_table("csv", path, columns={"melanoma": name})) == "10"


@pytest.mark.parametrize("label", ["malignant", "benign_malignant", "target"])
def test_a_cancer_beside_a_column_of_diagnoses_without_a_known_name_is_no_melanoma(
    label: str,
) -> None:
    """DDI has `disease`, ISIC 2024 `iddx_3`, the ISIC Archive `diagnosis_3`."""
    table = pd.DataFrame(
        {
            "image": ["a", "b", "c"],
            label: [1, 1, 0],
            "disease": ["melanoma-in-situ", "basal-cell-carcinoma", "melanocytic-nevi"],
        }
    )
    found = read_labels(table, {"melanoma": label}, where="t")
    assert found.table["melanoma"].tolist() == [True, False, False]
    assert found.column == "disease"
    assert "says malignant, not melanoma, which is read from disease" in found.notes[0]
    named = read_labels(table, {"melanoma": label}, where="t", named=True)
    assert named.table["melanoma"].tolist() == [True, True, False]


def test_an_unknown_word_beside_malignant_leaves_the_label_as_it_is() -> None:
    table = pd.DataFrame({"malignant": [1, 1, 0], "disease": ["melanoma", "Xy", "nevus"]})
    found = read_labels(table, {"melanoma": "malignant"}, where="t")
    assert found.table["melanoma"].tolist() == [True, True, False]
