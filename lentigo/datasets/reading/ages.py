"""Reading of ages: numbers, with or without units, in whatever form a table has them."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from lentigo.datasets.reading.vocabulary import unmapped
from lentigo.progress import log
from lentigo.table_files.cells import to_numbers
from lentigo.table_files.not_known import plain
from lentigo.words import counted, some, verb

_OLDEST = 120

_YEARS = (
    r"a|y|yr|yrs|years?|y/o|y\.o|yo|years? old|years? of age|j|jahre?|jahre alt|"
    r"jährige?[rns]?|ans?|años?|anos?|anni|anno|岁|歳|周岁"
)
_MONTHS = r"months?|mos?|monate?|mois|meses|mes|mês|mesi|mese|个月|月"
_WITH_UNIT = re.compile(
    rf"(\d{{1,4}}(?:[.,]\d+)?)[\s-]*(?:(?P<years>{_YEARS})|(?P<months>{_MONTHS}))\.?"
)
_OF_DICOM = re.compile(r"(0\d\d)([mwd])")
_IN_A_YEAR = {"m": 12.0, "w": 52.1775, "d": 365.2425}

_DATE = r"\d{1,2}[./-]\s?\d{1,2}[./-]\s?\d{2,4}\b.*|\d{4}[./-]\d{1,2}[./-]\d{1,2}\b.*"
_YEARS_OF_BIRTH = (1880, 2100)
_DAYS_OF_SPREADSHEETS = (7_000, 60_000)
"""Numbers by which spreadsheets store dates from 1919 to 2064."""


def read_ages(column: pd.Series[Any]) -> tuple[pd.Series[Any], list[str]]:
    """Return ages in years, and sentences on the cells that hold no age.

    A unit may follow the number (54 J., 54 years, 18 months, 054Y). Empty cells and words
    such as `unknown` are missing without a sentence. Numbers outside of 0 to 120 (999 and
    -1 mean unknown in many tables) become missing, and are counted; dates and years, which
    may be dates of birth, become missing and are counted, but not quoted.
    """
    words = plain(column)
    ages = to_numbers(words)
    units = _with_units(words[ages.isna() & words.notna()])
    ages = ages.fillna(units)
    dates = _are_dates(words, ages)
    outside = ages.notna() & ~ages.between(0, _OLDEST)
    strange = column[ages.isna() & words.notna() & ~dates]
    notes = [
        *_on_units(column, units),
        *_on_dates(int(dates.sum()), column.name),
        *_on_words(strange),
    ]
    if (told := outside & ~dates).any():
        counts = column[told].astype("string").str.strip().value_counts()
        values = [f"{value} ({count:,})" for value, count in counts.items()]
        notes.append(
            f"age is missing where it is none between 0 and {_OLDEST} years: "
            f"{some(values, at_most=8)}."
        )
    return ages.mask(outside), notes


def _on_words(strange: pd.Series[Any]) -> list[str]:
    """Return a sentence on cells that are no age, and log what they hold.

    It does not quote them, since notes are stored and such a cell may name a person.
    """
    if strange.empty:
        return []
    for sentence in unmapped(strange, name="age"):
        log.info("%s", sentence)
    return [
        f"age is missing for {counted(len(strange), 'image')} whose cell in the column "
        f"{strange.name} is no number."
    ]


def _with_units(words: pd.Series[Any]) -> pd.Series[Any]:
    """Return the years of each word that is a number with a unit of time."""
    each = {word: _years(str(word)) for word in words.unique()}
    years = words.astype(object).map(each).astype("float64")
    return years.dropna()


def _years(word: str) -> float:
    if found := _OF_DICOM.fullmatch(word):
        return int(found[1]) / _IN_A_YEAR[found[2]]
    if (found := _WITH_UNIT.fullmatch(word)) is None:
        return float("nan")
    number = float(found[1].replace(",", "."))
    return number if found["years"] else number / 12


def _are_dates(words: pd.Series[Any], ages: pd.Series[Any]) -> pd.Series[bool]:
    """Tell whether each cell holds a date, a year, or a date's number in a spreadsheet.

    `words` are the cells as text, `ages` as numbers, missing where they are none.
    """
    whole = ages.notna() & (ages % 1 == 0)
    numbers = ages.between(*_YEARS_OF_BIRTH) | ages.between(*_DAYS_OF_SPREADSHEETS)
    written = words.str.fullmatch(_DATE).fillna(False).astype(bool)
    return written | (whole & numbers)


def _on_units(column: pd.Series[Any], units: pd.Series[Any]) -> list[str]:
    if units.empty:
        return []
    example = str(column[units.index[0]]).strip()
    return [
        f"{counted(len(units), 'age')} with a unit {verb(len(units), 'is', 'are')} read in "
        f"years: {some([example])} is {units.iloc[0]:.4g}."
    ]


def _on_dates(count: int, name: object) -> list[str]:
    if not count:
        return []
    return [
        f"age is missing for {counted(count, 'image')}: the column {name} holds dates or "
        "years there, perhaps of births. An age is the years at the time of the image."
    ]


_BIRTHS = frozenset(
    {"birthdate", "dateofbirth", "birthday", "dob", "yearofbirth", "birthyear", "yob",
     "geburtsdatum", "gebdatum", "geburtstag", "geburtsjahr", "gebjahr", "geb",
     "fechadenacimiento", "fechanacimiento", "fnacimiento", "fechanac", "anodenacimiento",
     "datedenaissance", "datenaissance", "ddn", "anneedenaissance",
     "datadinascita", "datanascita", "annodinascita",
     "datadenascimento", "datanascimento", "出生日期", "出生年份", "出生年"}
)  # fmt: skip


def births_beside(keys: dict[str, str]) -> list[str]:
    """Return a sentence on a column of birth dates, for a table without a column of ages.

    `keys` maps the plain spelling of each column's name to its name. Empty without such a
    column.
    """
    births = [name for key, name in keys.items() if key in _BIRTHS]
    if not births:
        return []
    return [
        f"The column {births[0]} seems to hold births, and no column holds ages, so age is "
        "missing. An age is the years at the time of the image."
    ]
