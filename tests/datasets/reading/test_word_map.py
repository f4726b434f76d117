"""Labels in words that nobody understands are refused, mapped, or left out and counted."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.datasets.counts import label_counts
from lentigo.datasets.reading.columns import read_truth
from lentigo.datasets.reading.maps import read_map
from lentigo.datasets.reading.word_map import understood
from lentigo.errors import ColumnError, ConfigError, UnknownWordsError
from lentigo.tables import read_any_table
from tests.fakes import fake_csv, fake_folder

ROWS = [
    "image,dx", "a,melanoma", "b,Melanomm", "c,Melanomm", "d,V.a. Melanom", "e,nevus",
]  # fmt: skip


def labels(table: pd.DataFrame) -> str:
    """1 for melanoma, 0 for not, - for no label, an image a letter."""
    return "".join({True: "1", False: "0"}.get(each, "-") for each in table["melanoma"])


def test_each_word_is_listed_with_its_count_and_how_to_map_it(tmp_path: Path) -> None:
    with pytest.raises(UnknownWordsError) as refused:
        read_table("csv", fake_csv(tmp_path, ROWS))
    said = str(refused.value)
    assert "2 words of the column dx are not understood" in said
    assert "'Melanomm' (2), 'V.a. Melanom' (1)" in said
    assert "--map 'dx:Melanomm=MEANING,V.a. Melanom=MEANING'" in said
    assert "--unknown missing" in said
    assert "\n" not in said


def test_probabilities_in_place_of_labels_are_told_as_such(tmp_path: Path) -> None:
    rows = ["image,melanoma", "a,0.93", "b,0.12", "c,1", "d,0.4"]
    with pytest.raises(UnknownWordsError) as refused:
        read_table("csv", fake_csv(tmp_path, rows))
    said = str(refused.value)
    assert "numbers between 0 and 1 ('0.93' (1), '0.12' (1), '0.4' (1))" in said
    assert "predictions and truth may have changed places" in said
    assert "without the label of 3 images: --unknown missing" in said
    assert "=MEANING" not in said


def test_ten_words_are_listed_and_the_others_counted(tmp_path: Path) -> None:
    rows = [f"{name},word {name}{name}" for name in "abcdefghijklm"]
    with pytest.raises(UnknownWordsError, match=r"'word jj' \(1\) and 3 more"):
        read_table("csv", fake_csv(tmp_path, ["image,dx", "z,melanoma", *rows]))


@pytest.mark.parametrize(
    "given",
    [
        {"Melanomm": "melanoma", "V.a. Melanom": "missing"},
        {"diagnosis": {"Melanomm": "Melanom", "V.a. Melanom": "missing"}},
        "dx:Melanomm=melanoma,V.a. Melanom=missing",
        "diagnosis: melanomm = SSM, v.a.  melanom=unknown",
        ["Melanomm=mel", 'V.a. Melanom=missing'],
    ],
)  # fmt: skip
def test_a_map_says_what_words_mean(tmp_path: Path, given: object) -> None:
    table = read_table("csv", fake_csv(tmp_path, ROWS), map=given)  # type: ignore[arg-type]
    assert labels(table) == "111-0"
    assert table["malignant"].fillna(False).tolist() == [True, True, True, False, False]


def test_the_table_of_words_that_was_written_is_filled_in_and_read(tmp_path: Path) -> None:
    path, words = fake_csv(tmp_path / "in", ROWS), tmp_path / "words.csv"
    for said in ("was written: fill in", "there already and was left alone"):
        with (
            pytest.raises(UnknownWordsError, match=rf"words.csv .*{said}"),
            understood(write_map=words),
        ):
            read_table("csv", path)
    table = read_any_table(words, text=True)
    assert table["word"].tolist() == ["Melanomm", "V.a. Melanom"]
    assert table["count"].tolist() == ["2", "1"]
    with pytest.raises(ConfigError, match="maps no word"):  # nothing is filled in
        read_table("csv", path, map=words)
    table.assign(meaning=["melanoma", "benign"]).to_csv(words, index=False)
    assert labels(read_table("csv", path, map=str(words))) == "11100"


@pytest.mark.parametrize("lines", ["Melanomm,melanoma", "dx,Melanomm,melanoma"])
def test_a_table_of_words_needs_no_header(tmp_path: Path, lines: str) -> None:
    (tmp_path / "w.csv").write_text(f"{lines}\n{lines.replace('Melanomm', 'x y')}\n")
    assert {word for _, word in read_map(tmp_path / "w.csv")} == {"melanomm", "x y"}


def test_who_goes_on_is_told_what_is_left_out(tmp_path: Path) -> None:
    read = read_archive("csv", fake_csv(tmp_path, ROWS), unknown="missing")
    table = read.table
    assert labels(table) == "1---0"
    assert label_counts(table)["without a label"] == 3
    assert any("'Melanomm' (2), 'V.a. Melanom' (1)" in n for n in read.notes)


def test_a_map_holds_for_one_reading_alone(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ROWS)
    read_table("csv", path, unknown="missing")
    with pytest.raises(UnknownWordsError):
        read_table("csv", path)


def test_other_columns_can_be_mapped_too(tmp_path: Path) -> None:
    rows = ["image,Gender,Region,target", "a,v,Zeh,1", "b,m,?,0"]
    given = ["Gender:v=female", "site:Zeh=foot"]
    table = read_table("csv", fake_csv(tmp_path, rows), map=given)
    assert table["sex"].tolist() == ["female", "male"]
    assert table["site"].fillna("-").tolist() == ["lower extremity", "-"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("dx:Melanomm", "is no table|does not exist"),
        ("dx:Melanomm=", "is not of the form WORD=MEANING"),
        ("dx:Melanomm=melanmoa", "means 'melanmoa', which is no word of ours"),
        ("dx:Foo=melanoma,foo=nevus", "says both 'melanoma' and 'nevus' for 'foo'"),
        ("dx:Foo=f", "means 'f', which is no word for diagnosis"),
        ("Foo=torso", "means 'torso', which is no word for melanoma"),
        ("sex:Foo=melanoma", "means 'melanoma', which is no word for sex"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused(given: str, message: str) -> None:
    with pytest.raises((ConfigError, ColumnError, Exception), match=message):
        read_map(given)


@pytest.mark.parametrize(
    "values",
    [
        ["1", "0", "2"], [1.0, 0.0, 0.5], ["1", "0", "-1"], ["1", "0", "x"],
        ["yes", "no", "perhaps"], ["ja", "nein", "jein"], ["melanoma", "nevus", "Melanom?"],
    ],
)  # fmt: skip
def test_a_truth_with_another_word_is_refused(values: list[object]) -> None:
    table = pd.DataFrame({"image": list("abc"), "label": values})
    with pytest.raises(UnknownWordsError, match="column label is not understood"):
        read_truth(table)
    with understood(unknown="missing"):
        assert read_truth(table)[0]["melanoma"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("values", [["1,0", "0,0"], ["TRUE", "0"], ["Ja", "nein"]])
def test_other_ways_to_write_yes_and_no_are_understood(values: list[str]) -> None:
    table = pd.DataFrame({"image": ["a", "b"], "label": values})
    assert read_truth(table)[0]["melanoma"].tolist() == [True, False]


def test_a_class_folder_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    root = fake_folder(tmp_path, {"Melanom": 1, "Naevus": 2, "Melanomm": 1})
    with pytest.raises(UnknownWordsError, match=r"class is not .* 'Melanomm' \(1\)"):
        read_table("folder", root)
    table = read_table("folder", root, map="class:Melanomm=melanoma")
    assert int(table["melanoma"].sum()) == 2
    assert read_table("folder", root, unknown="missing")["melanoma"].isna().sum() == 1


@pytest.mark.parametrize("column", ["dx", "dx:a=b"])
def test_the_printed_option_can_be_copied_into_a_shell(tmp_path: Path, column: str) -> None:
    words = {"Melanom, invasif d'abord": "melanoma", "NZN=?:b": "nevus"}
    rows = [f'x,"{word}"' for word in words]
    path = fake_csv(tmp_path, [f"image,{column}", *rows, "z,melanoma"])
    path.write_text(path.read_text().replace("x,", "y,", 1))
    columns = {"melanoma": column}
    with pytest.raises(UnknownWordsError) as refused:
        read_table("csv", path, columns=columns)
    said = str(refused.value).partition("with --map ")[2].partition(" (such as")[0]
    (option,) = shlex.split(said)
    for word, meaning in words.items():
        option = option.replace(f"{word}=MEANING", f"{word}={meaning}")
    assert labels(read_table("csv", path, columns=columns, map=option)) == "101"


def test_a_word_that_is_too_long_for_the_option_goes_into_the_table(tmp_path: Path) -> None:
    with pytest.raises(UnknownWordsError, match=r"with a table, --map words\.csv"):
        read_table("csv", fake_csv(tmp_path, ["image,dx", "a," + "x" * 99]))


def test_a_map_without_a_column_is_for_labels(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image,sex,dx", "a,M,M", "b,F,N"])
    table = read_table("csv", path, map="M=melanoma,N=nevus")
    assert labels(table) == "10"
    assert table["sex"].tolist() == ["male", "female"]


@pytest.mark.parametrize("word", ["None", "NA", "N/A"])
def test_a_word_for_nothing_may_be_mapped(tmp_path: Path, word: str) -> None:
    path = fake_csv(tmp_path, ["image,sex,dx", f"a,{word},{word}", "b,f,melanoma"])
    assert labels(read_table("csv", path)) == "-1"
    table = read_table("csv", path, map=f"dx:{word}=nevus")
    assert labels(table) == "01"
    assert table["sex"].isna().tolist() == [True, False]
    words = tmp_path / "words.csv"
    words.write_text(f"column,word,meaning\ndx,{word},nevus\n")
    assert labels(read_table("csv", path, map=words)) == "01"


def test_a_mapped_word_that_no_table_holds_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = fake_csv(tmp_path, ROWS)
    given = "dx:Melanomm=melanoma,V.a. Melanom=missing,MM=melanoma"
    read_table("csv", path, map=given)
    assert "no table that was read holds dx:mm;" in caplog.text
    caplog.clear()
    read_table("csv", path, map=given.rpartition(",")[0])
    assert "no table" not in caplog.text


@pytest.mark.parametrize(
    "rows",
    [
        ["diagnosis,Melanomm,melanoma", "melanoma,Melanomm,nevus"],
        ["dx,Melanomm,melanoma", ",Melanomm,nevus"],
    ],
)
def test_two_meanings_under_two_names_of_the_label_are_refused(
    tmp_path: Path, rows: list[str]
) -> None:
    words = tmp_path / "words.csv"
    words.write_text("\n".join(["column,word,meaning", *rows]), encoding="utf-8")
    path = fake_csv(tmp_path / "in", ROWS)
    with pytest.raises(ConfigError, match=r"'Melanomm' several meanings: 'mel.*'nev"):
        read_table("csv", path, map=words, unknown="missing")


@pytest.mark.parametrize(
    ("of_diagnosis", "of_label", "refused"),
    [
        ("nevus", "basal cell carcinoma", True),
        ("benign", "bcc", True),
        ("nevus", "no", False),
        ("nevus", "benign", False),
        ("melanoma in situ", "melanoma", False),
    ],
)
def test_two_meanings_that_exclude_each_other_are_refused_though_neither_is_melanoma(
    tmp_path: Path, of_diagnosis: str, of_label: str, *, refused: bool
) -> None:
    words = {"diagnosis": {"Melanomm": of_diagnosis}, "melanoma": {"Melanomm": of_label}}
    path = fake_csv(tmp_path / "in", ROWS)
    with pytest.raises(ConfigError, match="several meanings") if refused else nullcontext():
        read_table("csv", path, map=words, unknown="missing")


def test_a_table_of_words_without_a_meaning_or_for_another_column_is_told(
    tmp_path: Path,
) -> None:
    words, path = tmp_path / "words.csv", fake_csv(tmp_path / "in", ROWS)
    words.write_text("column,word,count,meaning\ndx,Melanomm,2,\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"words.csv maps no word: .*Fill it in"):
        read_table("csv", path, map=words)
    words.write_text("column,word,meaning\nBefund,Melanomm,melanoma\n", encoding="utf-8")
    with pytest.raises(UnknownWordsError, match="such words for the column befund, not"):
        read_table("csv", path, map=words)


def test_a_table_of_words_is_one_that_excel_shows_as_it_is(tmp_path: Path) -> None:
    rows = ["image,dx", "a,Nävus ñ", "b,+", "c,melanoma"]
    path, words = fake_csv(tmp_path / "in", rows), tmp_path / "words.csv"
    with pytest.raises(UnknownWordsError), understood(write_map=words):
        read_table("csv", path)
    written = words.read_bytes()
    assert written.startswith(b"\xef\xbb\xbfcolumn,word,count,meaning\n")
    filled = written.decode("utf-8-sig").replace(",1,", ",1,nevus").replace(",", ";")
    words.write_bytes(filled.replace("\n", "\r\n").encode("cp1252"))
    assert labels(read_table("csv", path, map=words)) == "001"


@pytest.mark.parametrize(
    ("melanoma", "diagnosis"),
    [("yes", "melanoma"), ("melanoma", "nodular melanoma"), ("malignant", "melanoma")],
)
def test_two_columns_may_say_the_same_of_melanoma_in_other_words(
    tmp_path: Path, melanoma: str, diagnosis: str
) -> None:
    words = tmp_path / "words.csv"
    rows = [
        f"melanoma,Mm,{melanoma}", f"diagnosis,Mm,{diagnosis}", "melanoma,Bb,benign",
        "diagnosis,Bb,nevus",
    ]  # fmt: skip
    words.write_text("\n".join(["column,word,meaning", *rows]), encoding="utf-8")
    path = fake_csv(tmp_path / "in", ["image,melanoma,diagnosis", "a,Mm,Mm", "b,Bb,Bb"])
    table = read_table("csv", path, map=words)
    assert labels(table) == "10"
    assert list(table["diagnosis"]) == [diagnosis, "nevus"]
