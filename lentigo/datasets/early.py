"""Check the names that a command line gives by the headers of its tables alone.

Reading a table searches its images, and training begins with libraries that take seconds to
load. A wrong name is reported before either. What the headers do not tell is left to the
command.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lentigo.datasets import guess_format
from lentigo.datasets.any_table import asked_columns
from lentigo.datasets.archives.csv_folder import find_table
from lentigo.datasets.reading.column_names import key
from lentigo.datasets.reading.columns import COLUMN_NAMES, choose_columns, missing_column
from lentigo.datasets.reading.maps import read_map
from lentigo.datasets.reading.patient_table import is_joined
from lentigo.datasets.reading.zipped import is_zip
from lentigo.errors import DatasetError, LentigoError, unknown_name
from lentigo.files import unguarded
from lentigo.table_files.door import is_table, read_header, split_sheet
from lentigo.tables import ARCHIVE_COLUMNS, LESION_COLUMNS, read_any_table
from lentigo.where import check_columns
from lentigo.words import listed

PATIENT_FIELDS = ("age", "sex", "site")


_OF_A_SPLIT = ("part", "dataset", "sha256", "group_id", "duplicate_of")
"""Columns that --column may name for `split` and `audit`, though no reader guesses them."""


@dataclass(frozen=True)
class Header:
    """The columns of a table that a command line names."""

    source: str
    names: tuple[str, ...]
    """Without blanks around them, as readers take them."""
    blank: tuple[str, ...] = ()
    """The same names with their blanks, as `--where` takes them."""

    @property
    def is_ours(self) -> bool:
        """Whether lentigo wrote the table, so that no column of it is guessed."""
        return set(LESION_COLUMNS) <= set(self.names)


def headers(sources: Iterable[Path | str]) -> list[Header | None]:
    """Return the columns of each table; None where only reading it whole would tell.

    That is so for zips, folders of an archive, images and whatever cannot be read.
    """
    return [_header(Path(source)) for source in sources]


def _header(path: Path) -> Header | None:
    with suppress(LentigoError, OSError, ValueError):
        if path.is_dir():
            if guess_format(path) != "csv":
                return None
            place = find_table(path)
        else:
            place = path
        file = split_sheet(place)[0]
        if not (is_table(file) and file.is_file()) or is_zip(file):
            return None
        blank = _as_read(read_header(place)) or [*map(str, read_any_table(place).columns)]
        return Header(str(path), tuple(each.strip() for each in blank), tuple(blank))
    return None


def _as_read(names: Sequence[str]) -> list[str]:
    """Return the names that a table with this header has when it is read.

    Names that come twice or are empty get numbers, and guarding apostrophes go.
    """
    line = io.StringIO()
    csv.writer(line).writerow(names)
    line.seek(0)
    table = pd.read_csv(line, nrows=0, dtype="string", index_col=False)
    return [str(name) for name in unguarded(table).columns]


def check_given_columns(
    known: Iterable[Header | None], columns: Mapping[str, str] | None
) -> None:
    """Raise what `choose_columns` raises if a table lacks a column of --column."""
    given = dict(columns or {})
    of_a_split = [given.pop(name) for name in _OF_A_SPLIT if name in given]
    for each in known:
        if each is None or each.is_ours:
            continue
        for name in of_a_split:
            if name not in (*each.names, *each.blank):
                raise missing_column(name, each.names, source=each.source)
        if given:
            choose_columns(each.names, given=given, source=each.source)


def check_condition(known: Sequence[Header | None], condition: str | None) -> None:
    """Raise an error for a --where that cannot be read or names a column of no table.

    `ConfigError` or `UnknownNameError`, as of `lentigo.where.where`.
    """
    names = _of_all(known)
    if condition is None or names is None:
        return
    try:
        check_columns(condition, {*names, *ARCHIVE_COLUMNS})
    except LentigoError as error:
        where = f"{known[0].source}: " if len(known) == 1 and known[0] else ""
        raise type(error)(f"{where}{error}") from error


def check_map(known: Sequence[Header | None], given: Sequence[str]) -> None:
    """Raise `UnknownNameError` if --map names a column that none of the tables has.

    `given` holds the values of --map. Files of words are not checked: one may serve several
    archives, whose columns differ.
    """
    names = _of_all(known)
    typed = [each for each in given if "=" in each]
    if names is None or not typed:
        return
    there = {key(name): name for name in (*names, *ARCHIVE_COLUMNS, *COLUMN_NAMES)}
    for column, _ in read_map(typed):
        if column and column not in there:
            raise unknown_name("column (of --map)", column, there.values(), first=names)


def check_options(
    known: Sequence[Header | None], options: Mapping[str, Sequence[str]]
) -> None:
    """Raise `UnknownNameError` if an option names a column that none of the tables has.

    `options` holds the columns that each option names (`{"--by": ["site"]}`).
    """
    names = _of_all(known)
    if names is None:
        return
    there = dict.fromkeys((*names, *ARCHIVE_COLUMNS))
    for option, columns in options.items():
        for column in columns:
            if column not in there:
                raise unknown_name(f"column (of {option})", column, there, first=names)


def check_patient_columns(
    sources: Iterable[Path | str], columns: Mapping[str, str] | None = None
) -> None:
    """Raise `DatasetError` if no table of `sources` has a column of age, sex or site."""
    known = headers(sources)
    ours = any(each.is_ours for each in _there(known))
    if ours or is_joined() or _of_all(known) is None:
        return
    for each in _there(known):
        given = columns or asked_columns()
        chosen = choose_columns(each.names, given=given, source=each.source)
        if set(PATIENT_FIELDS) & set(chosen):
            return
    raise DatasetError(
        f"{listed([each.source for each in _there(known)])} has no column of age, sex or "
        "site, which model.metadata is to learn from. Name one (--column age=…), give "
        "--patients, or model.metadata=none."
    )


def _of_all(known: Sequence[Header | None]) -> list[str] | None:
    """Return the columns of all tables; None if there is none, or one is not known."""
    if not known or None in known:
        return None
    every = (name for each in _there(known) for name in (*each.names, *each.blank))
    return list(dict.fromkeys(every))


def _there(known: Iterable[Header | None]) -> Iterator[Header]:
    return (each for each in known if each is not None)
