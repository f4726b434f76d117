"""How fast a network that has just learnt judges its images: ONNX Runtime beside torch.

    python benchmarks/judging.py [--backbone tf_efficientnet_lite0] [--sizes 160,224]
        [--images 64]

Both engines answer for the same images in 8 views, as at the end of a training, in one
process and in turn. Told are passes of an image a second of processor time (medians of
three rounds), their ratio, what it takes to write the network as ONNX and to load it, and
from how many passes that pays. The weights are random: what a network costs does not
depend on them.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from lentigo.config import Config, with_settings
from lentigo.models.backend import Predictor
from lentigo.models.folder import ModelCard, member_of
from lentigo.models.network import Classifier, build_model
from lentigo.models.schema import Member
from lentigo.models.trained import MUCH, predictor_of

VIEWS = 8


def drawn(backbone: str, size: int) -> tuple[Classifier, Member]:
    """A network with random weights, as training leaves it, and its description."""
    config = with_settings(
        Config(),
        {
            "model.backbone": backbone, "model.pretrained": False, "imaging.size": size,
            "training.image_size": size, "training.views": VIEWS,
        },
    )  # fmt: skip
    card = ModelCard(
        logit_shift=0.0, prevalence=0.1, training_images=1, training_groups=1, archives=[],
        best_epoch=1, validation_auc=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    network = build_model(config.model).eval().to(memory_format=torch.channels_last)
    return network, member_of(network, card, config)


def passes_a_second(predictor: Predictor, images: np.ndarray) -> float:
    spent = []
    for _ in range(3):
        began = time.process_time()
        predictor.looked(images, looks=VIEWS)
        spent.append(time.process_time() - began)
    return len(images) * VIEWS / float(np.median(spent))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--sizes", default="160,224")
    parser.add_argument("--images", type=int, default=64)
    given = parser.parse_args()
    for size in map(int, given.sizes.split(",")):
        network, member = drawn(given.backbone, size)
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (given.images, size, size, 3), dtype=np.uint8)
        by_torch = predictor_of(network, member, passes=0)
        began = time.process_time()
        by_onnx = predictor_of(network, member, passes=MUCH)
        written = time.process_time() - began
        slow, fast = (passes_a_second(each, images) for each in (by_torch, by_onnx))
        pays = written / (1 / slow - 1 / fast)
        print(
            f"{given.backbone}, {size} px: torch {slow:.1f}, {by_onnx.engine} {fast:.1f} "
            f"passes a CPU second, {fast / slow:.1f} x; writing it {written:.1f} s, pays "
            f"from {pays:,.0f} passes (used from {MUCH / size**2:,.0f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
