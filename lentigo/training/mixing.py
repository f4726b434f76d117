"""Mix the images of a batch with each other: mixup and CutMix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from lentigo.config import TrainConfig
from lentigo.models.batch import Batch
from lentigo.training.step import Loss


def mixed(
    batch: Batch, loss: Loss, config: TrainConfig, *, rng: np.random.Generator
) -> tuple[Batch, Loss]:
    """Return a batch of images that are mixed in pairs, and the loss that goes along.

    Mixup (Zhang et al. 2018, arXiv:1710.09412) takes the weighted mean of both images,
    CutMix (Yun et al. 2019, arXiv:1905.04899) pastes a rectangle of one into the other. The
    labels of the returned batch are (N, 2), and the loss is the mean of the losses for both
    labels, weighted by the images' shares. The first label is that of the image with the
    larger share, so that the AUC that is logged for an epoch keeps its meaning; the
    pairs are the same either way round. Metadata of the patients is weighted as the labels
    are, and so are the probabilities of a teacher (`Batch.soft`), if it gave them for the
    single images. Without mixing, batch and loss are returned unchanged.
    """
    kinds = [kind for kind in ("mixup", "cutmix") if getattr(config, kind)]
    if not kinds or len(batch.images) < 2:
        return batch, loss
    kind = kinds[int(rng.integers(len(kinds)))]
    alpha = getattr(config, kind)
    share = float(rng.beta(alpha, alpha))
    share = max(share, 1 - share)
    other = torch.from_numpy(rng.permutation(len(batch.images))).to(batch.images.device)
    if kind == "mixup":
        images = mixup(batch.images, batch.images[other], share)
    else:
        images, share = cutmix(batch.images, batch.images[other], share, rng=rng)
    labels = torch.stack([batch.labels, batch.labels[other]], dim=1)
    known, soft = (
        None if each is None else each * share + each[other] * (1 - share)
        for each in (batch.metadata, batch.soft)
    )
    mix = replace(batch, images=images, labels=labels, metadata=known, soft=soft)
    return mix, _of_both(loss, share)


def mixup(images: Tensor, others: Tensor, share: float) -> Tensor:
    """Return `share` · `images` + (1 - `share`) · `others`, all (N, C, H, W) `uint8`."""
    mean = images.float() * share + others.float() * (1 - share)
    return mean.round().to(images.dtype)


def cutmix(
    images: Tensor, others: Tensor, share: float, *, rng: np.random.Generator
) -> tuple[Tensor, float]:
    """Paste a rectangle of `others` into `images`; also return the share of area they keep.

    The rectangle has the aspect ratio of the image and 1 - `share` of its area. Its centre
    may be anywhere in the image; the part outside the image is cut off, so `images` may
    keep more than `share` of their area.
    """
    height, width = images.shape[-2:]
    half = (1 - share) ** 0.5 / 2
    row, column = rng.uniform(0, height), rng.uniform(0, width)
    top, bottom = _within(row, half * height, height)
    left, right = _within(column, half * width, width)
    pasted = images.clone()
    pasted[..., top:bottom, left:right] = others[..., top:bottom, left:right]
    return pasted, 1 - (bottom - top) * (right - left) / (height * width)


def _within(centre: float, half: float, side: int) -> tuple[int, int]:
    return max(0, round(centre - half)), min(side, round(centre + half))


def _of_both(loss: Loss, share: float) -> Loss:
    def both(given: Tensor, labels: Tensor) -> Tensor:
        own, others = labels.unbind(dim=1)
        return share * loss(given, own) + (1 - share) * loss(given, others)

    return both
