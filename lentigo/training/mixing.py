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

    Mixup (Zhang et al. 2018, arXiv:1710.09412) takes the weighted mean of both, CutMix (Yun
    et al. 2019, arXiv:1905.04899) puts a rectangle of the other one in place. The loss is
    that of both labels, (N, 2), weighted as the images are. The first label is that of the
    image that has the larger part, so that what is shown of an epoch stays readable; the
    pairs are the same either way round. What is known of the patients is weighted as the
    images are. Without mixing, batch and loss come back as they are.
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
    known = batch.metadata
    if known is not None:
        known = known * share + known[other] * (1 - share)
    mix = replace(batch, images=images, labels=labels, metadata=known)
    return mix, _of_both(loss, share)


def mixup(images: Tensor, others: Tensor, share: float) -> Tensor:
    """Return `share` of `images` and the rest of `others`, (N, C, H, W) `uint8`."""
    mean = images.float() * share + others.float() * (1 - share)
    return mean.round().to(images.dtype)


def cutmix(
    images: Tensor, others: Tensor, share: float, *, rng: np.random.Generator
) -> tuple[Tensor, float]:
    """Return `images` with one rectangle from `others`, and what they keep of their area.

    The rectangle has the proportions of the image and the area 1 - `share`; its centre may
    be anywhere, and what lies outside is lost, so they may keep more than `share`.
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
