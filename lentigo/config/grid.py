"""Settings of a page of images (`lentigo grid`)."""

from __future__ import annotations

from pydantic import Field

from lentigo.config.settings import Seed, Settings

MOST_PER_ROW = 12
"""Images in a row at most; more would be narrower than 13 mm and show nothing."""


class GridConfig(Settings):
    """Which rows of a table are shown on the page, and how."""

    where: str | None = None
    """A condition that the rows must fulfil, as in `lentigo.where`."""
    by: str | None = None
    """A column: rows with the same value form a block, and the blocks stand side by
    side."""
    per_row: int = Field(default=4, ge=1, le=MOST_PER_ROW)
    """Images across the page, in all blocks together."""
    limit: int = Field(default=24, ge=1)
    """Images shown at most, in all blocks together."""
    sort: str | None = None
    """Column by which rows are sorted before the first ones are shown (with - in front,
    from the highest value); by default rows are drawn at random, because the first rows of
    an archive are seldom typical."""
    seed: Seed = 0
    """Seed of the random draw."""
