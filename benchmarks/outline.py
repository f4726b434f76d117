"""The outline of a lesion against masks drawn by people, on HAM10000.

    python benchmarks/outline.py [--shared ../shared] [--images 2000]
    python benchmarks/outline.py --fit

Lesions are dealt into four parts by their id. `--fit` fits the coefficients on the first
part (2,013 images) and writes `lentigo/imaging/segmentation/fitted.json`; all numbers are
of images of the other three. The peer is Otsu's threshold on the distance to the skin's
colour. Pictures without a lesion are corners of the same images, cut out beside the mask.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from lentigo.datasets import read_table
from lentigo.evaluation.means import clustered_mean
from lentigo.evaluation.shares import clustered_share
from lentigo.imaging.segmentation import find, find_outline, fitted, pixels
from lentigo.imaging.segmentation.pieces import largest, piece_features, pieces
from lentigo.imaging.views.hair import dullrazor

Array = np.ndarray[Any, np.dtype[Any]]
MASKS = "HAM10000_segmentations_lesion_tschandl"
FAILED = 0.65
"""Jaccard index below which the ISIC 2018 challenge counted an outline as failed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=beside)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    table = read_table("ham10000", given.shared / "data" / "ham10000")
    table = table[table["path"].notna()]
    table["mask"] = [
        given.shared / "data" / "ham10000" / MASKS / f"{name}_segmentation.png"
        for name in table["image_id"]
    ]
    first = table["lesion_id"].map(part_of) == 0
    if given.fit:
        fit(table[first], Path(fitted.__file__).with_name("fitted.json"))
        return
    show(table[~first].sample(given.images, random_state=0).sort_index())


def part_of(lesion: str) -> int:
    return int(hashlib.sha256(lesion.encode()).hexdigest(), 16) % 4


def read(row: Any) -> tuple[Array, Array]:
    """The image and its mask."""
    return (
        np.asarray(Image.open(row.path).convert("RGB")),
        np.asarray(Image.open(row.mask)) > 127,
    )


def jaccard(a: Array, b: Array) -> float:
    return float((a & b).sum()) / max(float((a | b).sum()), 1.0)


def fit(table: pd.DataFrame, path: Path) -> None:
    """Fit the pixels on all images; the pieces on guesses by pixels of other images."""
    rows = list(table.itertuples())
    side = np.array([part_of(row.lesion_id[::-1]) % 2 for row in rows])
    samples = [sample(row, seed) for seed, row in enumerate(rows)]

    def pixels_of(chosen: Array) -> tuple[Array, float]:
        x = np.concatenate([samples[nth][0] for nth in chosen])
        y = np.concatenate([samples[nth][1] for nth in chosen])
        scaler = StandardScaler().fit(x)
        model = LogisticRegression(max_iter=1000).fit(scaler.transform(x), y)
        slope = model.coef_[0] / scaler.scale_
        return slope, float(model.intercept_[0] - slope @ scaler.mean_)

    features, truth = [], []
    for half in (0, 1):
        pixels.PIXELS = fitted.Linear(*pixels_of(np.flatnonzero(side != half)))
        for nth in np.flatnonzero(side == half):
            image, mask = read(rows[nth])
            seen = pixels.guess(image)
            small = cv2.resize(
                mask.astype(np.uint8), seen.first.shape[::-1], interpolation=0
            )
            for each in pieces(seen):
                features.append(piece_features(each, seen))
                truth.append(jaccard(each > 0, small > 0))
    x, y = np.array(features, float), np.array(truth)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    model = Ridge(100).fit(fitted.quadratic_terms((x - mean) / spread), y)
    slope, intercept = pixels_of(np.arange(len(rows)))
    content = {
        "pixels": {"coefficients": rounded(slope), "intercept": round(intercept, 5)},
        "pieces": {
            "mean": rounded(mean), "spread": rounded(spread),
            "coefficients": rounded(model.coef_),
            "intercept": round(float(model.intercept_), 5),
        },
    }  # fmt: skip
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{len(rows):,} images, {len(y):,} pieces: {path}")


def rounded(values: Array) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def sample(row: Any, seed: int) -> tuple[Array, Array]:
    """The numbers of 60 pixels of an image, and whether they are lesion."""
    image, mask = read(row)
    small = pixels._small(image)
    hidden = pixels._hidden(small)
    lab = pixels.hairless_lab(small)
    there = cv2.resize(mask.astype(np.uint8), small.shape[1::-1], interpolation=0) > 0
    places = np.random.default_rng(seed).choice(np.flatnonzero(~hidden), 60)
    values = pixels.pixel_features(lab, hidden)
    return values.reshape(-1, values.shape[-1])[places], there.ravel()[places]


