"""Settings of the audit."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from lentigo.config.settings import Seed, Settings


class AuditConfig(Settings):
    """Settings of `lentigo audit`, which checks a set of images."""

    by: str | None = None
    """Column that says which side of a split an image is on; by default the first
    of `role`, `split`, `part`, `fold` … that divides them."""
    allow: tuple[str, ...] = ()
    """Checks (`lentigo list checks`) whose refusals are shown but do not count."""
    pixels: Path | None = None
    """Folder of the pixel store, built if it is not there; by default `pixels` in the
    folder of the audit."""
    images: Path | None = None
    """Folder of the images of CSVs; by default the folder of each CSV."""
    keep: tuple[str, ...] = ()
    """Columns that the table of the audit keeps, beside those that lentigo knows."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Columns of CSVs, by our name, that are not guessed (`melanoma`: `target`)."""
    size: int = Field(default=256, ge=64, le=1024)
    """Side of the squares that are measured, in pixels."""
    workers: int = Field(default=0, ge=0, le=1024)
    """Processes that decode and measure; 0 means one a core."""
    seed: Seed = 0
    """Seed of the resampling behind the intervals."""
