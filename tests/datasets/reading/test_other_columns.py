"""Columns without a role that name melanomas: refused, told, or left in peace."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.datasets.reading.column_names import is_hearsay
from lentigo.datasets.reading.columns import read_truth
from lentigo.datasets.reading.diagnoses import DIAGNOSES
from lentigo.datasets.reading.melanoma_sentences import tells_of_melanoma
from lentigo.datasets.reading.melanoma_words import mentions, whole_words
from lentigo.errors import ColumnError, UnknownWordsError
from tests.datasets.reading.test_word_map import labels
from tests.fakes import fake_csv


@pytest.mark.parametrize(
    ("ours", "theirs", "melanoma"),
    [
        ("diagnosis", "final diagnosis", "melanoma"),
        ("Diagnose", "Histologischer Befund", "Melanom"),
        ("Diagnose", "Histo", "SSM"),
        ("diagnosis", "biopsy", "melanoma in situ"),
        ("diagnosis", "ICD10", "C43.5"),
        ("diagnosis", "code", "C43.5"),
        ("label", "class", "melanoma"),
        ("diagnostic", "anatomopathologie", "mélanome"),
        ("diagnosi", "istologia", "melanoma"),
        ("diagnóstico", "histopatológico", "melanoma"),
        ("诊断", "结论", "黑色素瘤"),
    ],
)
def test_a_column_of_diagnoses_is_compared_whatever_its_name(
    tmp_path: Path, ours: str, theirs: str, melanoma: str
) -> None:
    benign = ("0", "1") if ours == "label" else ("nevus", "melanoma")
    rows = [f"image,{ours},{theirs}", f"a,{benign[0]},{melanoma}", f"b,{benign[0]},nevus"]
    path = fake_csv(tmp_path, [*rows, f"c,{benign[1]},{melanoma}"])
    with pytest.raises(ColumnError, match=r"contradict each other for 1 image.*: a \("):
        read_table("csv", path)
    with pytest.raises(ColumnError, match="contradict each other"):
        read_truth(path)
    assert labels(read_table("csv", path, columns={"melanoma": theirs})) == "101"
    read = read_archive("csv", path, columns={"melanoma": ours})
    assert labels(read.table) == "001"
    assert f"The column {theirs} names melanoma for 1 image" in " ".join(read.notes)


@pytest.mark.parametrize(
    "name",
    [
        "Verdachtsdiagnose", "clinical_diagnosis", "family history", "previous melanoma",
        "Familienanamnese", "prediction", "reader_2", "antecedentes", "既往史",
    ],
)  # fmt: skip
def test_history_and_suspicion_are_told_and_not_refused(tmp_path: Path, name: str) -> None:
    path = fake_csv(tmp_path, [f"image,diagnosis,{name}", "a,nevus,Melanom", "b,nevus,"])
    read = read_archive("csv", path)
    assert labels(read.table) == "00"
    assert f"The column {name} names melanoma for 1 image that" in " ".join(read.notes)


def test_free_text_and_answers_about_others_say_nothing(tmp_path: Path) -> None:
    rows = [
        "image,diagnosis,family history,previous melanoma,comment,histology,clinic,biopsy",
        "a,nevus,mother had melanoma,yes,wants it off,yes,Melanoma unit,1",
        "b,nevus,melanoma (aunt),no,fears melanoma,no,Melanoma unit,0",
        "c,melanoma,none,yes,,yes,Melanoma unit,1",
    ]
    read = read_archive("csv", fake_csv(tmp_path, rows))
    assert labels(read.table) == "001"
    assert not [note for note in read.notes if "names melanoma" in note]


def test_a_single_word_in_another_column_is_told(tmp_path: Path) -> None:
    rows = ["image,diagnosis,comment", "a,nevus,Melanom", "b,nevus,seen twice"]
    path = fake_csv(tmp_path, [*rows, "c,nevus,itches", "d,,SSM", "e,nevus,old"])
    told = " ".join(read_archive("csv", path).notes)
    assert (
        "comment names melanoma for 1 image that diagnosis calls none ('Melanom')" in told
    )
    assert "and for 1 image without a label" in told
    assert "--column melanoma=comment" in told


def test_a_column_that_says_the_same_of_all_describes_the_collection(
    tmp_path: Path,
) -> None:
    path = fake_csv(tmp_path, ["image,label,study", "a,0,melanoma", "b,1,melanoma"])
    assert labels(read_table("csv", path)) == "01"
    path = fake_csv(tmp_path, ["image,label,study", "a,0,melanoma", "b,0,melanoma"])
    with pytest.raises(ColumnError, match="label and study contradict"):
        read_table("csv", path)


def test_yes_under_a_name_that_asks_for_melanoma_is_told(tmp_path: Path) -> None:
    rows = ["image,diagnosis,melanoma_confirmed,not_melanoma", "a,nevus,1,1", "b,nevus,0,1"]
    told = " ".join(read_archive("csv", fake_csv(tmp_path, rows)).notes)
    assert "melanoma_confirmed names melanoma for 1 image" in told
    assert "not_melanoma names" not in told


_HIDDEN = {
    "beside a diagnosis": (
        ["image,diagnosis,histopathology", 'a,nevus,"melanoma in situ? Breslow 0.3 mm"'],
        "histopathology",
    ),
    "in any word": (["image,Diagnose,Histologie", "a,Nävus,malignes M."], "Histologie"),
    "beside a label": (["image,label,dx", 'a,0,"SSM, margins free, 0,8 mm"'], "dx"),
    "in a sibling of a label": (
        ["image,label,dx,histology", "a,0,nv,MM pT1a"],
        "histology",
    ),
    "under an unknown name": (["image,label,Befund", "a,0,Melanom? eher ja"], "Befund"),
    "beside benign": (["image,malignant,dx", "a,benign,Melanoma? pT1"], "dx"),
}


@pytest.mark.parametrize("case", _HIDDEN)
def test_words_behind_which_a_melanoma_may_be_are_refused(
    tmp_path: Path, case: str
) -> None:
    rows, name = _HIDDEN[case]
    blank = "," * (rows[0].count(",") - 1)
    label = rows[0].split(",")[1]
    nevus = "nevus" if label.startswith("diag") or label == "Diagnose" else "0"
    path = fake_csv(tmp_path, [*rows, f"b,{nevus}{blank}"])
    with pytest.raises(UnknownWordsError, match=rf"1 word of the column {name} .*believed"):
        read_table("csv", path)
    read = read_archive("csv", path, unknown="missing")
    assert labels(read.table) == "-0"
    assert f"1 image without a label, because the words of the column {name}" in " ".join(
        read.notes
    )
    assert labels(read_table("csv", path, columns={"melanoma": label})) == "00"
    word = rows[1].split(",", rows[0].count(","))[-1].strip('"')
    assert labels(read_table("csv", path, map={name: {word: "nevus"}})) == "00"


def test_what_is_no_diagnosis_beside_a_label_is_not_refused(tmp_path: Path) -> None:
    rows = ["image,label,dx,histology", "a,0,what,no evidence of melanoma", "b,1,odd,SSM 3"]
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "01"


def test_a_column_that_calls_a_melanoma_benign_is_told(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image,label,Histo", "a,1,Nävus", "b,0,Nävus"])
    told = " ".join(read_archive("csv", path).notes)
    assert "names no melanoma for 1 image that label calls one ('Nävus')" in told


def test_every_word_of_the_vocabulary_is_found() -> None:
    words = pd.Series([word for word, meant in DIAGNOSES.items() if meant.melanoma])
    assert len(words) > 300
    assert words[~whole_words(words)].tolist() == []
    assert whole_words(words.str.upper().str.normalize("NFD")).all()
    assert words[~(mentions(words + " xx") | words.str.len().lt(4))].tolist() == []
    others = pd.Series([word for word, meant in DIAGNOSES.items() if not meant.melanoma])
    assert not whole_words(others).any()
    assert others[mentions(others + " xx")].tolist() == []


def test_mentions_that_are_denied_or_in_millimetres_are_none() -> None:
    texts = [
        "no melanoma", "Kein Hinweis auf Melanom", "Nevus, 3 mm", "未见黑色素瘤",
        "non-melanoma skin cancer, pT1", "clark nevus, severe", "nicht melanozytär",
    ]  # fmt: skip
    assert not mentions(pd.Series(texts)).any()
    assert mentions(
        pd.Series(["kein Melanom links, Melanom rechts", "Clark III, 2 mm"])
    ).all()


def test_a_suspicion_under_a_name_of_histology_is_no_hearsay() -> None:
    assert not is_hearsay("klinisch-pathologische Diagnose")
    assert not is_hearsay("histology")
    assert is_hearsay("medical_history")


_OF_THIS_LESION = [
    "V.a. malignes Melanom", "Histo: malignes Melanom, Breslow 0.8 mm", "V.a. MM",
    "Melanom nicht ausgeschlossen", "cannot exclude melanoma", "r/o melanoma",
    "descartar melanoma", "suspicion de me\u0301lanome", "non si può escludere melanoma",
    "不能排除黑色素瘤", "疑似恶黑", "Z.n. Exzision, jetzt Melanom", "V.a. NMM",
    "Z.n. Melanom, jetzt neues Melanom", "not a nevus: melanoma", "Lentigo maligna, links",
    "Verdacht auf ALM", "Family history: negative\nHistology: melanoma",
    "Vorgeschichte: leer\r\nHistologie: Melanom", "Margins: free\nMelanoma in situ",
    "Z.n. Exzision: malignes Melanom", "Z.n. PE: Melanom", "Z.n. PE malignes Melanom",
    "prior biopsy: melanoma", "s/p shave bx melanoma", "melanoma of the anterior trunk",
    "tórax anterior: melanoma", "melanoma in the center of a nevus",
    "Center: melanoma, periphery: nevus", "melanoma (clinic A)", "Melanoma - previous scar",
    "Melanoma (previous photo 2019)", "Melanoma: history of sunburn",
    "melanoma: family history negative", "Früherkennung Melanom", "no se descarta melanoma",
    "no se excluye melanoma", "non si esclude melanoma", "无法排除黑色素瘤",
    "尚不能完全排除黑色素瘤", "未排除黑色素瘤", "非典型黑色素瘤",
    "Melanom ausgeschlossen? nein", "lesión grande: melanoma", "grande melanoma nodular",
    "in situ, non invasive melanoma",
]  # fmt: skip
_OF_NONE = [
    "no evidence of melanoma", "Kein Anhalt für ein malignes Melanom", "Z.n. Melanom 2012",
    "st.p. Melanom", "melanoma (aunt)", "Melanom der Mutter", "melanoma ruled out",
    "Familienanamnese positiv für Melanom", "Melanomnachsorge", "fears melanoma", "5 MM",
    "se descarta melanoma", "antecedentes personales de melanoma", "storia di melanoma",
    "pas d’argument en faveur d’un mélanome", "sem sinais de melanoma", "未见黑色素瘤",
    "黑色素瘤家族史", "Clark nevus", "mis lunares", "Melanoma Institute", "MelanomaScope X",
    "Melanomzentrum Ulm", "melanoma_study_0001.jpg", "https://melanoma.org/x",
    "Breslow nicht angegeben", "nevus\nno evidence\nof disease",
]  # fmt: skip


def test_a_sentence_tells_of_a_melanoma_of_this_lesion_or_of_none() -> None:
    told = tells_of_melanoma(pd.Series(_OF_THIS_LESION))
    assert [text for text, yes in zip(_OF_THIS_LESION, told, strict=True) if not yes] == []
    told = tells_of_melanoma(pd.Series(_OF_NONE))
    assert [text for text, yes in zip(_OF_NONE, told, strict=True) if yes] == []
    assert not tells_of_melanoma(pd.Series(["melanoma", "nevus", pd.NA])).any()
    assert not tells_of_melanoma(pd.Series([1, 2])).any()


def test_a_melanoma_in_a_sentence_of_a_remark_is_told_and_never_a_label(
    tmp_path: Path,
) -> None:
    rows = [
        "image,diagnosis,Bemerkung,family history,clinic",
        "a,nevus,Histo: malignes Melanom,mother: melanoma,Melanoma unit A",
        "b,,V.a. malignes Melanom,mother: melanoma,Melanoma unit A",
        "c,melanoma,Melanom pT1a,,Melanoma unit A",
        "d,nevus,no evidence of melanoma,,Melanoma unit A",
    ]
    read = read_archive("csv", fake_csv(tmp_path, rows))
    assert labels(read.table) == "0-10"
    (told,) = [note for note in read.notes if "tells of melanoma" in note]
    assert told == (
        "The column Bemerkung tells of melanoma in a sentence for 1 image that diagnosis "
        "calls none ('Histo: malignes Melanom'), and for 1 image without a label ('V.a. "
        "malignes Melanom'). No label is read from sentences: look at these rows, and "
        "correct the label where one is a melanoma."
    )


def test_a_melanoma_in_a_sentence_is_told_where_nothing_holds_a_label(
    tmp_path: Path,
) -> None:
    path = fake_csv(tmp_path, ["image,remark", "a,likely a melanoma", "b,"])
    told = " ".join(read_archive("csv", path).notes)
    assert "remark tells of melanoma in a sentence for 1 image without a label" in told


@pytest.mark.parametrize(
    "text",
    [*_OF_THIS_LESION, "Z.n. Melanom", "mother: melanoma", "SSM pT1a", "ALM, 0,4 mm"],
)
def test_no_melanoma_in_a_report_of_histology_is_explained_away(text: str) -> None:
    """A table is refused for each: a history there may be that of this lesion."""
    words = pd.Series([text])
    assert (mentions(words) | whole_words(words)).all()


def test_what_a_report_of_histology_denies_refuses_no_table(tmp_path: Path) -> None:
    rows = [
        "image,diagnosis,histology report",
        "a,nevus,kein Anhalt für Melanom",
        "b,nevus,",
    ]
    rows += ["c,nevus,sin evidencia de melanoma", "d,nevus,assenza di melanoma residuo"]
    assert labels(read_table("csv", fake_csv(tmp_path, rows))) == "0000"
