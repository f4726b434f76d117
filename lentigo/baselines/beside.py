"""Simple comparison models on metadata, file properties or mean colours of the images.

Each is a logistic regression in five folds of whole groups, so that no image is predicted
by a model that was trained on its patient. A network that is no better has learnt no more
than such properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lentigo.baselines.logistic import metadata_baseline
from lentigo.datasets.reading.own_words import in_our_words
from lentigo.errors import ImageError, LentigoError
from lentigo.evaluation.beside import Beside, judge_beside
from lentigo.evaluation.joining import OF_TRUTH, Source, match
from lentigo.evaluation.measuring import sides
from lentigo.evaluation.scored import scored
from lentigo.evaluation.sums import Sample, as_sample
from lentigo.imaging.decoding.file_facts import file_facts
from lentigo.imaging.decoding.packed import is_there
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.machine import cores
from lentigo.progress import track
from lentigo.tables import SITE_DETAIL

FOLDS = 5
METADATA = ("age", "sex", "site")
FILE = ("width", "height", "bytes", "quality", "kind", "subsampling")
NAMES = ("metadata only", "file properties", "colours")
_SIZE = 32
_TOO_FEW = (
    "it takes melanomas of two groups at least, and other images of two, to learn from "
    "some of them and judge the others."
)
_NOTHING = (
    "it can be read of none of the images; of one within a container the file's own "
    "properties are not known."
)


def baselines_beside(
    predictions: Source,
    truth: Source,
    *,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
    seed: int = 0,
) -> tuple[Beside, ...]:
    """Judge the simple models on the images that `evaluate` judges with the same arguments.

    The result has one entry for each of `NAMES`. Metadata are the columns `METADATA` of the
    truth; file properties and colours need its column `path`. A model whose data are not
    there is returned with the reason in `absent`.
    """
    matched = match(predictions, truth, columns=columns)
    table, _, _ = scored(matched, group=group)
    sample = as_sample(table)
    if min(sides(sample)) < 2:
        return tuple(Beside(name=name, features=(), absent=_TOO_FEW) for name in NAMES)
    labelled = pd.DataFrame(
        {
            "image_id": table["image_id"],
            "group_id": table["group"],
            "melanoma": table["melanoma"],
            "fold": _folds(table, seed),
        }
    )
    return tuple(
        Beside(name=name, features=(), absent=known)
        if isinstance(known, str)
        else _judged(name, known, labelled, sample)
        for name, known in _known(matched.table)
    )


def _judged(
    name: str, known: pd.DataFrame, labelled: pd.DataFrame, sample: Sample
) -> Beside:
    """Fit and judge the model on the columns of `known` (one row an image) as features."""
    features = tuple(str(column) for column in known if known[column].notna().any())
    if not features:
        return Beside(name=name, features=(), absent=_NOTHING)
    whole = labelled.assign(**{column: known[column] for column in features})
    try:
        cheap = metadata_baseline(whole, features=features)["probability"]
    except LentigoError as error:
        return Beside(name=name, features=features, absent=str(error))
    return judge_beside(sample, cheap.to_numpy(np.float64), name=name, features=features)


def _folds(table: pd.DataFrame, seed: int) -> np.ndarray[Any, Any]:
    """Return the fold of each image: whole groups, about equally many melanomas a fold.

    There are five folds, or fewer where one class lies in fewer groups.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups = pd.factorize(table["group"])[0]
    truth = table["melanoma"].to_numpy(bool)
    parts = min(FOLDS, len(np.unique(groups[truth])), len(np.unique(groups[~truth])))
    folds = np.zeros(len(table), dtype=np.int64)
    dealer = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    for number, (_, held) in enumerate(dealer.split(groups, truth, groups)):
        folds[held] = number
    return folds


def _known(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame | str]]:
    """Yield each model's name with its features, one row an image, or why it has none."""
    patients, file, colours = NAMES
    columns = {
        str(column).removesuffix(OF_TRUTH): column
        for column in table
        if str(column).endswith(OF_TRUTH)
    }
    truth = table[list(columns.values())].set_axis(list(columns), axis=1)
    described = in_our_words(truth)
    if SITE_DETAIL in truth:  # of a lesion table, which holds no other words for sites
        described = described.assign(**{SITE_DETAIL: truth[SITE_DETAIL]})
    patient = described[[name for name in (*METADATA, SITE_DETAIL) if name in described]]
    usable = patient.columns.size and patient.notna().any(axis=None)
    yield patients, patient if usable else "the truth has no age, sex or site."
    paths = truth["path"] if "path" in truth else pd.Series(pd.NA, index=table.index)
    there = [not pd.isna(path) and _is_there(str(path)) for path in paths]
    if not any(there):
        why = (
            "the truth names no image files; 'lentigo read' makes a table that does "
            "(column path)."
        )
        yield file, why
        yield colours, why
        return
    files = [path if here else None for path, here in zip(paths, there, strict=True)]
    yield file, file_facts(files)[list(FILE)].set_axis(table.index)
    yield colours, _colours(files).set_axis(table.index)


def _is_there(path: str) -> bool:
    """Tell whether `path` is an existing file, or leads to one in a zip or HDF5 file."""
    return Path(path).is_file() or is_there(path)


def _colours(files: list[Any]) -> pd.DataFrame:
    """Return statistics of red, green and blue, one row an image; NaN if not readable.

    They are mean, standard deviation, and the 10 %, 50 % and 90 % quantiles of the pixels.
    """
    names = [
        f"{channel}_{what}"
        for channel in ("red", "green", "blue")
        for what in ("mean", "spread", "low", "middle", "high")
    ]
    rows = np.full((len(files), len(names)), np.nan)
    with GuardedReader(workers=cores()) as reader:
        for place, path in enumerate(track(files, total=len(files), label="colours")):
            if path is None:
                continue
            try:
                square, _ = reader.read_square(path, size=_SIZE)
            except ImageError:
                continue
            pixels = square.reshape(-1, 3).astype(np.float64)
            spread = [pixels.mean(axis=0), pixels.std(axis=0)]
            tenths = np.quantile(pixels, [0.1, 0.5, 0.9], axis=0)
            rows[place] = np.vstack([*spread, tenths]).T.ravel()
    return pd.DataFrame(rows, columns=names)
