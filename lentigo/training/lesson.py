"""Targets, draws and loss of one training."""

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
    """The targets of a training part's images, and how often each image is drawn."""

    target: Target
    """Of the images of the training part alone, each of which says something."""
    archives: NDArray[np.int64]
    """The number of the archive of each image."""
    config: TrainConfig

    @property
    def sentence(self) -> str:
        """Say which diagnoses are told apart, each with the images of that one alone."""
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
        """Whether the network gives a score for each of several diagnoses."""
        return self.config.target == "diagnosis"

    @cached_property
    def cells(self) -> Cells | None:
        """How often images are drawn; None where that is once an image."""
        return cells_of(self.target.labels, self.archives, self.config)

    @cached_property
    def drawn(self) -> Shares:
        """The share of each class among the draws, (K,)."""
        weights = self.cells.weights if self.cells else None
        counts = np.bincount(
            self.target.labels, weights=weights, minlength=len(self.target.allowed)
        )
        return class_shares(counts.astype(np.float64), self.target.allowed)

    @cached_property
    def offset(self) -> Shares | None:
        """The shift that the loss adds to each class's score, (K,); None for most losses.

        It is the logarithm of the share of each class among the draws.
        """
        if self.config.loss != "logit_adjusted":
            return None
        alike = balances(self.config)
        shares = np.full(2, 0.5) if alike else np.maximum(self.drawn, 1e-6)
        found: Shares = np.log(shares)
        return found

    @cached_property
    def prior_shift(self) -> Shares:
        """The shift of each class's score from drawing and loss, (K,)."""
        shift = -self.offset if self.offset is not None else 0.0
        if self.cells is None:
            return np.zeros(len(self.target.classes)) + shift
        drawing = prior_shift(
            self.target.labels, self.archives, self.target.allowed, self.cells.weights
        )
        return drawing + shift

    @property
    def logit_shift(self) -> float:
        """The shift to subtract from a melanoma logit so that it means a probability."""
        if self.tells_diagnoses:
            return 0.0  # the network subtracts it from each score
        rest, melanoma = self.prior_shift
        return logit_shift(self.config, self.prevalence) + float(melanoma - rest)

    @property
    def prevalence(self) -> float:
        """The share of melanoma among the images, where they say whether they are."""
        return float(np.mean(self.target.labels == 1))

    def begin(self, model: Classifier) -> None:
        """Make `model` answer what is taught, beginning at the shares that are drawn."""
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

    def loss(self, device: torch.device) -> Loss:
        """Return the loss of what the network gives and the labels (`target.labels`)."""
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
    """Return what the training part of a table teaches, and the roles (see `ROLES`).

    An image of the training part whose label says nothing of the target is left out.
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
    """Return the lesson of images of one archive of which only melanoma is known."""
    target = Target(
        ("not melanoma", "melanoma"), np.eye(2, dtype=np.bool_), (labels > 0.5).astype(int)
    )
    return Lesson(target, np.zeros(len(labels), dtype=np.int64), config)
