"""The outputs of a trained network for the images of its fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from lentigo.inference.abstention.fit import Seen, Untold, seen
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
    untold: Untold | None
    """How the logits without age, sex and site follow from the features; None for a network
    that does not take these."""
    work: Prepared
    """The table, with the pixel store of all its images."""
    rows: Mapping[str, pd.DataFrame]
    """Rows of the lesion table of each part: "train", "validation" and "test"."""

    def outputs(self, parts: Sequence[str], *, index: bool) -> Outputs:
        """Return the outputs for the images of `parts`, each image in all views once.

        With `index` those for the training images are added, in one view.
        """
        found = {part: self.seen(part) for part in (_LEARNT, *parts)} if index else {}
        answers, without = {}, {}
        for part in parts:
            own, untold = found.get(part), None
            if own is not None:
                answers[part], untold = own.looked.answers, own.untold
            else:
                answers[part], untold = self.answers(part)
            if untold is not None:
                without[part] = untold
        return Outputs(answers, without, found)

    def seen(self, part: str) -> Seen | None:
        """Return the network's outputs for the images of `part`; None if it has none."""
        return seen(
            self.predictor,
            self._squares(part),
            for_index=part == _LEARNT,
            patients=self._patients(part),
            untold=None if part == _LEARNT else self.untold,
        )

    def answers(self, part: str) -> tuple[Logits, NDArray[np.float64] | None]:
        """Return the answers for the N images of `part`, (1 + D, N).

        Beside them, for a network that takes age, sex and site, the melanoma logits without
        these, (N,): from the same features, since the image is the same.
        """
        predictor = self.predictor
        told = [np.empty((1 + len(predictor.diagnoses), 0))]
        untold = [np.empty(0)]
        for squares, own in zip(self._squares(part), self._patients(part), strict=True):
            if self.untold is None or predictor.metadata is None:
                told.append(predictor.answers(squares))
                continue
            looked = predictor.looked(squares, metadata=predictor.metadata.encode(own))
            if looked is None or looked.each_look is None:
                raise TypeError("A network that was just trained gives no features.")
            told.append(looked.answers)
            untold.append(self.untold(looked.each_look))
        without = None if self.untold is None else np.concatenate(untold)
        return np.concatenate(told, axis=1), without

    def _squares(self, part: str) -> Iterator[Images]:
        store = self.work.store
        places = store.positions(self.rows[part]["image_id"])
        starts = range(0, len(places), _AT_ONCE)
        for start in track(starts, total=len(starts), label=f"Answers, {part} images"):
            some = places[start : start + _AT_ONCE]
            yield np.stack([store.images[place] for place in some])

    def _patients(self, part: str) -> Iterator[Patients]:
        """Yield the patients of each batch of `_squares`."""
        rows = self.rows[part]
        for start in range(0, len(rows), _AT_ONCE):
            yield Patients.of_table(rows.iloc[start : start + _AT_ONCE])


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
    passes = member.input.views * sum(len(rows[part]) for part in parts)
    passes += len(rows[_LEARNT]) if index else 0
    alone = fabric.world_size == 1
    judge = None
    if alone or (index and fabric.is_global_zero):
        predictor = predictor_of(network, member, passes=passes)
        judge = Judge(predictor, _untold(network, member), work, rows)
    if judge is not None and alone:
        outputs = judge.outputs(list(parts), index=index)
    else:
        outputs = _shared(trainer, parts)
        if judge is not None:
            found = {part: judge.seen(part) for part in (_LEARNT, *parts)}
            outputs = replace(outputs, found=found)
    _check_finite(trainer, outputs)
    return outputs


def _untold(network: Classifier, member: Member) -> Untold | None:
    """Return how a network's logits without metadata follow from features of each look."""
    if network.metadata is None:
        return None

    def logits(features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Compute the mean melanoma logit over L looks, (L, N, F) to (N,)."""
        looks, count = features.shape[:2]
        flat = torch.from_numpy(features.reshape(looks * count, -1))
        with torch.inference_mode():
            scores = network.eval().scores_of(flat.to(network.mean.device))
            found = network.melanoma(scores).float().reshape(looks, count).mean(dim=0)
        return found.cpu().double().numpy() - member.logit_shift

    return logits


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
