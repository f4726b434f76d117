"""The `Predictor` of a network that was just trained: torch, or ONNX Runtime for much work.

On a CPU, ONNX Runtime answers two to three times as many images a second as torch
(`benchmarks/engines.py`). To write the network as ONNX takes a few seconds, which pays for
several thousand images and not for a few hundred.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lentigo.errors import ModelError
from lentigo.models.backend import Predictor
from lentigo.models.network import Classifier
from lentigo.models.onnx_engine import OnnxPredictor, load_content
from lentigo.models.onnx_export import onnx_content
from lentigo.models.schema import Member
from lentigo.models.torch_predictor import TorchPredictor
from lentigo.progress import log

MUCH = 100_000_000
"""Input pixels from which ONNX Runtime is used: 4,000 passes of images of 160 px."""
_CLOSE = 1e-3
"""Largest difference of a logit from torch, relative to logits above 1."""


def predictor_of(network: Classifier, member: Member, *, passes: int) -> Predictor:
    """Return a trained network as a predictor, by the engine that ends first.

    `member` describes the network, and `passes` is the number of images that will pass
    through it, each view counted. The choice depends on these numbers alone and not on a
    clock, so that a repeated training gives the same predictions. A network on a GPU, one
    that cannot be written as ONNX, and one to which ONNX Runtime gives other answers stay
    with torch.
    """
    by_torch = TorchPredictor.of(network, member)
    if network.mean.device.type != "cpu" or passes * member.input.size**2 < MUCH:
        return by_torch
    try:
        by_onnx = load_content(
            onnx_content(network, size=member.input.size), member, Path(member.name)
        )
        _check_agrees(by_onnx, by_torch)
    except ModelError as error:
        log.info("The images are judged by torch, which takes longer: %s", error)
        return by_torch
    return by_onnx


def _check_agrees(by_onnx: OnnxPredictor, by_torch: TorchPredictor) -> None:
    """Raise `ModelError` if the two give other answers for four images of noise."""
    side = by_torch.preparation.size
    noise = np.random.default_rng(0).integers(0, 256, (4, side, side, 3), np.uint8)
    ours, theirs = (each.answers(noise, looks=1) for each in (by_onnx, by_torch))
    if not np.allclose(ours, theirs, rtol=_CLOSE, atol=_CLOSE, equal_nan=True):
        raise ModelError(
            "ONNX Runtime gives other answers than torch, by up to "
            f"{np.nanmax(np.abs(ours - theirs)):.2g} in a logit."
        )
