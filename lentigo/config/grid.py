"""Settings of a page of images (`lentigo grid`)."""

from __future__ import annotations

from pydantic import Field

from lentigo.config.settings import Seed, Settings

MOST_PER_ROW = 12
"""Narrower pictures than these (13 mm) show nothing."""


class GridConfig(Settings):
    """Which rows of a table are shown, and how."""

    where: str | None = None
    """A condition that they fit, as in `lentigo.where`."""
    by: str | None = None
    """A column: rows of one value stand in a block of their own, blocks side by side."""
    per_row: int = Field(default=4, ge=1, le=MOST_PER_ROW)
    """Images across the page, over all blocks together."""
    limit: int = Field(default=24, ge=1)
    """Images shown at most, over all blocks together."""
    sort: str | None = None
    """Show the first ones by this column (with - in front the last ones); by default they
    are drawn at random, because the first rows of an archive are seldom typical."""
    seed: Seed = 0
    """Of the random draw."""
