"""A cohort drawn in a moment: dark discs are melanomas, light ones are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lentigo.config import Config, with_settings
from lentigo.recipes import recipe
from lentigo.tables import check_table

TINY = {
    "model.backbone": "test_resnet",
    "model.pretrained": False,
    "imaging.size": 32,
    "training.image_size": 32,
    "training.epochs": 2,
    "training.batch_size": 16,
    "training.precision": "32-true",
    "evaluation.repeats": 50,
    "members": [],
    "export": False,
}


def tiny_config(**settings: object) -> Config:
    """A training of seconds; settings are given with __ for the dot."""
    changed = {name.replace("__", "."): value for name, value in settings.items()}
    return with_settings(recipe("demo"), {**TINY, **changed})


def disc(rng: np.random.Generator, *, dark: bool, side: int = 32) -> np.ndarray:
    """A (side, side, 3) `uint8` image of a disc on skin."""
    image = np.full((side, side, 3), (220, 180, 160), dtype=float)
    rows, columns = np.mgrid[:side, :side]
    centre = side / 2 + rng.uniform(-side / 10, side / 10, size=2)
    radius = rng.uniform(0.2, 0.35) * side
    inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
    image[inside] = (60, 40, 40) if dark else (150, 100, 80)
    return np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)


def draw_cohort(folder: Path, *, images: int = 80, seed: int = 0) -> pd.DataFrame:
    """`images` discs of half as many patients, a quarter of them dark."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(images):
        dark = (number // 2) % 4 == 0
        path = folder / f"L{number:03}.png"
        Image.fromarray(disc(rng, dark=dark)).save(path)
        rows.append(
            {
                "image_id": path.stem,
                "path": str(path),
                "dataset": "discs",
                "patient_id": f"P{number // 2:03}",
                "sex": ("female", "male")[number // 2 % 2],
                "age": float(rng.integers(4, 17) * 5) if number % 9 else float("nan"),
                "site": "torso" if number % 3 else pd.NA,
                "melanoma": dark,
                "diagnosis": "melanoma" if dark else "nevus",
            }
        )
    return check_table(pd.DataFrame(rows), source="the discs")
