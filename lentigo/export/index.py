"""Add an index of training images to a network that was trained without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.errors import DatasetError
from lentigo.export.images import ImagesByRole
from lentigo.inference.abstention.fit import make_index, seen, set_limit
from lentigo.inference.inputs import as_sources
from lentigo.inference.squares import squares
from lentigo.models.abstention import Abstention
from lentigo.models.backend import Images, Predictor
from lentigo.models.index import write_index
from lentigo.models.metadata import Patients
from lentigo.progress import log
from lentigo.words import counted

_AT_ONCE = 32
_SET_ON = "validation images"


def index_made(predictor: Predictor, known: ImagesByRole, path: Path) -> Abstention | None:
    """Write the index of a network to `path`; return its out-of-distribution threshold.

    `known` has the rows of the training images and of the validation images, which are
    decoded once more. Returns None, after a warning, where their files no longer exist.
    """
    try:
        learnt = known.learnt[known.learnt["path"].notna()].reset_index(drop=True)
        chosen = known.chosen_on[known.chosen_on["path"].notna()].reset_index(drop=True)
        rows: list[int] = []
        train = seen(predictor, _squares(predictor, learnt, rows), for_index=True)
        held: list[int] = []
        validation = seen(
            predictor,
            _squares(predictor, chosen, held),
            # As predictions, and training, which sets the same limit.
            patients=_patients(chosen, held),
        )
    except DatasetError:
        train = validation = None
    if train is None or validation is None:
        log.warning(
            "The images that the network learnt from cannot be read, so the folder gets no "
            "index of them, and its model cannot say what is too strange to be answered."
        )
        return None
    index = make_index(train, learnt.iloc[rows])
    write_index(index, path)
    log.info("The folder gets an index of %s.", counted(len(rows), "training image"))
    groups = chosen["group_id"].astype(str).iloc[held].tolist()
    return set_limit(index, validation, groups, set_on=_SET_ON)


def _squares(
    predictor: Predictor, table: pd.DataFrame, rows: list[int]
) -> Iterator[Images]:
    """Yield the squares of a table's images.

    Append the row numbers of decoded ones to `rows`.
    """
    sources, way = as_sources(table), predictor.preparation
    with closing(squares(sources, [way], batch_size=_AT_ONCE)) as batches:
        for batch in batches:
            if batch.places:
                rows += batch.places
                yield np.stack(batch.squares[way])


def _patients(table: pd.DataFrame, rows: Sequence[int]) -> Iterator[Patients]:
    """Yield the patients of the images that each batch of `_squares` added to `rows`."""
    done = 0
    while True:
        before, done = done, len(rows)
        yield Patients.of_table(table.iloc[list(rows[before:done])])
