"""A table together with notes on how it was read, and the sources to cite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class NotedTable:
    """A table, with sentences on how it was made and the archives that it comes from.

    Rows of the file that describe no image are not in the table, but numbered here.
    """

    table: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    """One sentence for each thing that was guessed, mapped, filled in, chosen or
    missing."""
    sources: tuple[Mapping[str, Any], ...] = ()
    """For each archive its `dataset`, `citation` and `licence`."""
    no_images: tuple[int, ...] = ()
    """Numbers, from 0, of the rows of the file that describe no image and were left out."""

    def holding(self, table: pd.DataFrame, *notes: str) -> NotedTable:
        """Return a copy that holds `table`, with `notes` added to the notes it has."""
        return replace(self, table=table, notes=(*self.notes, *notes))

    def then(self, step: Callable[[pd.DataFrame], NotedTable]) -> NotedTable:
        """Return a copy with the table that `step` makes, and the notes of `step` added."""
        done = step(self.table)
        return self.holding(done.table, *done.notes)


def as_noted(table: pd.DataFrame | NotedTable) -> NotedTable:
    """Return `table` as a `NotedTable`; a plain frame gets no notes."""
    return table if isinstance(table, NotedTable) else NotedTable(table)
