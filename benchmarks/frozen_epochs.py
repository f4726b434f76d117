"""Epochs of a frozen backbone, features kept or not: `python benchmarks/frozen_epochs.py`.

Both ways train one head on the same views of the same drawn images. It prints the seconds
of each epoch, and how far the two heads are apart at the end.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from lentigo.config import Config, with_settings
from lentigo.models.network import build_model
from lentigo.recipes import recipe
from lentigo.run_layout import FoldLayout
from lentigo.training.arithmetic import Arithmetic
from lentigo.training.data import Examples
from lentigo.training.fabric import make_fabric
from lentigo.training.fold import Fold
from lentigo.training.frozen import FrozenEpochs
from lentigo.training.loop import fit
from lentigo.training.trainer import Trainer

BACKBONE, SIZE, IMAGES, JUDGED, EPOCHS = "legacy_xception", 128, 192, 64, 3


def main() -> None:
    kept = trained()
    keeps, FrozenEpochs.keeps = FrozenEpochs.keeps, lambda *_: False  # type: ignore[method-assign, assignment]
    try:
        plain = trained()
    finally:
        FrozenEpochs.keeps = keeps  # type: ignore[method-assign]
    print(f"{BACKBONE}, {SIZE} px, {IMAGES} images and {JUDGED} to judge by")
    for name, fold in (("looks each time", plain), ("looks once", kept)):
        print(f"{name}: {[row['seconds'] for row in fold.progress.history]} s an epoch")
    slow, fast = (each.progress.history[-1]["seconds"] for each in (plain, kept))
    print(f"the last epoch is {slow / max(fast, 0.005):.0f} times faster")
    apart = [
        float((one - other).detach().abs().max())
        for one, other in zip(
            kept.model.head.parameters(), plain.model.head.parameters(), strict=True
        )
    ]
    print(f"weights of the two heads differ by {max(apart):.1e} at most")


def trained() -> Trainer:
    """Return a finished training of a head."""
    config: Config = with_settings(
        recipe("seed"),
        {
            "model.backbone": BACKBONE, "model.pretrained": False,
            "training.image_size": SIZE, "training.epochs": EPOCHS,
            "training.frozen_epochs": EPOCHS, "training.patience": 0,
        },
    )  # fmt: skip
    torch.manual_seed(0)
    parts = [examples(count, config) for count in (IMAGES, JUDGED)]
    parts[0].config = config.augment
    with tempfile.TemporaryDirectory() as folder:
        fold = Fold(FoldLayout(Path(folder)), config, parts[0], parts[1])
        fabric = make_fabric(config.training, Arithmetic(device="cpu"))
        trainer = Trainer(fabric, build_model(config.model), fold)
        fit(trainer)
    return trainer


def examples(count: int, config: Config) -> Examples:
    """Return images of noise, every third a melanoma."""
    rng = np.random.default_rng(count)
    labels = (np.arange(count) % 3 == 0).astype(np.float32)
    images = rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
    return Examples(images, np.arange(count), labels, size=config.training.image_size)


if __name__ == "__main__":
    main()
