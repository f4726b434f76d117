"""Stochastic weight averaging: the mean of the weights at the ends of the last epochs.

Izmailov et al. 2018 (arXiv:1803.05407): at a rate that no longer falls, a network wanders
around a flat valley, and the mean of where it was lies deeper in it than each of them.
Batch statistics would be those of no network that ever ran, so they are computed anew.
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
"""Images from which batch statistics are computed; more change nothing that is seen."""


class EpochAverage:
    """The mean of a network's weights over the epochs that were added."""

    def __init__(self, model: Classifier) -> None:
        self.module: Classifier = copy.deepcopy(model).requires_grad_(False).eval()
        self.epochs = 0
        """How many were added."""
        self.last = -1
        """The epoch that was added last."""

    def add(self, model: Classifier, epoch: int) -> None:
        """Add the weights of `model` after `epoch`; each epoch counts once.

        Everything that is no weight, batch statistics among it, is as in `model`.
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
        """Compute the statistics of those batch norms of the mean that learn in `model`.

        Each batch counts alike. Frozen ones stay as they are, and nothing is drawn at
        random.
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
        """Return what a checkpoint holds of it."""
        weights = self.module.state_dict()
        return {"weights": weights, "epochs": self.epochs, "last": self.last}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        self.module.load_state_dict(state["weights"])
        self.epochs, self.last = int(state["epochs"]), int(state["last"])
