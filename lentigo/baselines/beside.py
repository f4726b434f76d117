"""Cheap models beside a network: what the patient, the file and its colours tell alone.

Each is a logistic regression in five folds of whole groups, so that no image is judged by
a model that saw its patient. A network that does not beat them has learnt no more.
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
from lentigo.evaluation.scored import scored
from lentigo.evaluation.sums import as_sample
from lentigo.imaging.decoding.file_facts import file_facts
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.machine import cores
from lentigo.progress import track

FOLDS = 5
METADATA = ("age", "sex", "site")
FILE = ("width", "height", "bytes", "quality", "kind", "subsampling")
_SIZE = 32


def baselines_beside(
    predictions: Source,
    truth: Source,
    *,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
    seed: int = 0,
) -> tuple[Beside, ...]:
    """Judge the cheap models on the images that `evaluate` judges with the same arguments.

    Metadata are `METADATA` of the truth; the file's properties and the colours need its
    column `path`. What cannot be had is there with the reason.
    """
    matched = match(predictions, truth, columns=columns)
    table, _, _ = scored(matched, group=group)
    labelled = pd.DataFrame(
        {
            "image_id": table["image_id"],
            "group_id": table["group"],
            "melanoma": table["melanoma"],
            "fold": _folds(table, seed),
        }
    )
    sample = as_sample(table)
    found = []
    for name, known in _known(matched.table):
        if isinstance(known, str):
            found.append(Beside(name=name, features=(), absent=known))
            continue
        features = [str(column) for column in known if known[column].notna().any()]
        whole = labelled.assign(**{column: known[column] for column in features})
        try:
            cheap = metadata_baseline(whole, features=features)["probability"]
        except LentigoError as error:
            found.append(Beside(name=name, features=tuple(features), absent=str(error)))
            continue
        score = cheap.to_numpy(np.float64)
        found.append(judge_beside(sample, score, name=name, features=tuple(features)))
    return tuple(found)


def _folds(table: pd.DataFrame, seed: int) -> np.ndarray[Any, Any]:
    """Deal whole groups into folds with about equally many melanomas."""
    from sklearn.model_selection import StratifiedGroupKFold

    groups = pd.factorize(table["group"])[0]
    truth = table["melanoma"].to_numpy(bool)
    parts = max(
        2, min(FOLDS, len(np.unique(groups[truth])), len(np.unique(groups[~truth])))
    )
    folds = np.zeros(len(table), dtype=np.int64)
    dealer = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    for number, (_, held) in enumerate(dealer.split(groups, truth, groups)):
        folds[held] = number
    return folds


def _known(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame | str]]:
    """Name of each baseline and what it knows, a row an image; or why it knows nothing."""
    columns = {
        str(column).removesuffix(OF_TRUTH): column
        for column in table
        if str(column).endswith(OF_TRUTH)
    }
    truth = table[list(columns.values())].set_axis(list(columns), axis=1)
    described = in_our_words(truth)
    patient = described[[name for name in METADATA if name in described]]
    usable = patient.columns.size and patient.notna().any(axis=None)
    yield "metadata only", patient if usable else "the truth has no age, sex or site."
    paths = truth["path"] if "path" in truth else pd.Series(pd.NA, index=table.index)
    there = [not pd.isna(path) and Path(str(path)).is_file() for path in paths]
    if not any(there):
        why = (
            "the truth names no image files; 'lentigo read' makes a table that does "
            "(column path)."
        )
        yield "file properties", why
        yield "colours", why
        return
    files = [path if here else None for path, here in zip(paths, there, strict=True)]
    yield "file properties", file_facts(files)[list(FILE)].set_axis(table.index)
    yield "colours", _colours(files).set_axis(table.index)


def _colours(files: list[Any]) -> pd.DataFrame:
    """Mean, spread and tenths of red, green and blue of each image; missing if unread."""
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
