"""Which images are drawn how often, and what that adds to the answers of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lentigo.config import TrainConfig

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Cells:
    """Images in cells (classes, archives, or both), each drawn with a share of its own."""

    cells: Numbers
    """The cell of each image, from 0."""
    shares: Shares
    """The share of the draws of each cell; together 1."""

    @property
    def weights(self) -> Shares:
        """How many times as often as by plain chance each image is drawn."""
        counts = np.bincount(self.cells, minlength=len(self.shares))
        weights: Shares = (self.shares * len(self.cells) / counts)[self.cells]
        return weights

    def drawn(self, count: int) -> Numbers:
        """The cell of each of the first `count` draws of an endless row of them.

        At any point of the row each cell has had its share to within a few draws, for the
        multiples of the golden ratio cover the unit interval as evenly as can be.
        """
        place = (np.arange(count) + 0.5) * _GOLDEN % 1
        ends = np.cumsum(self.shares)
        return np.searchsorted(ends[:-1], place, side="right").astype(np.int64)


def cells_of(labels: Numbers, archives: Numbers, config: TrainConfig) -> Cells | None:
    """The cells that `balance` asks for; None where images are drawn as they are.

    A cell of n images is drawn in proportion to n ** (1 - `balance_power`): with 0.5 to the
    square root of n, as Mahajan et al. 2018 (arXiv:1805.00932) sample rare hashtags.
    """
    if config.balance == "none":
        return None
    keys = {
        "class": (labels,),
        "archive": (archives,),
        "class_and_archive": (labels, archives),
    }[config.balance]
    _, cells, counts = np.unique(
        np.stack(keys, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    wanted = counts.astype(np.float64) ** (1 - config.balance_power)
    return Cells(cells.reshape(-1).astype(np.int64), wanted / wanted.sum())


def class_shares(counts: Shares, allowed: NDArray[np.bool_]) -> Shares:
    """The share of each class, (K,), where label l, of `counts[l]` images, allows several.

    Images whose label allows several classes are counted to them in proportion to their
    shares, found by expectation and maximisation (Dempster et al. 1977).
    """
    shares: Shares = np.full(allowed.shape[1], 1 / allowed.shape[1])
    for _ in range(50 if (allowed.sum(axis=1) > 1).any() else 1):
        parts = allowed * shares
        sums = parts.sum(axis=1, keepdims=True)
        # Without an image of any class that a label allows, its classes share alike.
        parts = np.where(sums > 0, parts / np.where(sums > 0, sums, 1), 0)
        shares = counts @ parts / counts.sum()
    return shares


def prior_shift(
    labels: Numbers, archives: Numbers, allowed: NDArray[np.bool_], weights: Shares
) -> Shares:
    """The shift of each class's score, (K,), from drawing images `weights` times as often.

    That of a class is the logarithm of its share among the draws over its share among the
    images (Saerens et al. 2002, doi:10.1162/089976602753284446). It is taken within each
    archive, since a network sees which one an image is from, and the mean over archives
    counts each by its images of that class. So a probability means the class as common as
    it is in the training images of the archive that an image looks like.
    """
    total, images = (np.zeros(allowed.shape[1]) for _ in range(2))
    for archive in np.unique(archives):
        mine = archives == archive
        before, after = (
            class_shares(
                np.bincount(labels[mine], each[mine], len(allowed)).astype(np.float64),
                allowed,
            )
            for each in (np.ones(len(weights)), weights)
        )
        there = (before > 1e-9) & (after > 1e-9)
        ratio = np.log(np.where(there, after, 1) / np.where(there, before, 1))
        counted = np.where(there, before, 0) * mine.sum()
        total, images = total + counted * ratio, images + counted
    shift: Shares = np.where(images > 0, total / np.where(images > 0, images, 1), 0)
    return shift
