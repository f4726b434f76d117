from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lentigo.datasets.reading.known_words import LABEL_WORDS, SEX_WORDS, SITE_WORDS
from lentigo.datasets.reading.spelling import Words, spellings
from lentigo.datasets.reading.vocabulary import DIAGNOSES
from lentigo.table_files.not_known import NOT_KNOWN

WORDS = Words({"nävus": 1, "fuß": 2, "in-situ-melanom": 3, "mélanome": 4, "scs": 5})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Nävus", 1),
        ("NAEVUS", 1),
        ("nævus", 1),
        ("Navus", 1),
        ("na\u0308vus", 1),  # an a and two dots, as a Mac writes it
        ("  Nävus ", 1),
        ("FUSS", 2),
        ("In_situ  Melanom", 3),
        ("in\u2011situ\u2011melanom", 3),  # hyphens that break no line
        ("Melanomes", 4),
        ("ｍelanome", 4),  # a full-width letter
        ("nävus?", None),
        ("kein nävus", None),
        ("melanom", None),
        ("sc", None),  # of a short word an s is no plural
    ],
)
def test_a_word_is_known_in_any_spelling(written: str, meant: int | None) -> None:
    assert WORDS.find(written) == meant


def test_a_word_as_it_stands_comes_before_the_spelling_of_another() -> None:
    assert Words({"ä": 1, "a": 2}).find("a") == 2
    assert Words({"a": 2, "ä": 1}).find("ä") == 1


@given(st.text(max_size=12))
def test_any_text_has_a_spelling(text: str) -> None:
    assert spellings(text)[0] == spellings(text.upper())[0] or text.upper().lower() != text
    WORDS.find(text)


def test_no_spelling_leads_to_two_meanings() -> None:
    names = {word: meaning.name for word, meaning in DIAGNOSES.items()}
    for words in (names, SEX_WORDS, SITE_WORDS, LABEL_WORDS):
        seen: dict[str, object] = {}
        for word, meaning in words.items():
            for way in spellings(word):
                assert seen.setdefault(way, meaning) == meaning, (word, way)
                assert way not in NOT_KNOWN
