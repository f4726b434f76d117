from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.datasets.diagnoses import DIAGNOSES, lineage, vocabulary_page

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
    written = Path(__file__).parents[2] / "docs/vocabulary.md"
    assert written.read_text(encoding="utf-8") == page, "run 'make docs'"
