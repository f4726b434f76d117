from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from lentigo.datasets.reading.diagnoses import DIAGNOSES, lineage, vocabulary_page
from lentigo.datasets.reading.known_words import LABEL_WORDS

NAMES = {meaning.name: meaning for meaning in DIAGNOSES.values()}


def test_a_name_means_one_thing_whatever_word_led_to_it() -> None:
    for word, meaning in DIAGNOSES.items():
        assert NAMES[meaning.name] == meaning, word


def test_every_branch_ends_at_the_top() -> None:
    assert all(not meaning.parent or meaning.parent in NAMES for meaning in NAMES.values())
    tops = {lineage(name)[-1] for name in NAMES}
    assert tops == {name for name, meaning in NAMES.items() if not meaning.parent}


def test_a_kind_of_something_never_contradicts_it() -> None:
    for name, meaning in NAMES.items():
        for above in lineage(name)[1:]:
            for question in ("melanoma", "malignant"):
                theirs = getattr(NAMES[above], question)
                assert theirs is None or getattr(meaning, question) == theirs, name


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (
            "lentigo maligna",
            ["lentigo maligna", "melanoma in situ", "melanoma", "melanocytic lesion"],
        ),
        (
            "blue nevus",
            ["blue nevus", "nevus", "benign melanocytic lesion", "melanocytic lesion"],
        ),
        (
            "basal cell carcinoma nodular",
            [
                "nodular basal cell carcinoma",
                "basal cell carcinoma",
                "malignant adnexal lesion",
                "adnexal lesion",
            ],
        ),
    ],
)
def test_lineage_goes_from_the_kind_to_the_top(word: str, expected: list[str]) -> None:
    assert lineage(DIAGNOSES[word].name) == expected


def test_a_name_that_is_not_in_the_tree_stands_alone() -> None:
    assert lineage("whatever") == ["whatever"]


def test_the_page_names_each_diagnosis_once_and_is_up_to_date() -> None:
    page = vocabulary_page()
    assert all(page.count(f"**{name}**") == 1 for name in NAMES)
    written = Path(__file__).parents[3] / "docs/vocabulary.md"
    assert written.read_text(encoding="utf-8") == page, "run 'make docs'"


def archive_words() -> list[dict[str, str]]:
    """The words that each archive uses, and where the ISIC Archive puts its own."""
    path = Path(__file__).with_name("archive_words.csv")
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_each_word_of_each_archive_is_in_the_table() -> None:
    counts = Counter(row["archive"] for row in archive_words())
    assert counts == {
        "Fitzpatrick17k": 114, "DDI": 78, "derm7pt": 19, "ISIC Archive, older": 35,
        "HAM10000": 7, "BCN20000": 9, "PAD-UFES-20": 6, "MILK10k": 11, "ISIC Archive": 415,
    }  # fmt: skip
    words = [row["word"].lower().replace("_", " ") for row in archive_words()]
    assert [word for word in words if word not in DIAGNOSES] == []


def test_melanoma_and_malignant_are_what_the_isic_archive_says_they_are() -> None:
    said = {"melanoma": (True, True), "malignant": (False, True), "benign": (False, False)}
    for row in archive_words():
        meaning, means = DIAGNOSES[row["word"].lower().replace("_", " ")], row["means"]
        if means == "indeterminate":
            # We settle one of these: actinic keratosis, a precursor, counts as benign.
            assert meaning.malignant is None or meaning.name == "actinic keratosis"
            assert not meaning.melanoma
        elif meaning.name == "collision with a malignant lesion":
            assert (meaning.melanoma, meaning.malignant) == (None, True)
        elif meaning.name == "pigmented epithelioid melanocytoma":
            # Benign there; for the WHO (2018 and since) it lies between nevus and melanoma.
            assert (meaning.melanoma, meaning.malignant) == (None, None)
        elif means:
            assert (meaning.melanoma, meaning.malignant) == said[means], row["word"]


def test_what_may_be_a_melanoma_is_never_called_none() -> None:
    # Undecided between benign and malignant, a lesion of melanocytes may be a melanoma.
    undecided = {
        meaning.name: meaning.melanoma
        for meaning in DIAGNOSES.values()
        if "melanocytic lesion" in lineage(meaning.name) and meaning.malignant is None
    }
    assert undecided["atypical Spitz tumor"] is None
    assert set(undecided.values()) == {None}


@pytest.mark.parametrize(
    "word",
    [
        "MELTUMP", "SAMPUS", "STUMP", "IAMPUS", "melanocytoma", "Spitz tumour", "8780/1",
        "pigmented epithelioid melanocytoma", "BAP1-inactivated melanocytoma",
        "Atypical Spitz tumour", "atypischer Spitz-Tumor", "tumeur de Spitz atypique",
        "tumor de Spitz atípico", "tumore di Spitz atipico", "非典型Spitz肿瘤",
        "melanocytic tumour of uncertain malignant potential",
    ],
)  # fmt: skip
def test_what_lies_between_nevus_and_melanoma_is_neither(word: str) -> None:
    meaning = DIAGNOSES.find(word)
    assert meaning is not None
    assert (meaning.melanoma, meaning.malignant) == (None, None)
    assert "indeterminate melanocytic lesion" in lineage(meaning.name)
    assert LABEL_WORDS.find(word) is None


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("C43.59", "melanoma"), ("C43.111", "melanoma"), ("D03.51", "melanoma in situ"),
        ("D22.62", "nevus"), ("2C30.1", "nodular melanoma"), ("2E63", "melanoma in situ"),
        ("2F20.2", "congenital nevus"), ("8772/3", "melanoma"), ("8727/0", "nevus"),
        ("8770/0", "Spitz or Reed nevus"), ("8770/3", "spitzoid melanoma"),
    ],
)  # fmt: skip
def test_finer_codes_of_registries_are_known(code: str, name: str) -> None:
    meaning = DIAGNOSES.find(code)
    assert meaning is not None
    assert meaning.name == name


@pytest.mark.parametrize("code", ["C44.59", "D48.5", "D04.5", "D23.5", "8090/3", "C79.2"])
def test_codes_of_other_tumours_are_no_melanoma_and_no_nevus(code: str) -> None:
    meaning = DIAGNOSES.find(code)
    assert meaning is None or not {"melanoma", "nevus"} & set(lineage(meaning.name))


def test_no_abbreviation_that_may_be_no_melanoma_is_read() -> None:
    assert [word for word in ("MM", "NM", "NMM") if DIAGNOSES.find(word)] == []
