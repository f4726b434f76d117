"""Reading of any table of images: a lesion table, a CSV of an archive, a folder, a zip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets import guess_format, read_archive
from lentigo.datasets.archives.csv_folder import find_table
from lentigo.datasets.reading.chosen import choose, is_chosen
from lentigo.datasets.reading.columns import choose_columns
from lentigo.datasets.reading.files import read_columns
from lentigo.datasets.reading.label_conflicts import Conflict, refuse_conflicts
from lentigo.datasets.reading.labels import read_label
from lentigo.datasets.reading.own_words import KEPT, own_words, with_all_columns
from lentigo.datasets.reading.patient_table import with_asked_patients
from lentigo.datasets.reading.sheet_rows import as_rows_of
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.datasets.reading.zipped import is_zip
from lentigo.progress import log
from lentigo.table_files.cells import as_boolean, to_numbers
from lentigo.table_files.door import read_header
from lentigo.tables import (
    LESION_COLUMNS,
    SEXES,
    SITES,
    NotedTable,
    as_noted,
    check_table,
    is_whole,
    read_any_table,
    read_noted,
)
from lentigo.words import counted

Source = pd.DataFrame | NotedTable | Path | str
"""A table, or the path of a file, folder or zip with a table."""

_WORDS = {"sex": SEXES, "site": SITES}
_SIZES = ("width", "height")


def as_sources(tables: Source | Sequence[Source]) -> list[Source]:
    """Return one table, or several, as a list."""
    return [tables] if isinstance(tables, Source) else list(tables)


@dataclass(frozen=True)
class _Asked:
    """How to read tables that lentigo did not write; see `read_as`."""

    columns: Mapping[str, str] | None = None
    """Name in a lesion table → name in the file; None where names are to be guessed."""
    images: Path | None = None
    """Folder of the images; None for that of the file."""


_ASKED: ContextVar[_Asked | None] = ContextVar("how to read tables", default=None)


@contextmanager
def read_as(columns: Mapping[str, str] | None, images: Path | None) -> Iterator[None]:
    """Set names of columns and the folder of images for tables read in the `with` block.

    Tables that lentigo wrote are not affected.
    """
    token = _ASKED.set(_Asked(columns, images))
    try:
        yield
    finally:
        _ASKED.reset(token)


def asked_columns() -> Mapping[str, str]:
    """Return the columns named by `read_as`, ours → theirs."""
    return (_ASKED.get() or _Asked()).columns or {}


def read_any(
    source: Source,
    *,
    columns: Mapping[str, str] | None = None,
    images: Path | None = None,
    own_words: bool = False,
) -> NotedTable:
    """Read any input of a user as a lesion table; every command reads tables in this way.

    `source` is a lesion table that lentigo wrote, any other table with one row per image,
    the folder or zip of an archive, or a frame. For a table that lentigo did not write,
    columns are guessed or named by `columns`, and images are searched in `images`, by
    default beside the table. Rows, ids, labels and groups are the same whichever command
    reads it, and so are the rows that --where chooses. With `own_words` a sex or site
    outside of lentigo's vocabulary keeps the word of the table: a figure may show what a
    training could not use. The notes tell what was guessed.

    Raises `DatasetNotFoundError` where `source` does not exist, `DatasetError` where it
    holds no table, `ColumnError` where no column names the images, `UnknownWordsError` for
    labels in unknown words, and what `lentigo.where.where` raises.
    """
    whole = read_whole(source, columns=columns, images=images, own_words=own_words)
    return rows_of(whole, source, columns=columns)


def read_format(format: str, root: Path | str, **options: Any) -> NotedTable:
    """Read an archive in the format that the user names; return the rows chosen by --where.

    `options` and the errors raised are those of `read_archive`.
    """
    read, path = read_archive(format, root, **options), Path(root)
    if not is_chosen():
        return read
    table = find_table(path) if format == "csv" and not is_zip(path) else None
    return _chosen(read, str(root), table, options.get("columns"))


def read_whole(
    source: Source,
    *,
    columns: Mapping[str, str] | None = None,
    images: Path | None = None,
    own_words: bool = False,
) -> NotedTable:
    """Read every row of a table as `read_any` does, even those that --where leaves out.

    The arguments are those of `read_any`.
    """
    if isinstance(source, pd.DataFrame | NotedTable):
        return _as_ours(as_noted(source), source="the table", own_words=own_words)
    path = Path(source)
    asked = _ASKED.get() or _Asked()
    if path.is_dir() or is_zip(path):
        _warn_of_unused(asked, path)
        return read_archive(guess_format(path), path)
    if is_our_file(path):
        _warn_of_unused(asked, path)
        return _as_ours(read_noted(path), source=str(path), own_words=own_words)
    columns, images = columns or asked.columns, images or asked.images
    read = read_archive("csv", path, columns=columns, image_dir=images)
    return _with_own_words(read, path, columns or {}) if own_words else read


def rows_of(
    read: NotedTable, source: Source, *, columns: Mapping[str, str] | None = None
) -> NotedTable:
    """Return the rows of `read` that --where chooses, with a new index from 0.

    `read` is the result of `read_whole` for `source`. If lentigo did not write the table,
    the condition may name any column of its file. Raises what `choose` raises.
    """
    if not is_chosen():
        return read
    if isinstance(source, pd.DataFrame | NotedTable):
        return _chosen(read, "the table", None, None)
    given = columns or (_ASKED.get() or _Asked()).columns
    return _chosen(read, str(source), _table_of_others(Path(source)), given)


def _chosen(
    read: NotedTable, source: str, path: Path | None, columns: object
) -> NotedTable:
    """Choose rows by --where, which may also name columns of the file `path`, if any."""

    def whole() -> pd.DataFrame:
        if path is None:
            return read.table
        given = columns if isinstance(columns, Mapping) else {}
        own = _with_own_words(read, path, given).table
        return with_all_columns(own, as_rows_of(read, read_any_table(path)))

    return choose(read, source=source, asked=whole)


def _table_of_others(path: Path) -> Path | None:
    """Return the file of a table that lentigo did not write; None for anything else."""
    if is_zip(path):
        return None
    if path.is_dir():
        return find_table(path) if guess_format(path) == "csv" else None
    return None if is_our_file(path) else path


def _warn_of_unused(asked: _Asked, path: Path) -> None:
    if asked.columns or asked.images:
        log.warning(
            "%s was written by lentigo and is read as it is: give --column and --images to "
            "'lentigo read', with the table that it was made of.",
            path,
        )


def is_ours(table: pd.DataFrame) -> bool:
    """Tell whether lentigo wrote a table: whether it has all columns of a lesion table."""
    return set(LESION_COLUMNS) <= set(table)


def is_our_file(path: Path) -> bool:
    """Tell whether lentigo wrote a table file; only the header of a CSV is read."""
    header = read_header(path)
    return set(LESION_COLUMNS) <= set(header) if header else is_ours(read_any_table(path))


def _as_ours(whole: NotedTable, *, source: str, own_words: bool) -> NotedTable:
    labelled = label_in_words(whole.table, source=source)
    check = check_own_words if own_words else check_table
    return with_asked_patients(whole.holding(check(labelled, source=source)))


def label_in_words(whole: pd.DataFrame, *, source: str) -> pd.DataFrame:
    """Return `whole` with the words in its column melanoma read as yes or no.

    Raises `UnknownWordsError` for unknown words, unless they are mapped or the user goes on
    without them, and `ColumnError` where the diagnosis contradicts the label. In a table
    that lentigo wrote, rows with such a contradiction are only counted in a warning.
    """
    if "melanoma" not in whole:
        return whole
    try:
        label = as_boolean(whole["melanoma"])
    except (ValueError, TypeError):
        label, notes = read_label(whole["melanoma"], source=source)
        for note in notes:
            log.info("%s", note)
        whole = whole.assign(melanoma=label)
    if "diagnosis" in whole:
        _check_diagnosis(whole, label, source=source)
    return whole


def _check_diagnosis(whole: pd.DataFrame, label: pd.Series[Any], *, source: str) -> None:
    """Raise `ColumnError` for diagnoses that contradict the label.

    `whole` is the table with the diagnoses, `label` whether each row is melanoma; `source`
    names the table in messages. In a table that lentigo wrote, they are only counted in a
    warning.
    """
    said = map_diagnoses(whole["diagnosis"])[0]
    differs = label.ne(said["melanoma"]).fillna(False).astype(bool)
    if is_ours(whole):
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
    """Return `whole` as `check_table` does, but keep unknown words for sex and site.

    `check_table` raises an error for a sex outside of `SEXES` and a site outside of
    `SITES`. Raises `ColumnError` and `DatasetError` in all other cases in which
    `check_table` does.
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


def _with_own_words(read: NotedTable, path: Path, columns: Mapping[str, str]) -> NotedTable:
    source = as_rows_of(read, read_columns(path))
    chosen = choose_columns(source.columns, given=columns, source=str(path))
    table, notes = read.table.copy(), list(read.notes)
    own_words(table, source, chosen)
    for name in set(KEPT) & set(chosen):
        notes = [_kept(note, name) for note in notes]
    for name in _SIZES:
        if name in source and table[name].isna().all():
            table[name] = _whole_numbers(source[name])
    return replace(read, table=table, notes=tuple(notes))


def _whole_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    numbers = to_numbers(column)
    return numbers.where((numbers > 0) & is_whole(numbers)).astype("Int64")


def _kept(note: str, name: str) -> str:
    return note.replace(f"{name} is missing where", f"{name} keeps the table's word where")
