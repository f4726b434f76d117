"""One look of a network at images: what it answers, without learning."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from lentigo.models.batch import Batch


def predict_logits(
    model: nn.Module,
    batches: Iterable[Batch],
    *,
    mirror: bool,
    context: AbstractContextManager[object],
) -> tuple[Tensor, Tensor]:
    """Logits and places of every image in `batches`, both (N,), on the device.

    `mirror` answers the mean over the image and its mirror image; `context` sets the
    arithmetic.
    """
    model.eval()
    logits, places = [], []
    with torch.inference_mode(), context:
        for batch in batches:
            answer = model(batch.images).float()
            if mirror:
                answer = (answer + model(batch.images.flip(3)).float()) / 2
            logits.append(answer)
            places.append(batch.places)
    return torch.cat(logits), torch.cat(places)
