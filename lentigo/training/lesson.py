"""Targets, sampling and loss of one training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from lentigo.config import TrainConfig
from lentigo.curation.splits.folds import LEFT_OUT, TRAIN
from lentigo.models.batch import Batch
from lentigo.models.classifier import Classifier
from lentigo.models.losses import (
    auc_margin_loss,
    balances,
    class_weights,
    logit_shift,
    marginal_loss,
    prior_logit,
    weighted_bce,
)
from lentigo.training.balance import Cells, Shares, cells_of, class_shares, prior_shift
from lentigo.training.schedule import start_at_prior, start_at_shares
from lentigo.training.step import Loss
from lentigo.training.targets import Target, target_of
from lentigo.words import counted, listed


@dataclass(frozen=True)
class Lesson:
    """The targets of the training images, and how often each image is drawn."""

    target: Target
    """Classes and labels of the training images; no label allows all classes."""
    archives: NDArray[np.int64]
    """The data set (archive) of each image, as a number from 0."""
    config: TrainConfig

    @property
    def sentence(self) -> str:
        """A sentence that lists the classes, each with its number of images."""
        names = {}
        for label, allows in enumerate(self.target.allowed):
            if allows.sum() == 1:
                names[int(allows.argmax())] = int((self.target.labels == label).sum())
        found = [
            f"{name} ({names.get(k, 0):,})" for k, name in enumerate(self.target.classes)
        ]
        several = len(self.target.labels) - sum(names.values())
        also = f", and {several:,} whose label allows several of them" if several else ""
        return f"{counted(len(found), 'diagnosis', 'diagnoses')}: {listed(found)}{also}."

    @property
    def tells_diagnoses(self) -> bool:
        """Whether the network has an output for each diagnosis, not one melanoma logit."""
        return self.config.target == "diagnosis"

    @cached_property
    def cells(self) -> Cells | None:
        """The cells of balanced sampling; None if each image is drawn equally often."""
        return cells_of(self.target.labels, self.archives, self.config)

    @cached_property
    def drawn(self) -> Shares:
        """The share of each of K classes among the draws, (K,)."""
        weights = self.cells.weights if self.cells else None
        counts = np.bincount(
            self.target.labels, weights=weights, minlength=len(self.target.allowed)
        )
        return class_shares(counts.astype(np.float64), self.target.allowed)

    @cached_property
    def offset(self) -> Shares | None:
        """The numbers that the loss "logit_adjusted" adds to K scores; else None.

        They are the logarithms of the classes' shares among the draws.
        """
        if self.config.loss != "logit_adjusted":
            return None
        alike = balances(self.config)
        shares = np.full(2, 0.5) if alike else np.maximum(self.drawn, 1e-6)
        found: Shares = np.log(shares)
        return found

    @cached_property
    def prior_shift(self) -> Shares:
        """The shift of K scores that sampling and loss cause, (K,): to be subtracted."""
        shift = -self.offset if self.offset is not None else 0.0
        if self.cells is None:
            return np.zeros(len(self.target.classes)) + shift
        drawing = prior_shift(
            self.target.labels, self.archives, self.target.allowed, self.cells.weights
        )
        return drawing + shift

    @property
    def logit_shift(self) -> float:
        """The number to subtract from a melanoma logit so that it means a probability.

        It is 0 for a network with an output for each diagnosis, which itself subtracts
        `prior_shift` from its scores.
        """
        if self.tells_diagnoses:
            return 0.0  # the network subtracts it from each score
        rest, melanoma = self.prior_shift
        return logit_shift(self.config, self.prevalence) + float(melanoma - rest)

    @property
    def prevalence(self) -> float:
        """The share of melanoma among the images; only valid if the target is melanoma."""
        return float(np.mean(self.target.labels == 1))

    def begin(self, model: Classifier) -> None:
        """Give `model` the outputs of this lesson, in place, and initialise its last layer.

        For the target diagnosis the model gets an output for each class and the
        `prior_shift`. With `imbalance` "bias" the untrained model answers the share of each
        class among the draws, or equal shares if the loss itself adds the `offset`.
        """
        starts = self.config.imbalance == "bias"
        adjusted = self.offset is not None  # then the loss adds the shares itself
        if self.tells_diagnoses:
            model.tell_apart(self.target.classes)
            model.prior_shift.copy_(torch.from_numpy(self.prior_shift))
            if starts:
                alike = np.ones(len(self.drawn))
                start_at_shares(model.output, alike if adjusted else self.drawn)
        elif starts:
            logit = 0.0 if adjusted else prior_logit(float(self.drawn[1]))
            start_at_prior(model.output, logit)

    def asked_of(self, batch: Batch) -> Batch:
        """Return `batch` with the labels for the loss; for diagnoses, `target.labels`."""
        if not self.tells_diagnoses:
            return batch
        mine = torch.from_numpy(self.target.labels)[batch.places.cpu()]
        return replace(batch, labels=mine.to(batch.images.device))

    def loss(self, device: torch.device) -> Loss:
        """Return the loss function, which takes (network outputs, labels).

        Where diagnoses are learnt the labels are those of `target.labels`, otherwise 1
        (melanoma) or 0 (not melanoma).
        """
        config = self.config
        if config.loss == "auc_margin":
            return partial(auc_margin_loss, margin=config.margin)
        smoothing = config.label_smoothing
        focus = config.focus if config.loss == "focal" else 0.0
        if self.tells_diagnoses:
            return partial(
                marginal_loss,
                allowed=torch.from_numpy(self.target.allowed).to(device),
                smoothing=smoothing,
                towards=torch.from_numpy(self.drawn).float().to(device),
                focus=focus,
                offset=self._offset_on(device),
            )
        weighted = config.imbalance == "class_weights"
        rest, melanoma = self.offset if self.offset is not None else (0.0, 0.0)
        return partial(
            weighted_bce,
            weights=class_weights(self.prevalence) if weighted else (1.0, 1.0),
            smoothing=smoothing,
            towards=0.5 if balances(config) else float(self.drawn[1]),
            focus=focus,
            offset=float(melanoma - rest),
        )

    def _offset_on(self, device: torch.device) -> Tensor | None:
        if self.offset is None:
            return None
        return torch.from_numpy(self.offset).float().to(device)


def taught(
    table: pd.DataFrame, role: pd.Series[str], config: TrainConfig
) -> tuple[Lesson, pd.Series[str]]:
    """Return the lesson of the training images of `table`, and the role of each row.

    `role` holds "train", "validation" … for each row. A training image whose label tells
    nothing about the target gets the role `LEFT_OUT` in the returned roles.
    """
    learnt = (role == TRAIN).to_numpy(bool)
    target = target_of(table, learnt, config)
    silent = learnt & (target.labels < 0)
    role = role.mask(silent, LEFT_OUT)
    learnt = learnt & ~silent
    archives, _ = pd.factorize(table["dataset"].astype("string").fillna(""))
    mine = replace(target, labels=target.labels[learnt])
    return Lesson(mine, archives[learnt].astype(np.int64), config), role


def plain_lesson(labels: NDArray[np.float32], config: TrainConfig) -> Lesson:
    """Return the lesson of images of one data set whose labels are melanoma (1) or not (0).

    `labels` are (N,), one for each of N training images.
    """
    target = Target(
        ("not melanoma", "melanoma"), np.eye(2, dtype=np.bool_), (labels > 0.5).astype(int)
    )
    return Lesson(target, np.zeros(len(labels), dtype=np.int64), config)
