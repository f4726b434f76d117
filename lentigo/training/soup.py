"""A greedy soup: one network whose weights are the mean of several networks' weights.

Wortsman et al. 2022 (arXiv:2203.05482), recipe 1. The networks start from the same weights
and differ in seeds or settings of the training. The mean of their weights answers as fast
as one of them, where the mean of their logits takes as long as all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from lentigo.errors import RunError
from lentigo.evaluation.discrimination import auc
from lentigo.models.description import checked_file, read_description
from lentigo.models.lora import merge_adapters
from lentigo.models.schema import Member
from lentigo.models.weights import read_weights
from lentigo.progress import log
from lentigo.run_layout import FoldLayout
from lentigo.training.averaging import EpochAverage
from lentigo.training.step import set_mode
from lentigo.training.trainer import Trainer
from lentigo.words import listed

Weights = dict[str, Tensor]


def greedy_soup(trainer: Trainer, members: Sequence[FoldLayout]) -> list[int]:
    """Make `trainer.judged` the greedy soup of trained networks; return those in it.

    The networks of `members` are taken from the highest validation AUC to the lowest. Each
    is kept if the mean of all weights kept so far has at least the validation AUC that it
    had without this network. The statistics of batch normalisation are recomputed from
    training images for each mean. Without validation images of both classes no network can
    be chosen, and all are kept.

    Returns the positions of the kept networks in `members`, in the order of their AUC. The
    trainer's progress then has the epoch of the first of them and the AUC of the soup.

    Raises `RunError` if the weights of a member do not fit the network of `trainer`.
    """
    merge_adapters(trainer.model)
    trainer.average = None
    weights = [_weights(each.model) for each in members]
    alone = [
        _judged(trainer, [own], each) for own, each in zip(weights, members, strict=True)
    ]
    order = sorted(range(len(members)), key=lambda k: (-np.nan_to_num(alone[k]), k))
    kept, best = order[:1], alone[order[0]]
    for place in order[1:]:
        tried = [*kept, place]
        value = _judged(trainer, [weights[k] for k in tried], members[place])
        if not value < best:  # also kept where the AUC is not known
            kept, best = tried, value
    value = _judged(trainer, [weights[k] for k in kept], members[kept[0]])
    _note(
        trainer, read_description(members[kept[0]].model).members[0].best_epoch or 1, value
    )
    _say(trainer, kept, alone, value)
    return kept


def check_same_meaning(members: Sequence[Member]) -> None:
    """Raise `RunError` if the outputs of the networks mean different things.

    Weights of equal shapes have a mean that means nothing where their classes, the shift of
    their logits, or the numbers that stand for age, sex and site are not the same.
    """
    first = members[0]
    for number, each in enumerate(members):
        differs = {
            "tells other diagnoses apart": each.diagnoses != first.diagnoses,
            "has another logit_shift": abs(each.logit_shift - first.logit_shift) > 1e-9,
            "has other numbers for age, sex and site": each.metadata != first.metadata,
            "takes other images": each.input != first.input,
        }
        if told := [words for words, so in differs.items() if so]:
            raise RunError(
                f"member-{number} {listed(told)} than member-0, so the mean of their "
                "weights has no meaning. Train anew with combine=logits, or with members "
                "that differ only in how they learn."
            )


def _weights(folder: Path) -> Weights:
    known = read_description(folder)
    return read_weights(checked_file(folder, known, str(known.members[0].files.torch)))


def _judged(trainer: Trainer, weights: Sequence[Weights], layout: FoldLayout) -> float:
    """Load the mean of `weights` into the trainer; return its validation AUC.

    It is NaN without validation images of both classes. `layout` is for messages.
    """
    soup = trainer.swa = EpochAverage(trainer.model)
    for number, own in enumerate(weights):
        try:
            trainer.model.load_state_dict(own)
        except RuntimeError as error:
            raise RunError(
                f"The weights of {layout.model} are those of another network than the one "
                "of the other members, so they have no mean."
            ) from error
        soup.add(trainer.model, number)
    if len(weights) > 1:
        _recompute(trainer, soup)
    fold = trainer.fold
    labels = fold.validation.labels > 0.5
    if not len(labels) or labels.all() or not labels.any():
        return float("nan")
    return float(auc(labels, trainer.predict(fold.validation)))


def _recompute(trainer: Trainer, soup: EpochAverage) -> None:
    """Recompute the batch statistics of the soup from the first images of an epoch."""
    set_mode(trainer.model, frozen=False, stages=trainer.stages)
    trainer.recompute(soup, 0, side=trainer.fold.train.size)


def _note(trainer: Trainer, epoch: int, value: float) -> None:
    """Write the AUC of the soup into the progress, as that of the epoch `epoch`."""
    progress = trainer.progress
    progress.history = [{"epoch": k + 1, "validation_auc": value} for k in range(epoch)]
    progress.epoch = progress.best_epoch = epoch


def _say(
    trainer: Trainer, kept: Sequence[int], alone: Sequence[float], value: float
) -> None:
    if trainer.fabric.is_global_zero:
        log.info(
            "%s: validation AUC of the members %s; of the mean of the weights of %s %.3f.",
            trainer.fold.layout.name,
            ", ".join(f"{each:.3f}" for each in alone),
            listed([f"member-{each}" for each in sorted(kept)]),
            value,
        )
