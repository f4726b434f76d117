"""Choose rows of a table by the user's condition, the same rows in every command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import pandas as pd

from lentigo.errors import LentigoError
from lentigo.tables import NotedTable
from lentigo.visible import shortened
from lentigo.where import where
from lentigo.words import counted, verb

LEFT_OUT = "the others are left out."
"""The end of the note on rows that were chosen by a condition."""

_CONDITION: ContextVar[str | None] = ContextVar("rows to choose", default=None)


@contextmanager
def rows_where(condition: str | None) -> Iterator[None]:
    """Set the condition that rows of tables must fulfil that are read in the `with` block.

    With None all rows are read, even inside another such block.
    """
    token = _CONDITION.set(condition)
    try:
        yield
    finally:
        _CONDITION.reset(token)


def is_chosen() -> bool:
    """Tell whether a condition is set by `rows_where`."""
    return _CONDITION.get() is not None


def condition() -> str | None:
    """Return the condition set by `rows_where`; None without one."""
    return _CONDITION.get()


def choose(
    read: NotedTable, *, source: str, asked: Callable[[], pd.DataFrame] | None = None
) -> NotedTable:
    """Return the rows of a table that fit the condition of `rows_where`, with a note.

    Without a condition, `read` is returned unchanged.

    `asked` returns the same rows, in the same order and with an index from 0, with further
    columns that the condition may name.

    Raises what `lentigo.where.where` raises, with `source` in front of the message.
    """
    asked_for = _CONDITION.get()
    if asked_for is None:
        return read
    try:
        fitting = where(read.table if asked is None else asked(), asked_for)
    except LentigoError as error:
        raise type(error)(f"{source}: {error}") from error
    fit = verb(len(fitting), "fits", "fit")
    note = (
        f"{source}: {len(fitting):,} of {counted(len(read.table), 'row')} {fit} "
        f"{shortened(asked_for, at_most=80)!r}; {LEFT_OUT}"
    )
    rows = read.table.loc[fitting.index].reset_index(drop=True)
    return read.holding(rows, note)
