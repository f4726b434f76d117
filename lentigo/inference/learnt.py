"""Find the predicted images that were in the training or validation data of a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from lentigo.errors import ImageError, LentigoError
from lentigo.files import digest
from lentigo.imaging.decoding import packed
from lentigo.inference.inputs import ARRAY
from lentigo.progress import log
from lentigo.run_layout import RunLayout, run_of


def learnt_images(path: Path, predictions: Iterable[pd.DataFrame]) -> list[str]:
    """Return the ids of predicted images that the model in `path` was trained or chosen on.

    `predictions` are the parts of a prediction table; without a run folder none is taken.
    Ids and SHA-256 digests of these images are in the model's run folder, so a renamed copy
    is found too. Their predictions are no test of the model. Empty without a run folder or,
    with a warning, if its tables cannot be read.
    """
    runs = [layout for layout in run_of(path) if _is_run(layout)]
    try:
        return _learnt(path, runs[0], predictions) if runs else []
    except (LentigoError, KeyError, TypeError, ValueError) as error:
        log.warning(
            "Whether the model learnt from these images cannot be told: the tables of %s "
            "cannot be read (%s).",
            runs[0].folder,
            " ".join(str(error).split())[:200],
        )
        return []


def _learnt(path: Path, run: RunLayout, predictions: Iterable[pd.DataFrame]) -> list[str]:
    from lentigo.tables import read_any_table

    # A model of one fold did not learn from what the others did.
    place = path.absolute()
    all_folds = [fold for fold in (*run.folds(), run.refit) if fold.roles.is_file()]
    folds = [fold for fold in all_folds if fold.folder in (place, *place.parents)]
    roles = [read_any_table(fold.roles) for fold in folds or all_folds]
    names = {
        name for role in roles for name in role.loc[role["role"] != "test", "image_id"]
    }
    table = read_any_table(run.table)
    digests = set(table.loc[table["image_id"].isin(names), "sha256"].dropna())
    return [
        str(name)
        for part in predictions
        for name, path, predicted in zip(
            part["image_id"], part["path"], part["probability"].notna(), strict=True
        )
        if name in names or (predicted and _digest(str(path)) in digests)
    ]


def _is_run(layout: RunLayout) -> bool:
    return layout.is_prepared() and any(fold.roles.is_file() for fold in layout.folds())


def _digest(path: str) -> str:
    """Return the SHA-256 of an image file; empty for an array, or a file that has gone."""
    with suppress(OSError, ImageError):
        if packed.is_there(path):
            return hashlib.sha256(packed.read_bytes(path)).hexdigest()
        if path != ARRAY and Path(path).is_file():
            return digest(Path(path))
    return ""
