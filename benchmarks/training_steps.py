"""A training step beside plain PyTorch, in one run: `python benchmarks/training_steps.py`.

The peer is the loop that everybody writes: 32-bit floats, the usual memory layout, and
torchvision's transforms one image at a time. Both train one network on the same images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from torchvision.transforms import v2

from lentigo.config import ModelConfig
from lentigo.models.augment import augment
from lentigo.models.batch import Batch
from lentigo.models.network import build_model
from lentigo.models.stages import first_stages
from lentigo.recipes import quick
from lentigo.training.arithmetic import faster_arithmetic
from lentigo.training.compiling import measure_compiling
from lentigo.training.prefix import FrozenStages

BACKBONES = (
    "resnet10t",
    "mobilenet_edgetpu_100",
    "mobilenetv3_large_100",
    "tf_efficientnet_lite0",
    "legacy_xception",
)
SIZE, BATCH, STEPS = 160, 32, 4
CPU = torch.device("cpu")


def main() -> None:
    images = np.random.default_rng(0).integers(0, 256, (BATCH, 192, 192, 3), np.uint8)
    compare_augmentation(images)
    for name in BACKBONES:
        compare_steps(name)
    for name in ("tf_efficientnet_lite0", "tf_efficientnet_lite2"):
        compare_frozen(name, size=224, count=3)


def compare_augmentation(images: np.ndarray) -> None:
    config = quick().augment
    rng = np.random.default_rng(0)
    usual = v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.RandomAffine(180, translate=(0.05, 0.05), scale=(0.8, 1.25)),
            v2.Resize((SIZE, SIZE), antialias=True),
            v2.ColorJitter(0.15, 0.15, 0.15, 0.01),
        ]
    )
    tensors = [torch.from_numpy(image).permute(2, 0, 1) for image in images]
    ours = rate(lambda: [augment(image, config, size=SIZE, rng=rng) for image in images])
    theirs = rate(lambda: [usual(tensor) for tensor in tensors])
    print(f"augmentation, {SIZE} px: {ours:.0f} images a second; torchvision {theirs:.0f}; "
          f"ratio {ours / theirs:.1f}")  # fmt: skip


def compare_steps(name: str) -> None:
    model = build_model(ModelConfig(backbone=name, pretrained=False))
    plain = rate(step(model, precision="32-true"))
    chosen = faster_arithmetic(model, size=SIZE, device=CPU, batch=BATCH)
    if chosen.channels_last:
        model.to(memory_format=torch.channels_last)
    ours = rate(step(model, precision=chosen.precision))
    layout = ", channels last" if chosen.channels_last else ""
    print(f"{name}, {SIZE} px, {torch.get_num_threads()} threads: {ours:.1f} images a "
          f"second ({chosen.precision}{layout}); 32-true {plain:.1f}; "
          f"ratio {ours / plain:.2f}")  # fmt: skip
    short = torch.bfloat16 if chosen.precision == "bf16-mixed" else None
    found = measure_compiling(model, size=SIZE, batch=BATCH, device=CPU, short=short)
    if found is None:
        print(f"{name} cannot be compiled here")
        return
    print(f"{name}, compiled: {BATCH / found.compiled:.1f} images a second without the "
          f"optimiser; not compiled {BATCH / found.plain:.1f}; compiling took "
          f"{found.once:.0f} s")  # fmt: skip


def compare_frozen(name: str, *, size: int, count: int) -> None:
    """Print what a step with frozen first stages takes by the engine and by torch."""
    model = build_model(ModelConfig(backbone=name, pretrained=False))
    model.to(memory_format=torch.channels_last)
    stages = first_stages(model, count)
    engine = FrozenStages(model.backbone, stages)
    images = torch.randint(0, 256, (BATCH, 3, size, size), dtype=torch.uint8)
    optimizer = torch.optim.AdamW(
        [each for each in model.parameters() if not contains(stages.parameters, each)]
    )

    def once(by: AbstractContextManager[object]) -> float:
        model.train()
        stages.freeze()
        optimizer.zero_grad(set_to_none=True)
        start = time.process_time()
        with by:
            model(images).square().mean().backward()
            optimizer.step()
        return time.process_time() - start

    batch = Batch(images, torch.zeros(BATCH), torch.arange(BATCH))
    laps = [(once(nullcontext()), once(engine.by_engine(batch))) for _ in range(9)][1:]
    plain, ours = np.median(laps, axis=0)
    ratios = np.array([a / b for a, b in laps])
    print(f"{name}, {size} px, {count} stages frozen: {1000 * ours / BATCH:.0f} ms of "
          f"processor time an image by ONNX Runtime, {1000 * plain / BATCH:.0f} by torch; "
          f"ratio {np.median(ratios):.2f} ({ratios.min():.2f}–{ratios.max():.2f})"
    )  # fmt: skip


def contains(tensors: Iterable[torch.Tensor], one: torch.Tensor) -> bool:
    return any(each is one for each in tensors)


def step(model: torch.nn.Module, *, precision: str) -> Callable[[], object]:
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    labels = torch.randint(0, 2, (BATCH,)).float()

    def once() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"):
            logits = model(images)
        binary_cross_entropy_with_logits(logits.float(), labels).backward()
        optimizer.step()

    return once


def rate(work: Callable[[], object]) -> float:
    """Images a second, in the fastest of several rounds."""
    work()
    laps = []
    for _ in range(STEPS):
        start = time.perf_counter()
        work()
        laps.append(time.perf_counter() - start)
    return BATCH / min(laps)


if __name__ == "__main__":
    main()
