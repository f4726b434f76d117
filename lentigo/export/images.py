"""Real images on which an exported model is compared with the trained one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.errors import ConfigError, ImageError
from lentigo.inference.inputs import Source, as_sources, find_sources
from lentigo.inference.squares import squares
from lentigo.models.backend import Images, Preparation
from lentigo.run_layout import run_of
from lentigo.tables import read_any_table, read_table_file
from lentigo.words import counted


@dataclass(frozen=True)
class ImagesByRole:
    """The images of one fold of a run, by the role that they had for its networks."""

    learnt: pd.DataFrame
    """Rows of the images that the networks were trained on."""
    held_out: pd.DataFrame
    """Rows of the test images of the fold."""
    chosen_on: pd.DataFrame
    """Rows of the validation images, on which the best epoch and the thresholds were
    chosen."""


def images_by_role(source: Path) -> dict[str, ImagesByRole]:
    """Return the training, test and validation images of each fold of a run.

    `source` is the run folder or a folder inside it. The keys are the names of the folds,
    such as `fold-0`; the result is empty where `source` belongs to no run.
    """
    for run in run_of(source):
        folds = [fold for fold in run.folds() if fold.roles.is_file()]
        if run.is_prepared() and folds:
            table = read_table_file(run.table)
            return {fold.folder.name: _divided(table, fold.roles) for fold in folds}
    return {}


def _divided(table: pd.DataFrame, roles: Path) -> ImagesByRole:
    role = read_any_table(roles).set_index("image_id")["role"]
    own = table["image_id"].map(role)
    parts = [table[own == part] for part in ("train", "test", "validation")]
    return ImagesByRole(*parts)


def some_sources(table: pd.DataFrame, count: int, *, seed: int = 0) -> list[Source]:
    """Return `count` images of a lesion table, drawn with `seed`, or all if it has fewer.

    Raises `ConfigError` where no row has an image file.
    """
    there = table[table["path"].notna()]
    if there.empty:
        raise ConfigError(
            "The table of the run names no image files. Give images with --images."
        )
    rows = there.sample(min(count, len(there)), random_state=seed).sort_index()
    return as_sources(rows)


def given_sources(images: Sequence[Path | str], count: int) -> list[Source]:
    """Return the first `count` of the images in the named files, folders or tables."""
    return find_sources(list(images))[:count]


def check_shown(sources: Sequence[Source], way: Preparation) -> None:
    """Raise `ImageError` if none of the images can be decoded; this precedes the export.

    The message gives the reason of the first one. `way` is the size and fit of the square.
    """
    reasons: dict[int, str] = {}
    with closing(squares(sources, [way], batch_size=8)) as batches:
        for batch in batches:
            if batch.places:
                return
            reasons |= batch.reasons
    first = next(iter(reasons.values()), "there is none").rstrip(".")
    raise ImageError(
        f"None of {counted(len(sources), 'image')} can be shown to the networks: {first}. "
        "Name others with --images."
    )


def prepared(
    sources: Sequence[Source], way: Preparation, *, batch_size: int = 8
) -> Iterator[Images]:
    """Yield the squares of `sources`, in their order, as batches (N, S, S, 3) `uint8` RGB.

    S is `way.size`; N is at most `batch_size`. A file that cannot be decoded is left out
    without notice.
    """
    batches = squares(sources, [way], batch_size=batch_size)
    with closing(batches):
        for batch in batches:
            if batch.places:
                yield np.stack(batch.squares[way])
