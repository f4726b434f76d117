"""How often each image is drawn in training, and how this shifts the network's logits."""

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
    """Images sorted into cells (by class, by archive, or by both) for balanced sampling."""

    cells: Numbers
    """The number of the cell of each image, counted from 0."""
    shares: Shares
    """The share of all draws that each cell gets; the shares sum to 1."""

    @property
    def weights(self) -> Shares:
        """How often each image is drawn, relative to drawing all images equally often."""
        counts = np.bincount(self.cells, minlength=len(self.shares))
        weights: Shares = (self.shares * len(self.cells) / counts)[self.cells]
        return weights

    def drawn(self, count: int) -> Numbers:
        """The cell of each of the first `count` draws of an endless, fixed sequence.

        At any point of the sequence each cell has had its share to within a few draws,
        because multiples of the golden ratio cover the unit interval very evenly.
        """
        place = (np.arange(count) + 0.5) * _GOLDEN % 1
        ends = np.cumsum(self.shares)
        return np.searchsorted(ends[:-1], place, side="right").astype(np.int64)


def cells_of(labels: Numbers, archives: Numbers, config: TrainConfig) -> Cells | None:
    """The cells that `config.balance` asks for; None for "none" (no balanced sampling).

    `labels` and `archives` are the class and the data set of each image, as numbers. A cell
    of n images is drawn in proportion to n ** (1 - `balance_power`): with a power of 0.5 to
    the square root of n, as Mahajan et al. 2018 (arXiv:1805.00932) sample rare hashtags.
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
    """Estimate the share of each of K classes, (K,), from labels that may allow several.

    `counts`, (L,), holds the number of images of each of L labels; `allowed`, (L, K), the
    classes that each label allows. Images whose label allows several classes are divided
    among these in proportion to the classes' shares, which are found by
    expectation-maximisation (Dempster et al. 1977).
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
    """The shift of each class's score, (K,), caused by drawing images `weights` times.

    `labels` and `archives` are numbers for each image; `allowed`, (L, K), tells which of K
    classes each of L labels allows. The shift of a class is log(its share among the draws /
    its share among the images) (Saerens et al. 2002, doi:10.1162/089976602753284446). It is
    computed within each archive, because a network can recognise the archive of an image,
    and averaged over the archives, each weighted by its number of images of that class.
    After the shift is subtracted, a probability is right for an image of an archive in
    which the class is as common as among the training images of that archive.
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