def otsu(image: Array) -> Array:
    """The peer: Otsu's threshold on the distance to skin; the largest central piece."""
    lab = cv2.cvtColor(dullrazor(image), cv2.COLOR_RGB2LAB).astype(np.float32)
    lab = cv2.GaussianBlur(lab, (0, 0), 2)
    rim = np.ones(image.shape[:2], bool)
    rim[12:-12, 12:-12] = False
    rim &= lab[..., 0] > np.percentile(lab[..., 0], 20)
    skin = np.median(lab[rim], axis=0)
    away = np.linalg.norm(lab - skin, axis=-1)
    away *= np.where(lab[..., 0] < skin[0] + 8, 1, 0.3)  # light spots are no lesion
    plane = np.clip(away, 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(plane, 0, 1, cv2.THRESH_OTSU)
    above = (plane > 0.8 * level).astype(np.uint8)
    found = list(largest(above, at_most=1))
    return found[0] > 0 if found else above > 1


def show(table: pd.DataFrame) -> None:
    group = pd.factorize(table["lesion_id"])[0]
    rows = [read(row) for row in table.itertuples()]
    print(
        f"{len(table):,} images of {group.max() + 1:,} lesions, 95 % intervals by lesion\n"
    )
    print(
        "| method | Dice | Jaccard | Jaccard under 0.65 | ms an image |\n"
        "|---|---|---|---|---|"
    )
    outlines = []

    def ours(image: Array) -> Array:
        outlines.append(find_outline(image))
        return outlines[-1].mask

    ways: dict[str, Callable[[Array], Array]] = {
        "Otsu on the distance to the skin's colour": otsu,
        "`lentigo outline`": ours,
    }
    for name, way in ways.items():
        started = time.process_time()
        values = np.array([jaccard(way(image), mask) for image, mask in rows])
        each = 1000 * (time.process_time() - started) / len(rows)
        show_row(name, values, group, each)
    show_answers(outlines, values, group)
    show_skin(rows, outlines)


def show_row(name: str, values: Array, group: Array, each: float) -> None:
    numbers = (
        clustered_mean(2 * values / (1 + values), group),
        clustered_mean(values, group),
        clustered_share(values < FAILED, group),
    )
    cells = [f"{one.value:.3f} ({one.low:.3f}–{one.high:.3f})" for one in numbers]
    print(f"| {name} | {' | '.join(cells)} | {each:.0f} |")


def show_answers(outlines: list[Any], values: Array, group: Array) -> None:
    print("\n| answer | images | Jaccard | under 0.65 |\n|---|---|---|---|")
    found = np.array([each.found for each in outlines])
    for answer in dict.fromkeys(found):
        there = found == answer
        print(
            f"| {answer} | {there.sum():,} | {values[there].mean():.3f} | "
            f"{(values[there] < FAILED).mean():.3f} |"
        )
    certainty = np.array([each.certainty for each in outlines])
    print("\n| certainty | images | Jaccard | under 0.65 |\n|---|---|---|---|")
    for low, high in ((0, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 1.01)):
        there = (certainty >= low) & (certainty < high)
        if there.any():
            mean = clustered_mean(values[there], pd.factorize(group[there])[0])
            missed = (values[there] < FAILED).mean()
            print(
                f"| {low}–{min(high, 1)} | {there.sum():,} | {mean.value:.3f} "
                f"({mean.low:.3f}–{mean.high:.3f}) | {missed:.3f} |"
            )


def show_skin(rows: list[tuple[Array, Array]], outlines: list[Any]) -> None:
    """How often skin without a lesion is answered with one."""
    seen = [find_outline(crop) for crop in skin(rows)]
    wrong = sum(each.found != "no lesion" for each in seen)
    lost = sum(each.found == "no lesion" for each in outlines)
    print(
        f"\nSkin without a lesion: a lesion in {wrong} of {len(seen)} crops. "
        f"No lesion in {lost} of {len(outlines)} images with one. Limits: step "
        f"{find.FAINTEST}, certainty {find.LEAST_CERTAIN}."
    )


def skin(rows: list[tuple[Array, Array]]) -> list[Array]:
    """Corners of 50 × 50 pixels that lie at least 10 pixels away from the mask."""
    found = []
    for image, mask in rows:
        far = cv2.dilate(mask.astype(np.uint8), np.ones((21, 21), np.uint8)) == 0
        for part in (np.s_[5:55, 5:55], np.s_[5:55, -55:-5], np.s_[-55:-5, 5:55]):
            if far[part].all() and image[part].min() > 60:
                found.append(np.ascontiguousarray(image[part]))
                break
    return found[:400]


if __name__ == "__main__":
    main()
