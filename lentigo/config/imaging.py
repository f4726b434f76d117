"""Settings of the pixel store and of the views of its images that the network receives."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from lentigo.config.settings import Settings
from lentigo.config.views import INPUT_VIEWS
from lentigo.errors import unknown_name


class ImagingConfig(Settings):
    """How image files are stored as squares in the pixel store."""

    size: int = Field(default=256, ge=32, le=2048)
    """Side of the stored square, in pixels."""
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    """How a rectangle becomes a square: `stretch` keeps the whole image but not its
    proportions, `crop` keeps the middle, `pad` adds black."""
    max_pixels: int = Field(default=100_000_000, ge=1, le=250_000_000)
    """Larger images (width times height) are refused before they are decoded."""
    store: Path | None = None
    """Folder of the pixel store; by default `pixels` in the run folder. Runs that share one
    decode the images only once."""
    workers: int = Field(default=0, ge=0, le=1024)
    """Processes that decode images; 0 means one per core."""
    shard_mb: int = Field(default=4000, ge=100, le=100_000)
    """Largest file of the pixel store, in MB; a larger store is several files of at most
    this size, which FAT disks and most object stores take whole."""
    view: tuple[str, ...] = ("rgb",)
    """The network's input: the name of one view, or of several that are stacked as channels
    (`lentigo list views`). It is computed from the augmented image, so the store stays
    RGB."""

    @field_validator("view", mode="before")
    @classmethod
    def _known_views(cls, given: Any) -> tuple[str, ...]:
        names = (given,) if isinstance(given, str) else given
        listed = isinstance(names, list | tuple) and len(names) > 0
        if not listed or not all(isinstance(name, str) for name in names):
            raise ValueError("give the name of a view, or a list of names")
        views = tuple(name.strip().lower().replace("-", "_") for name in names)
        for name, view in zip(names, views, strict=True):
            if view not in INPUT_VIEWS:
                raise ValueError(str(unknown_name("view", name, INPUT_VIEWS)).rstrip("."))
        if len(set(views)) < len(views):
            raise ValueError("the same view twice tells the network nothing more")
        return views
