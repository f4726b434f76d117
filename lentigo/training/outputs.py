"""The outputs of a trained network for the images of its fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.inference.abstention.fit import Seen, seen
from lentigo.models.backend import Images, Logits, Predictor
from lentigo.models.metadata import Patients
from lentigo.models.network import Classifier
from lentigo.models.schema import Member
from lentigo.models.trained import predictor_of
from lentigo.progress import track
from lentigo.training.data import Examples
from lentigo.training.divergence import diverged
from lentigo.training.prepare import Prepared
from lentigo.training.trainer import Trainer

_LEARNT = "train"
_AT_ONCE = 32


@dataclass(frozen=True)
class Outputs:
    """The outputs of a network for the images of the parts of its fold, by part."""

    answers: Mapping[str, Logits]
    """The answers for the N images of a part, (1 + D, N); see `Predictor.answers`."""
    without: Mapping[str, NDArray[np.float64]]
    """For a network that takes age, sex and site: the melanoma logits without them, (N,).
    Else empty."""
    found: Mapping[str, Seen | None]
    """The outputs from which the index and the limit of abstention are made, also for the
    part "train"; empty if `training.index` is "none"."""


@dataclass(frozen=True)
class Judge:
    """A trained network as a predictor, with the images of its fold."""

    predictor: Predictor
    work: Prepared
    """The table, with the pixel store of all its images."""
    rows: Mapping[str, pd.DataFrame]
    """Rows of the lesion table of each part: "train", "validation" and "test"."""

    def outputs(self, parts: Sequence[str], *, index: bool) -> Outputs:
        """Return the outputs for the images of `parts`, each image in all views once.

        With `index` those for the training images are added, in one view.
        """
        found = {part: self.seen(part) for part in (_LEARNT, *parts)} if index else {}
        answers = {
            part: self.answers(part) if (own := found.get(part)) is None
            else own.looked.answers
            for part in parts
        }  # fmt: skip
        without = {}
        if self.predictor.metadata is not None:
            without = {part: self.answers(part, known=False)[0] for part in parts}
        return Outputs(answers, without, found)

    def seen(self, part: str) -> Seen | None:
        """Return the network's outputs for the images of `part`; None if it has none."""
        return seen(
            self.predictor,
            self._squares(part),
            for_index=part == _LEARNT,
            patients=Patients.of_table(self.rows[part]),
        )

    def answers(self, part: str, *, known: bool = True) -> Logits:
        """Return the answers for the N images of `part`, (1 + D, N).

        Without `known`, age, sex and site count as unknown.
        """
        predictor, patients = self.predictor, Patients.of_table(self.rows[part])
        found, done = [np.empty((1 + len(predictor.diagnoses), 0))], 0
        for squares in self._squares(part):
            beside = None
            if known and predictor.metadata is not None:
                own = patients.take(range(done, done + len(squares)))
                beside = predictor.metadata.encode(own)
            found.append(predictor.answers(squares, metadata=beside))
            done += len(squares)
        return np.concatenate(found, axis=1)

    def _squares(self, part: str) -> Iterator[Images]:
        store = self.work.store
        places = store.positions(self.rows[part]["image_id"])
        starts = range(0, len(places), _AT_ONCE)
        for start in track(starts, total=len(starts), label=f"Answers, {part} images"):
            some = places[start : start + _AT_ONCE]
            yield np.stack([store.images[place] for place in some])


def outputs_of(
    trainer: Trainer,
    member: Member,
    work: Prepared,
    role: pd.Series,
    parts: Mapping[str, Examples],
    *,
    index: bool,
) -> Outputs:
    """Return the outputs of a trained network for the images of `parts`.

    `member` describes the network, `role` holds the part of each row of the lesion table.
    With `index` the outputs for the training images are added. Each of several devices must
    call this function: each computes its share of the answers, and only the first one what
    the index is made of.

    Raises `RunError` if a melanoma logit is not finite.
    """
    network, fabric = trainer.judged, trainer.fabric
    if not isinstance(network, Classifier):
        raise TypeError(f"A {type(network).__name__} is no Classifier.")
    rows = {part: work.table[(role == part).to_numpy()] for part in (_LEARNT, *parts)}
    views = member.input.views * (1 if member.metadata is None else 2)
    passes = views * sum(len(rows[part]) for part in parts)
    passes += len(rows[_LEARNT]) if index else 0
    alone = fabric.world_size == 1
    judge = None
    if alone or (index and fabric.is_global_zero):
        judge = Judge(predictor_of(network, member, passes=passes), work, rows)
    if judge is not None and alone:
        outputs = judge.outputs(list(parts), index=index)
    else:
        outputs = _shared(trainer, parts)
        if judge is not None:
            found = {part: judge.seen(part) for part in (_LEARNT, *parts)}
            outputs = replace(outputs, found=found)
    _check_finite(trainer, outputs)
    return outputs


def _shared(trainer: Trainer, parts: Mapping[str, Examples]) -> Outputs:
    """Return the answers, of which each of several devices computes a share."""
    answers = {name: trainer.answers(part) for name, part in parts.items()}
    without = {}
    if trainer.model.metadata is not None:
        without = {
            name: trainer.answers(part.without_metadata())[0]
            for name, part in parts.items()
        }
    return Outputs(answers, without, {})


def _check_finite(trainer: Trainer, outputs: Outputs) -> None:
    logits = [answers[0] for answers in outputs.answers.values()]
    if not all(np.isfinite(each).all() for each in [*logits, *outputs.without.values()]):
        raise diverged(
            trainer.fold.layout,
            trainer.fold.config.training,
            epoch=trainer.progress.best_epoch,
            first=trainer.fabric.is_global_zero,
        )
