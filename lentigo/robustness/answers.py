"""Predict images under every condition of a stress test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.segmentation import find_outline
from lentigo.inference.inputs import Source, patients_of
from lentigo.inference.journal import Done, Journal
from lentigo.inference.predict import Model
from lentigo.inference.squares import Squares, squares
from lentigo.machine import cores
from lentigo.models.backend import Logits, Preparation
from lentigo.models.metadata import Patients
from lentigo.progress import track
from lentigo.robustness.conditions import Condition, shown_as

Image = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]

LesionOf = Callable[[Source, Image, Preparation], BoolArray | None]
"""A function that returns the mask of the lesion, (S, S), in the square of a source,
(S, S, 3); None without a lesion."""


@dataclass(frozen=True)
class Disturbed:
    """Predictions for N images under C conditions."""

    conditions: tuple[Condition, ...]
    logits: Logits
    """Calibrated mean log-odds, (C, N); NaN for an image without a prediction."""
    reasons: dict[int, str]
    """By the position of an image, why it has no prediction."""

    def of(self, condition: Condition) -> Logits:
        """Return the log-odds under one condition, (N,)."""
        return np.asarray(self.logits[self.conditions.index(condition)])


def found_lesion(_: Source, square: Image, __: Preparation) -> BoolArray | None:
    """Segment the lesion in a square; see `find_outline`. None if none is found."""
    found = find_outline(square)
    return found.mask if found.area else None


def answers_under(
    model: Model,
    sources: Sequence[Source],
    conditions: Sequence[Condition],
    *,
    lesion_of: LesionOf = found_lesion,
    batch_size: int = 32,
    device: str = "auto",
    seed: int = 0,
    journal: Journal | None = None,
) -> Disturbed:
    """Return the model's predictions for `sources` under each of `conditions`.

    Each file is decoded once for each `Preparation` of the networks, and the squares are
    disturbed. Random parts of a disturbance depend on `seed` and the image id. Batches that
    `journal` holds are not computed again.
    """
    for member in model.members:
        member.use(device)
    done = list(journal.done) if journal is not None else []
    start = len(done) * batch_size
    left = sources[start:]
    work = _Work(model, tuple(sources), tuple(conditions), lesion_of, seed)
    if left:
        for batch in _batches(work, start, batch_size):
            done.append(batch)
            if journal is not None:
                journal.add(batch)
    logits = np.concatenate([each.logits for each in done], axis=1)
    told = {place: why for each in done for place, why in each.reasons.items()}
    return Disturbed(tuple(conditions), logits, told)


@dataclass(frozen=True)
class _Work:
    """A model, images and conditions, for which predictions are computed."""

    model: Model
    sources: tuple[Source, ...]
    conditions: tuple[Condition, ...]
    lesion_of: LesionOf
    """Function that returns the mask of the lesion in an image; None where there is
    none."""
    seed: int


def _batches(work: _Work, start: int, batch_size: int) -> Iterator[Done]:
    left = work.sources[start:]
    ways = [member.preparation for member in work.model.members]
    found = squares(left, ways, batch_size=batch_size)
    total = -(-len(left) // batch_size)
    with closing(found), ThreadPoolExecutor(cores()) as threads:
        for number, batch in enumerate(
            track(found, total=total, label="Disturbing images")
        ):
            place = start + number * batch_size
            count = min(batch_size, len(work.sources) - place)
            logits = np.full((len(work.conditions), count), np.nan)
            if batch.places:
                logits[:, np.subtract(batch.places, number * batch_size)] = _answered(
                    work, batch, start, threads
                )
            told = {start + each: why for each, why in batch.reasons.items()}
            yield Done(place, logits, told)


def _answered(
    work: _Work, batch: Squares, start: int, threads: ThreadPoolExecutor
) -> Logits:
    """Return the log-odds of the n images of a batch under the C conditions, (C, n).

    `start` is the position in `work.sources` of the batch's first source.
    """
    named = [work.sources[start + place] for place in batch.places]
    seeds = [crc32(f"{work.seed} {source.image_id}".encode()) for source in named]
    lesions: dict[Preparation, list[BoolArray | None]] = {}
    if any(each.needs_lesion for each in work.conditions):
        for way, images in batch.squares.items():
            lesions[way] = list(
                threads.map(
                    lambda pair, way=way: work.lesion_of(pair[0], pair[1], way),
                    zip(named, images, strict=True),
                )
            )
    rows = [
        _under(
            work.model,
            each,
            batch.squares,
            lesions,
            seeds,
            threads,
            patients=patients_of(named),
        )
        for each in work.conditions
    ]
    return np.stack(rows)


def _under(
    model: Model,
    condition: Condition,
    images: dict[Preparation, list[Image]],
    lesions: dict[Preparation, list[BoolArray | None]],
    seeds: Sequence[int],
    threads: ThreadPoolExecutor,
    *,
    patients: Patients,
) -> Logits:
    """Return the log-odds of the n images of a batch under one condition, (n,).

    `lesions` has the mask of each image's lesion, where the condition needs it; `seeds` a
    seed for each image. NaN for an image to which the condition cannot be applied.
    """
    shown: dict[Preparation, Image] = {}
    known = np.ones(len(seeds), dtype=bool)
    for way, squares_ in images.items():
        own = lesions.get(way, [None] * len(seeds))
        changed = list(
            threads.map(
                lambda each: shown_as(each[0], condition, each[1], seed=each[2]),
                zip(squares_, own, seeds, strict=True),
            )
        )
        known &= [each is not None for each in changed]
        pairs = zip(changed, squares_, strict=True)
        shown[way] = np.stack([old if new is None else new for new, old in pairs])
    said = [
        each[0]
        for ensemble in model.ensembles
        for each in ensemble.answers(shown, views=model.views, patients=patients)
    ]
    return np.where(known, model.mean(np.stack(said))[1], np.nan)
