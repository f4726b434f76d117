"""A range test of learning rates: a step at each of ever higher rates, until it bursts.

Smith 2017 (arXiv:1506.01186). The loss first hardly moves, then falls, then rises and
explodes. A rate on the slope learns fast and is still safe. The loss is smoothed, since
that of one batch says little.
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
"""Weight of the losses so far; the mean is divided by what it lacks at the start."""
_BURST = 4.0
"""Above so many times the lowest smoothed loss nothing more is tried."""
_CLEAR = 0.02
"""By this share the smoothed loss has to fall at least, or no rate is named."""
_SAFE, _UNSETTLED = 10.0, 10
"""The mean of the first losses, a tenth of the steps, is that of a few batches only."""


@dataclass(frozen=True)
class Advice:
    """Learning rates read off the losses of a range test; NaN where none can be read."""

    rate: float
    """A tenth of `lowest_at`: where it learns, and safely so."""
    lowest_at: float
    """The rate at which the smoothed loss was lowest."""


def rates_of(config: RatesConfig) -> NDArray[np.float64]:
    """Return the rates that are tried, (steps,), each the same factor above the last."""
    return np.geomspace(config.lowest, config.highest, config.steps)


def losses_at(trainer: Trainer, rates: Sequence[float]) -> list[float]:
    """Take a step at each of `rates`, in the order in which a training draws its images.

    It learns what a training does after its frozen epochs. The losses are those before each
    step; there are fewer than rates where the loss has burst or is no number any more. The
    network is worth nothing afterwards.
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
    """Return the running mean of losses in which older ones count ever less, (N,)."""
    mean, found = 0.0, []
    for number, loss in enumerate(losses, start=1):
        mean = _SMOOTH * mean + (1 - _SMOOTH) * loss
        found.append(mean / (1 - _SMOOTH**number))
    return np.array(found)


def advice(rates: Sequence[float], losses: Sequence[float]) -> Advice:
    """Say which rate the losses of a range test speak for.

    It is a tenth of the rate with the lowest smoothed loss, the rule of thumb of Howard's
    fastai: at that rate itself the loss is about to rise. Where the loss does not fall
    clearly, no rate is named.
    """
    mean = smoothed(losses)
    tried = np.asarray(rates, np.float64)[: len(mean)]
    if len(mean) < 2:
        return Advice(math.nan, math.nan)
    low, first = int(mean.argmin()), len(rates) // _UNSETTLED
    if low <= first or mean[low] > (1 - _CLEAR) * mean[: first + 1].mean():
        return Advice(math.nan, math.nan)
    return Advice(float(tried[low]) / _SAFE, float(tried[low]))
