"""Judging images with a network in training, on all devices together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lentigo.config import TrainConfig
from lentigo.models.forward import predict_logits
from lentigo.training.data import Examples, in_order, load, worker_count
from lentigo.training.memory import Steps
from lentigo.training.step import gathered


def views_of_an_epoch(config: TrainConfig, *, validation: int, learnt: int) -> int:
    """Return the number of views of each validation image that choose the best epoch.

    It is `training.views` if judging the `validation` images then takes at most a quarter
    of the time of an epoch, which learns from `learnt` images (predicting an image takes a
    third of the time of learning from it), else at most 2.
    """
    looks = validation * config.views / 3
    return config.views if looks <= learnt / 4 else min(config.views, 2)


def answered(
    steps: Steps,
    network: nn.Module,
    examples: Examples,
    config: TrainConfig,
    *,
    context: Callable[[], AbstractContextManager[object]] = nullcontext,
    views: int | None = None,
) -> NDArray[np.float64]:
    """Return what `network` answers for N `examples`, (N, …), in their order.

    Each device judges its share, as many images at once as its memory holds. The answers
    are means over `views`, by default those of the settings, computed within `context`.
    """
    fabric = steps.fabric
    workers = worker_count(fabric.device, config)

    def judged(at_once: int) -> tuple[Tensor, Tensor]:
        batches = in_order(
            len(examples),
            batch_size=at_once,
            rank=fabric.global_rank,
            world=fabric.world_size,
        )
        read = load(examples, batches, workers=workers, device=fabric.device)
        looks = views or config.views
        return predict_logits(network, read, looks=looks, context=context())

    logits, places = steps.look(judged, steps.looked_at(config.batch_size))
    return gathered(fabric, logits, places, count=len(examples))
