"""Out-of-distribution signals of an image for one network, and their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lentigo.inference.abstention.neighbours import Neighbours, Rows
from lentigo.inference.abstention.pictures import PICTURE_SIGNALS, side_for
from lentigo.models.abstention import Abstention
from lentigo.models.backend import Looked
from lentigo.models.index import Index

FloatArray = NDArray[np.float64]

NEAREST = 10
"""The distance to the 10th nearest training image counts; the 1st may be a near-copy."""

NETWORK_SIGNALS = ("neighbours", "distance", "early", "energy", "spread")
SIGNALS = (*NETWORK_SIGNALS, *PICTURE_SIGNALS)

_UNKNOWN = "looks like nothing I learnt from"
WORDS = {
    "neighbours": _UNKNOWN,
    "distance": _UNKNOWN,
    "early": "its colours and texture are unlike those that I learnt from",
    "energy": "no diagnosis that I know fits it",
    "spread": "mirrored or turned, it gets another answer",
    "members": "the networks contradict each other",
    "kind": "does not look like dermoscopy",
    "print": "looks like a page of text",
    "blur": "too blurred to judge",
    "dark": "too dark to judge",
    "bright": "too bright to judge",
    "frame": "too little beside the black frame to judge",
}
"""Reasons why a model abstains, by the signal that is furthest above its limit."""


@dataclass(frozen=True)
class Familiar:
    """The index of one network's training images, and its out-of-distribution limit."""

    index: Index
    abstention: Abstention
    views: int
    """Number of views (mirrored, turned) of each image with which the limit was set."""

    @cached_property
    def neighbours(self) -> Neighbours:
        """Return the training images, ready to be searched."""
        return Neighbours(self.index)

    @property
    def side(self) -> int:
        """Return the `side` of the `picture_signals` with which the limit was set."""
        return side_for(early=len(self.index.early_mean) > 0)

    def values(
        self, looked: Looked, pictures: FloatArray, *, views: int | None = None
    ) -> FloatArray:
        """Return the S signals of N images, (S, N), in the order of `abstention.signals`.

        `pictures` are the `picture_signals`, (6, N). If `views` is another number than that
        of the limit, the signal `spread`, the disagreement between views, is NaN.
        """
        found = dict(
            zip(SIGNALS, signal_values(self.neighbours, looked, pictures), strict=True)
        )
        nothing = np.full(looked.answers.shape[1], np.nan)
        if views not in {None, self.views}:
            found["spread"] = nothing
        return np.stack([found.get(each.name, nothing) for each in self.abstention.signals])


def signal_values(
    neighbours: Neighbours, looked: Looked, pictures: FloatArray, *, own: Rows | None = None
) -> FloatArray:
    """Return the `SIGNALS` of N images, one row per signal, (11, N).

    `pictures` are the `picture_signals`, (6, N); `own`, (N,), is the row of each image in
    the index, if it is a training image, to be left out. `neighbours` is the logarithm of
    the distance to the 10th nearest training image (Sun et al. 2022, arXiv:2204.06507),
    `distance` that of the squared Mahalanobis distance to all of them (Lee et al. 2018,
    arXiv:1807.03888; beyond the principal components all directions have the same variance,
    as in Tipping & Bishop 1999, doi:10.1111/1467-9868.00196), `early` that by the early
    features; NaN if index or network lack them.
    """
    index = neighbours.index
    inside, beyond = index.reduced(looked.features)
    far, _ = neighbours.nearest(inside, NEAREST, own=own)
    tenth = far[:, -1] if far.shape[1] else np.zeros(len(inside), np.float32)
    whole = np.sqrt(tenth**2 + beyond**2)
    maha = ((inside / index.spreads) ** 2).sum(axis=1) + (beyond / index.rest[0]) ** 2
    early = index.early_distance(looked.early)
    if early is None:
        early = np.full(len(inside), np.nan, np.float32)
    return np.stack(
        [
            np.log(np.maximum(whole, 1e-9)),
            np.log(np.maximum(maha, 1e-9)),
            np.log(np.maximum(early, 1e-9)),
            looked.energy,
            np.log(looked.spread + 0.01),
            *pictures,
        ]
    ).astype(np.float64)


def words_of(names: Sequence[str], strangeness: FloatArray) -> list[str]:
    """Return for each of N images the reason in words that belongs to its largest signal.

    `strangeness` has the scores of the S signals `names`, (S, N).
    """
    if not len(names):
        return [""] * strangeness.shape[1]
    worst = np.where(np.isnan(strangeness), -np.inf, strangeness).argmax(axis=0)
    return [WORDS.get(names[place], "is strange to me") for place in worst]
