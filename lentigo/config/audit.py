"""Settings of the audit."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from lentigo.config.settings import Seed, Settings


class AuditConfig(Settings):
    """Settings of `lentigo audit`, which checks a set of images."""

    by: str | None = None
    """Column with the side of a split that each image is on; by default the first of
    `role`, `split`, `part`, `fold` … that has at least two sides."""
    allow: tuple[str, ...] = ()
    """Checks (`lentigo list checks`) whose refusals are shown but do not count."""
    pixels: Path | None = None
    """Folder of the pixel store, which is built if it does not exist; by default `pixels`
    in the folder of the audit."""
    images: Path | None = None
    """Folder of the images that CSV files name; by default the folder of each CSV file."""
    keep: tuple[str, ...] = ()
    """Columns that the table of the audit keeps, in addition to those that lentigo
    knows."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Columns of CSV files that are not guessed, by lentigo's name (`melanoma`:
    `target`)."""
    size: int = Field(default=256, ge=64, le=1024)
    """Side of the squares on which images are measured, in pixels."""
    workers: int = Field(default=0, ge=0, le=1024)
    """Processes that decode and measure images; 0 means one per core."""
    seed: Seed = 0
    """Seed of the bootstrap resampling for the intervals."""
