"""Find the predicted images that were in the training or validation data of a model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from lentigo.curation.groups import ARCHIVE_IDS
from lentigo.errors import ImageError, LentigoError
from lentigo.files import digest
from lentigo.imaging.decoding import packed
from lentigo.inference.inputs import ARRAY
from lentigo.models.description import checked_file, find_models, read_description
from lentigo.models.index import Index, read_index
from lentigo.progress import log
from lentigo.run_layout import RunLayout, run_of

_ARCHIVE_WIDE = re.compile("|".join(f"(?:.*:)?{pattern}" for *_, pattern in ARCHIVE_IDS))
"""Groups whose name means the same patient, lesion or image wherever it stands. Clinics
number their patients from 1, so patient 7 of two of them are two."""

_ROUNDED = 1e-6
"""Largest difference of one probability in two files."""


def learnt_images(path: Path, predictions: Iterable[pd.DataFrame]) -> list[str]:
    """Return the ids of predicted images that the model in `path` was trained or chosen on.

    `predictions` are the parts of a prediction table; none is taken where nothing is known.
    Ids and SHA-256 digests of these images are in the model's run folder, so a renamed copy
    is found too. A model folder outside its run has an index, if any: it knows the training
    images by their ids, and their patients where these have ids of the ISIC Archive; see
    `hardly_known`. Predictions of these images are no test of the model. Empty, with a
    warning, if the tables or the index cannot be read.
    """
    runs = _runs(path)
    try:
        if runs:
            return _learnt(path, runs[0], predictions)
        return _indexed(_indices(path), _archives(path), predictions)
    except (LentigoError, KeyError, TypeError, ValueError) as error:
        log.warning(
            "Whether the model learnt from these images cannot be told: what %s knows of "
            "them cannot be read (%s).",
            runs[0].folder if runs else path,
            " ".join(str(error).split())[:200],
        )
        return []


def held_out_images(path: Path, judged: pd.DataFrame) -> set[str]:
    """Return the ids of `judged` images whose predictions are held-out ones of a run.

    The run is that of the model in `path`; its networks learnt from these images, but none
    of them judged an image that it had learnt from. `judged` has `image_id` and
    `probability`. Empty if an image that the run held out has another probability there:
    then the table is not of the run's held-out predictions.
    """
    from lentigo.tables import read_any_table

    found: set[str] = set()
    for run in _runs(path):
        with suppress(LentigoError, KeyError, TypeError, ValueError):
            own = read_any_table(run.predictions)
            known = dict(zip(own["image_id"].astype(str), own["probability"], strict=True))
            pairs = zip(judged["image_id"].astype(str), judged["probability"], strict=True)
            both = {name: abs(known[name] - p) for name, p in pairs if name in known}
            if all(apart <= _ROUNDED for apart in both.values()):
                found |= set(both)
    return found


def hardly_known(path: Path) -> str:
    """Return a sentence on learnt images that `learnt_images` cannot find; else ""."""
    if _runs(path):
        return ""
    return unknowable(path) or (
        "The model's folder is not in its run: of the images that the model learnt from, "
        "those it trained on are known by their ids, and those that chose its epoch and "
        "its thresholds are not."
    )


def unknowable(path: Path) -> str:
    """Return a sentence if nothing is known of the images that a model learnt from."""
    if _runs(path) or _has_index(path):
        return ""
    return (
        "Whether the model learnt from some of these images cannot be told: its folder "
        "is not in its run and has no index."
    )


def _runs(path: Path) -> list[RunLayout]:
    return [layout for layout in run_of(path) if _is_run(layout)]


def _has_index(path: Path) -> bool:
    return any(
        member.files.index is not None
        for folder in find_models(path)
        for member in read_description(folder).members
    )


def _indices(path: Path) -> list[Index]:
    """Return the indices of all networks at `path` that have one."""
    found = []
    for folder in find_models(path):
        known = read_description(folder)
        names = dict.fromkeys(member.files.index for member in known.members)
        found += [read_index(checked_file(folder, known, name)) for name in names if name]
    return found


def _archives(path: Path) -> list[str]:
    """Return the names of all data sets that the networks at `path` learnt from."""
    found = [read_description(folder).training.archives for folder in find_models(path)]
    return list(dict.fromkeys(each.name for known in found for each in known))


def _indexed(
    indices: Sequence[Index], archives: Sequence[str], predictions: Iterable[pd.DataFrame]
) -> list[str]:
    if not indices:
        return []
    ids = [set(index.ids.tolist()) for index in indices]
    groups = [set(index.groups.tolist()) for index in indices]
    found = []
    for part in predictions:
        named = part["image_id"].astype(str).tolist()
        empty = [None] * len(named)
        group = part["group_id"].tolist() if "group_id" in part else empty
        dataset = part["dataset"].tolist() if "dataset" in part else empty
        for name, own, front in zip(named, group, dataset, strict=True):
            names = {name, f"{front}:{name}", *_elsewhere(name, archives)}
            people = _elsewhere(own, archives) if isinstance(own, str) else set()
            if any(
                any(index.digest(each) in known for each in names)
                or any(index.digest(each) in theirs for each in people)
                for index, known, theirs in zip(indices, ids, groups, strict=True)
            ):
                found.append(name)
    return found


def _elsewhere(name: str, archives: Sequence[str]) -> set[str]:
    """Return all names of an image, lesion or patient of the ISIC Archive; else none.

    Where several archives were combined it stands behind the name of its data set:
    `ham10000:ISIC_0024306` is ISIC_0024306.
    """
    if not _ARCHIVE_WIDE.fullmatch(name):
        return set()
    plain = name.rpartition(":")[2]
    return {name, plain, *(f"{each}:{plain}" for each in archives)}


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
    wide = {plain for name in names for plain in _elsewhere(str(name), ())}
    table = read_any_table(run.table)
    digests = set(table.loc[table["image_id"].isin(names), "sha256"].dropna())
    return [
        str(name)
        for part in predictions
        for name, path, predicted in zip(
            part["image_id"], part["path"], part["probability"].notna(), strict=True
        )
        if name in names
        or not wide.isdisjoint(_elsewhere(str(name), ()))
        or (predicted and _digest(str(path)) in digests)
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
