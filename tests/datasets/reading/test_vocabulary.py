from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lentigo.datasets.reading.known_words import SEX_WORDS, SITE_WORDS, SKIN_WORDS
from lentigo.datasets.reading.vocabulary import (
    DIAGNOSES,
    map_diagnoses,
    map_sites,
    map_words,
    spelled_alike,
)
from lentigo.table_files.not_known import NOT_KNOWN, known_ids
from lentigo.tables import SEXES, SITES


def words(*values: str | None) -> pd.Series[str]:
    return pd.Series(values, dtype="string")


def test_every_word_leads_to_one_of_ours() -> None:
    assert set(SEX_WORDS.values()) == set(SEXES)
    assert set(SITE_WORDS.values()) == set(SITES)
    assert set(SKIN_WORDS.values()) == set("123456")


def test_our_own_words_map_onto_themselves() -> None:
    assert all(SITE_WORDS[site] == site for site in SITES)
    for word, meaning in DIAGNOSES.items():
        again = DIAGNOSES.get(meaning.name.lower())
        assert again is None or again.name == meaning.name, word


def test_melanoma_is_malignant_and_no_word_means_both_known_and_unknown() -> None:
    assert all(meaning.malignant for meaning in DIAGNOSES.values() if meaning.melanoma)
    for known in (SEX_WORDS, SITE_WORDS, DIAGNOSES):
        assert not NOT_KNOWN & set(known)
        assert all(word == word.lower().strip() and "_" not in word for word in known)


@pytest.mark.parametrize(
    ("word", "name", "melanoma", "malignant"),
    [
        ("mel", "melanoma", True, True),
        ("NV", "nevus", False, False),
        ("bcc", "basal cell carcinoma", False, True),
        ("akiec", "actinic keratosis or carcinoma in situ", False, None),
        ("seborrheic_keratosis", "seborrheic keratosis", False, False),
    ],
)
def test_a_diagnosis_says_what_the_lesion_is(
    word: str, name: str, melanoma: bool, malignant: bool | None
) -> None:
    table, notes = map_diagnoses(words(word))
    expected = [name, melanoma, pd.NA if malignant is None else malignant]
    assert table.iloc[0].tolist() == expected
    assert notes == []


def test_unknown_words_are_counted_and_what_is_not_known_is_not() -> None:
    mapped, notes = map_words(
        words("M", "x", "x", "y", "unknown", None, ""), SEX_WORDS, name="sex"
    )
    assert mapped.fillna("-").tolist() == ["male"] + 6 * ["-"]
    assert notes == [
        "sex is missing where the word is not in our vocabulary: 'x' (2), 'y' (1)."
    ]


@given(st.lists(st.none() | st.text() | st.sampled_from(sorted(SITE_WORDS)), max_size=20))
def test_a_mapped_column_holds_our_words_or_nothing(values: list[str | None]) -> None:
    mapped, notes = map_words(pd.Series(values, dtype="string"), SITE_WORDS, name="site")
    assert len(mapped) == len(values)
    assert set(mapped.dropna()) <= set(SITES)
    told = sum(1 for value in values if value and value.strip().lower().replace("_", " ")
               not in NOT_KNOWN | set(SITE_WORDS))  # fmt: skip
    assert bool(notes) == bool(told)


@given(st.lists(st.none() | st.text() | st.sampled_from(sorted(DIAGNOSES)), max_size=20))
def test_a_diagnosis_without_a_meaning_is_unlabelled(values: list[str | None]) -> None:
    table, _ = map_diagnoses(pd.Series(values, dtype="string"))
    melanoma = table["melanoma"].fillna(False).astype(bool)
    assert table.loc[melanoma, "malignant"].all()
    assert table.loc[table["diagnosis"].isna(), "melanoma"].isna().all()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["7.0", None, "12.0"], ["7", None, "12"]),
        (["7", "7.0", " 7 "], ["7", "7", "7"]),
        # Ids with a point of their own are left alone.
        (["1.1", "1.10", "A.3", "7.0"], ["1.1", "1.10", "A.3", "7"]),
        (["P1.0", "unknown", "P1"], ["P1.0", None, "P1"]),
    ],
)
def test_whole_numbers_of_spreadsheets_are_one_id(
    written: list[str | None], read: list[str | None]
) -> None:
    found = known_ids(pd.Series(written, dtype="string"))
    assert [None if pd.isna(each) else each for each in found] == read


def test_ids_that_differ_in_spelling_only_are_told() -> None:
    ids = pd.Series(["P1", "p1", "7", "007", "8", "80", None, "P 2", "P10"], dtype="string")
    (said,) = spelled_alike(ids, name="patient_id")
    assert said.startswith("patient_id: 2 pairs of ids look alike")
    assert "007 (1) and 7 (1)" in said
    assert "P1 (1) and p1 (1)" in said
    assert "80" not in said
    assert spelled_alike(ids[[4, 5, 6, 7, 8]], name="patient_id") == []


@pytest.mark.parametrize(
    ("given", "sexes"),
    [
        ("Hombre Mujer M", "male female -"),
        ("Varón M H", "male - -"),
        ("mujer M F", "female male female"),
        ("weiblich M", "female male"),
    ],
)
def test_an_m_beside_spanish_words_may_be_mujer(given: str, sexes: str) -> None:
    found, notes = map_words(words(*given.split()), SEX_WORDS, name="sex")
    assert found.fillna("-").tolist() == sexes.split()
    assert bool(notes) == ("-" in sexes)


def test_the_word_of_a_finer_site_stays_beside_it_and_free_text_does_not() -> None:
    table, notes = map_sites(words("Back", "chest", "Unknown", "as Mrs Miller says", None))
    assert table["site"].fillna("-").tolist() == ["torso", "torso", "-", "-", "-"]
    assert table["site_detail"].fillna("-").tolist() == ["back", "chest", "-", "-", "-"]
    assert "Mrs Miller" in notes[0]


def test_sites_that_are_no_finer_have_no_words_beside_them() -> None:
    table, _ = map_sites(words("torso", "Torso", "head/neck", None))
    assert list(table) == ["site"]
