"""A table beside what is to be said of it: notes on its reading, and whom to cite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class NotedTable:
    """A table, with sentences on how it came about and the archives that it is from."""

    table: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    """What was guessed, mapped, filled, chosen or missing, a sentence each."""
    sources: tuple[Mapping[str, Any], ...] = ()
    """Archives with their `dataset`, `citation` and `licence`."""
    no_images: tuple[int, ...] = ()
    """Rows of the file, from 0, that are no image, and that the table lacks."""

    def holding(self, table: pd.DataFrame, *notes: str) -> NotedTable:
        """Return another form of the table, with what was said and further `notes`."""
        return replace(self, table=table, notes=(*self.notes, *notes))

    def then(self, step: Callable[[pd.DataFrame], NotedTable]) -> NotedTable:
        """Take a `step` with the table, and add what the step says to what was said."""
        done = step(self.table)
        return self.holding(done.table, *done.notes)


def as_noted(table: pd.DataFrame | NotedTable) -> NotedTable:
    """Return `table` as a noted one; of a plain frame nothing is said."""
    return table if isinstance(table, NotedTable) else NotedTable(table)
