"""Stochastic weight averaging: the mean of the weights at the ends of the last epochs.

Izmailov et al. 2018 (arXiv:1803.05407): at a constant learning rate the weights move around
a flat minimum of the loss, and their mean has a lower loss than the weights of any single
epoch. The statistics of batch normalisation cannot be averaged, so they are recomputed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from lentigo.models.batch import Batch
from lentigo.models.classifier import Classifier
from lentigo.stopping import stop_if_asked

ENOUGH = 4096
"""Number of images from which batch statistics are computed; more make no difference."""


class EpochAverage:
    """The mean of a network's weights over the epochs that were added."""

    def __init__(self, model: Classifier) -> None:
        self.module: Classifier = copy.deepcopy(model).requires_grad_(False).eval()
        self.epochs = 0
        """Number of epochs that were added."""
        self.last = -1
        """The epoch that was added last, counted from 0; -1 before the first."""

    def add(self, model: Classifier, epoch: int) -> None:
        """Add the weights of `model` after `epoch` to the mean; each epoch counts once.

        Buffers, such as batch statistics, are copied from `model`.
        """
        if epoch == self.last:
            return
        weights = dict(model.named_parameters())
        with torch.no_grad():
            for name, mean in self.module.named_parameters():
                mean.lerp_(weights[name], 1 / (self.epochs + 1))
            buffers = dict(model.named_buffers())
            for name, kept in self.module.named_buffers():
                kept.copy_(buffers[name])
        self.epochs, self.last = self.epochs + 1, epoch

    def recompute(
        self,
        model: Classifier,
        batches: Iterable[Batch],
        context: AbstractContextManager[object],
    ) -> None:
        """Recompute the batch-normalisation statistics of the mean network from `batches`.

        The batches should be as large as those that the network learns from at once. Only
        layers that are in training mode in `model` get new statistics; frozen layers keep
        theirs. Each batch has equal weight, and no random numbers are used. `context`
        sets the precision.
        """
        learning = {
            name for name, layer in model.named_modules()
            if isinstance(layer, _BatchNorm) and layer.training
        }  # fmt: skip
        norms = [
            layer for name, layer in self.module.named_modules()
            if name in learning and isinstance(layer, _BatchNorm)
            and layer.track_running_stats
        ]  # fmt: skip
        if not norms:
            return
        before = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
            norm.train()
        try:
            with torch.no_grad(), context:
                for batch in batches:
                    self.module(batch.images, *batch.beside)
                    stop_if_asked()
        finally:
            for norm, momentum in zip(norms, before, strict=True):
                norm.momentum = momentum
                norm.eval()

    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint: weights, number of epochs, last epoch."""
        weights = self.module.state_dict()
        return {"weights": weights, "epochs": self.epochs, "last": self.last}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state that `state()` returned."""
        self.module.load_state_dict(state["weights"])
        self.epochs, self.last = int(state["epochs"]), int(state["last"])
