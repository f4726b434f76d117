"""A range test of learning rates: one step at each rising rate until the loss explodes.

Smith 2017 (arXiv:1506.01186). The loss first hardly moves, then falls, then rises and
explodes. A rate at which the loss falls learns fast and is still safe. The losses are
smoothed, because the loss of a single batch is noisy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from lentigo.config import RatesConfig
from lentigo.training.trainer import Trainer

_SMOOTH = 0.95
"""Weight of the earlier losses in the exponential running mean (bias-corrected)."""
_BURST = 4.0
"""The test ends when the smoothed loss exceeds this many times its lowest value."""
_CLEAR = 0.02
"""The smoothed loss has to fall by at least this share, or no rate is recommended."""
_SAFE, _UNSETTLED = 10.0, 10
"""The recommended rate is the rate of the lowest loss divided by `_SAFE`. The first
1 / `_UNSETTLED` of the steps only gives the starting loss: its mean is of few batches."""


@dataclass(frozen=True)
class Advice:
    """Learning rates read off the losses of a range test; NaN where none can be read."""

    rate: float
    """The recommended rate: a tenth of `lowest_at`, at which training is fast and safe."""
    lowest_at: float
    """The rate at which the smoothed loss was lowest."""


def rates_of(config: RatesConfig) -> NDArray[np.float64]:
    """Return the rates to try, (steps,), evenly spaced on a logarithmic scale."""
    return np.geomspace(config.lowest, config.highest, config.steps)


def losses_at(trainer: Trainer, rates: Sequence[float]) -> list[float]:
    """Take one training step at each of `rates`; return the loss before each step.

    The images are drawn as in a training. Head and backbone learn, or only the head if all
    epochs of the settings are frozen ones. The test ends early, with fewer losses than
    rates, when the loss explodes, is NaN or is infinite. The weights of the trainer's
    network are useless afterwards.
    """
    found: list[float] = []
    try:
        for loss in trainer.probe(_batches(trainer), rates):
            found.append(loss)
            known = smoothed(found)
            if len(found) > 1 and known[-1] > _BURST * known.min():
                break
    except FloatingPointError:
        pass
    return found


def _batches(trainer: Trainer) -> Iterator[list[tuple[int, tuple[int, ...]]]]:
    return chain.from_iterable(trainer.order.epoch(epoch) for epoch in count())


def smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    """Return the exponential running mean of N losses, (N,): older losses count less."""
    mean, found = 0.0, []
    for number, loss in enumerate(losses, start=1):
        mean = _SMOOTH * mean + (1 - _SMOOTH) * loss
        found.append(mean / (1 - _SMOOTH**number))
    return np.array(found)


def advice(rates: Sequence[float], losses: Sequence[float]) -> Advice:
    """Return the learning rate that the losses of a range test recommend.

    It is a tenth of the rate with the lowest smoothed loss, the rule of thumb of Howard's
    fastai: at the rate with the lowest loss, the loss is about to rise. If the loss does
    not fall clearly, both rates of the result are NaN.
    """
    mean = smoothed(losses)
    tried = np.asarray(rates, np.float64)[: len(mean)]
    if len(mean) < 2:
        return Advice(math.nan, math.nan)
    low, first = int(mean.argmin()), len(rates) // _UNSETTLED
    if low <= first or mean[low] > (1 - _CLEAR) * mean[: first + 1].mean():
        return Advice(math.nan, math.nan)
    return Advice(float(tried[low]) / _SAFE, float(tried[low]))
