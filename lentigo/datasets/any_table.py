"""Any table of images as somebody has it: a lesion table, an archive's CSV, a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets import guess_format, read_table
from lentigo.datasets.reading.columns import choose_columns
from lentigo.datasets.reading.files import read_columns
from lentigo.datasets.reading.known_words import plain
from lentigo.datasets.reading.label_conflicts import Conflict, refuse_conflicts
from lentigo.datasets.reading.labels import read_label
from lentigo.datasets.reading.patient_table import with_asked_patients
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.datasets.reading.zipped import is_zip
from lentigo.progress import log
from lentigo.table_files.cells import to_numbers
from lentigo.tables import (
    LESION_COLUMNS,
    SEXES,
    SITES,
    check_table,
    is_whole,
    read_any_table,
)
from lentigo.words import counted

_WORDS = {"sex": SEXES, "site": SITES}
_SIZES = ("width", "height")


def read_in_own_words(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    images: Path | None = None,
) -> pd.DataFrame:
    """A table to look at: one row an image, with the columns of a lesion table.

    `path` is a lesion table that lentigo wrote, any other CSV with a row an image (columns
    are guessed, or named by `columns`, and its images looked for in `images`, by default
    beside it), or the folder (or zip) of an archive. Unlike in a
    lesion table, a sex or site that is not in our vocabulary keeps the word it has there:
    a figure may show what a training could not use. What was guessed is told in
    `attrs["notes"]`.

    Raises `DatasetNotFoundError` where `path` does not exist, `DatasetError` where it
    holds no table, and `ColumnError` where no column names the images.
    """
    path = Path(path)
    if path.is_dir() or is_zip(path):
        return read_table(guess_format(path), path)
    whole = read_any_table(path)
    if set(LESION_COLUMNS) <= set(whole):
        ours = label_in_words(whole, source=str(path))
        return with_asked_patients(check_own_words(ours, source=str(path)))
    table = read_table("csv", path, columns=columns, image_dir=images)
    return _with_own_words(table, path, columns or {})


def read_lesions(path: Path) -> pd.DataFrame:
    """Read a lesion table that lentigo, or somebody by its columns, wrote.

    Raises `UnknownWordsError` where its label stands in words that are not understood.
    """
    whole = label_in_words(read_any_table(path), source=str(path))
    table = with_asked_patients(check_table(whole, source=str(path)))
    for note in table.attrs.get("notes", ()):
        log.info("%s", note)
    return table


def label_in_words(whole: pd.DataFrame, *, source: str) -> pd.DataFrame:
    """Return `whole` with a column melanoma that holds words as yes or no.

    Raises `UnknownWordsError` for words that are not understood, unless they are mapped
    or the user goes on without them, and `ColumnError` where the diagnosis contradicts
    the label. In a table that lentigo wrote that was settled, and is counted only.
    """
    if "melanoma" not in whole:
        return whole
    try:
        label = whole["melanoma"].astype("boolean")
    except (ValueError, TypeError):
        label, notes = read_label(whole["melanoma"], source=source)
        for note in notes:
            log.info("%s", note)
        whole = whole.assign(melanoma=label)
    if "diagnosis" in whole:
        _check_diagnosis(whole, label, source=source)
    return whole


def _check_diagnosis(whole: pd.DataFrame, label: pd.Series[Any], *, source: str) -> None:
    """Refuse diagnoses that contradict the label; count them where that was settled."""
    said = map_diagnoses(whole["diagnosis"])[0]
    differs = label.ne(said["melanoma"]).fillna(False).astype(bool)
    if set(LESION_COLUMNS) <= set(whole):
        if count := int(differs.sum()):
            log.warning(
                "%s: the diagnosis contradicts the label of %s; melanoma is used.",
                source, counted(count, "image"),
            )  # fmt: skip
        return
    found = iter([Conflict("melanoma", "diagnosis", differs)])
    image = "image_id" if "image_id" in whole else None
    refuse_conflicts(whole, found, where=source, image=image, advice=_ADVICE)


_ADVICE = (
    "read it with 'lentigo read csv' and say there which is believed: --column "
    "melanoma={first} or --column melanoma={other}"
)


def check_own_words(whole: pd.DataFrame, *, source: str) -> pd.DataFrame:
    """`check_table`, but a sex or site that is not in our vocabulary keeps its word.

    Raises `ColumnError` and `DatasetError` as `check_table` does.
    """
    words = [name for name in _WORDS if name in whole]
    strange = {
        name: whole[name].astype("string").mask(whole[name].isin(_WORDS[name]))
        for name in words
    }
    ours = {name: whole[name].where(whole[name].isin(_WORDS[name])) for name in words}
    table = check_table(whole.assign(**ours), source=source)
    for name, own in strange.items():
        table[name] = table[name].fillna(own)
    return table


def _with_own_words(
    table: pd.DataFrame, path: Path, columns: Mapping[str, str]
) -> pd.DataFrame:
    source = read_columns(path)
    chosen = choose_columns(source.columns, given=columns, source=str(path))
    notes = list(table.attrs.get("notes", []))
    for name in _WORDS:
        if name in chosen:
            given = source[chosen[name]]
            word = given.astype("string").str.strip().mask(plain(given).isna())
            table[name] = table[name].fillna(word)
            notes = [_kept(note, name) for note in notes]
    for name in _SIZES:
        if name in source and table[name].isna().all():
            table[name] = _whole_numbers(source[name])
    table.attrs["notes"] = notes
    return table


def _whole_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    numbers = to_numbers(column)
    return numbers.where((numbers > 0) & is_whole(numbers)).astype("Int64")


def _kept(note: str, name: str) -> str:
    return note.replace(f"{name} is missing where", f"{name} keeps the table's word where")
