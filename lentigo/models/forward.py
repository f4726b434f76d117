"""Run a torch network on batches of images in evaluation mode, without gradients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from lentigo.models.batch import Batch


def predict_logits(
    model: nn.Module,
    batches: Iterable[Batch],
    *,
    looks: int,
    context: AbstractContextManager[object],
) -> tuple[Tensor, Tensor]:
    """Return the outputs and the places of all N images in `batches`, on the device.

    An output, (N, …), is the mean over `looks` versions of the image (see
    `network_view.LOOKS`). A place, (N,), is the position of the image among the examples,
    as in `Batch.places`. `context` sets the precision.
    """
    model.eval()
    logits, places = [], []
    with torch.inference_mode(), context:
        for batch in batches:
            answers = [
                model(each, *batch.beside).float()
                for each in looked_at(batch.images, looks)
            ]
            logits.append(sum(answers[1:], answers[0]) / looks)
            places.append(batch.places)
    return torch.cat(logits), torch.cat(places)


def looked_at(images: Tensor, looks: int) -> Iterator[Tensor]:
    """Yield `looks` versions of images, (N, C, S, S), as `network_view.looks` does."""
    for quarter in range(4 if looks == 8 else 1):
        turned = torch.rot90(images, quarter, dims=(2, 3)) if quarter else images
        yield turned
        if looks > 1:
            yield turned.flip(3)
