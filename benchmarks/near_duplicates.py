"""Recall, precision and time of near-duplicates, beside what is usually done.

    python benchmarks/near_duplicates.py [--images 1000] [--seed 1] [--shared ../shared]

Real images (half of ISIC 2017, half of HAM10000, each another lesion) are altered from
their original pixels in each way and in all at once, written as JPEG files and put through
the pixel store like any image. Where `--shared` is not there, drawn lesions take their
place. The limits of lentigo were set with seed 0; another seed draws other images.

Peer: a perceptual hash of 64 bits within 10 bits, as usual tools do it (imagehash, pHash):
each with each, as the images are, and in the eight turns.

Then the time: of the whole of HAM10000 in growing parts, one thread, CPU seconds, beside
comparing the hashes of the eight turns each with each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from lentigo.config import ImagingConfig
from lentigo.curation import duplicate_pairs
from lentigo.curation.duplicates.prints import Prints, fingerprints
from lentigo.datasets import read_table
from lentigo.datasets.synthetic import draw_dataset
from lentigo.imaging.store.build import PixelStore, build_store

Image = np.ndarray[Any, Any]
Pairs = set[tuple[str, str]]
Change = Callable[[Image, np.random.Generator], Image]

PEER_BITS = 10
TWICE = [
    "ISIC_0012970", "ISIC_0013594", "ISIC_0012673", "ISIC_0013184", "ISIC_0014795",
    "ISIC_0014788", "ISIC_0015124", "ISIC_0014657", "ISIC_0014748", "ISIC_0014742",
    "ISIC_0014739", "ISIC_0015313", "ISIC_0014846", "ISIC_0014818", "ISIC_0014791",
    "ISIC_0014778", "ISIC_0014771", "ISIC_0014946", "ISIC_0010571",
]  # fmt: skip
"""The second of each pair of ISIC 2017 that was seen, by eye, to be one: left out."""


def turned(image: Image, rng: np.random.Generator) -> Image:
    turn = rng.integers(1, 8)
    flipped = image[:: -1 if turn & 2 else 1, :: -1 if turn & 1 else 1]
    return np.ascontiguousarray(flipped.swapaxes(0, 1) if turn & 4 else flipped)


def resized(image: Image, rng: np.random.Generator) -> Image:
    share = 2 ** rng.uniform(-1, 1)
    way = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, None, fx=share, fy=share, interpolation=way))


def squashed(image: Image, _: np.random.Generator) -> Image:
    side = min(image.shape[:2])
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA))


def cropped(image: Image, rng: np.random.Generator) -> Image:
    """95 % of each side, anywhere."""
    height, width = image.shape[:2]
    high, wide = round(0.95 * height), round(0.95 * width)
    top, left = rng.integers(height - high + 1), rng.integers(width - wide + 1)
    return image[top : top + high, left : left + wide]


def trimmed(image: Image, _: np.random.Generator) -> Image:
    """5 % cut from each edge."""
    down, across = (round(0.05 * side) for side in image.shape[:2])
    return image[down:-down, across:-across]


def lit(image: Image, rng: np.random.Generator) -> Image:
    share = rng.choice([0.9, 1.1])
    return np.asarray(np.clip(np.rint(image * share), 0, 255).astype(np.uint8))


CHANGES: dict[str, tuple[tuple[Change, ...], int]] = {
    "flip or quarter turn": ((turned,), 95),
    "resized 0.5 to 2 times": ((resized,), 95),
    "squashed to a square": ((squashed,), 95),
    "JPEG quality 40": ((), 40),
    "95 % of each side": ((cropped,), 95),
    "5 % cut from each edge": ((trimmed,), 95),
    "brightness -10 or +10 %": ((lit,), 95),
    "all, 95 % of each side": ((turned, cropped, resized, lit), 40),
    "all, 5 % from each edge": ((turned, trimmed, resized, lit), 40),
}
"""Each way: what is done, in this order, and the quality of the JPEG file."""


def originals(shared: Path, folder: Path, *, images: int, seed: int) -> pd.DataFrame:
    """Images of as many lesions: columns image_id and path."""
    if not (shared / "data").is_dir():
        print(f"{shared}/data is not there: drawn lesions take the place of real ones.")
        return draw_dataset(folder / "drawn", images=images, size=256, seed=seed)
    isic = read_table("isic2017", shared / "data/isic2017")
    isic = isic[isic["path"].notna() & ~isic["image_id"].isin(TWICE)]
    ham = read_table("ham10000", shared / "data/ham10000")
    ham = ham[ham["path"].notna()].drop_duplicates("lesion_id")
    each = [table.sample(images // 2, random_state=seed) for table in (isic, ham)]
    return pd.concat(each, ignore_index=True)


def made_set(table: pd.DataFrame, folder: Path, *, seed: int) -> pd.DataFrame:
    """The originals and a copy altered in each way: image_id, path, of, change."""
    rng, rows = np.random.default_rng(seed), []
    for name, path in zip(table["image_id"], table["path"], strict=True):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        assert image is not None, path
        rows.append((name, path, name, "original"))
        for number, (change, (steps, quality)) in enumerate(CHANGES.items()):
            copy: Image = image
            for step in steps:
                copy = step(copy, rng)
            file = folder / f"{name}-{number}.jpg"
            cv2.imwrite(str(file), copy, [cv2.IMWRITE_JPEG_QUALITY, quality])
            rows.append((file.stem, str(file), name, change))
    return pd.DataFrame(rows, columns=["image_id", "path", "of", "change"])


def scores(made: pd.DataFrame, pairs: Pairs) -> pd.DataFrame:
    """For each way of altering: recall of (original, copy), and precision among both.

    All pairs of pictures of one original are true; without a pair, precision is NaN.
    """
    of = dict(zip(made["image_id"], made["of"], strict=True))
    change = dict(zip(made["image_id"], made["change"], strict=True))
    rows = []
    for name in CHANGES:
        copies = made.loc[made["change"] == name, "image_id"]
        found = [tuple(sorted((of[copy], copy))) in pairs for copy in copies]
        among = [
            of[a] == of[b] for a, b in pairs if {change[a], change[b]} <= {name, "original"}
        ]
        rows.append((name, np.mean(found), np.mean(among) if among else np.nan))
    right = [of[a] == of[b] for a, b in pairs]
    each = len(CHANGES) + 1
    possible = made["of"].nunique() * each * (each - 1) / 2
    rows.append(("all pairs of the set", sum(right) / possible, np.mean(right)))
    return pd.DataFrame(rows, columns=["change", "recall", "precision"]).set_index("change")


def peer_pairs(prints: Prints, ids: list[str], *, turns: int, bits: int) -> Pairs:
    """Each with each, by the hash of the whole image alone."""
    hashes, found = prints.hashes[:, 0, :], set()
    for start in range(0, len(ids), 256):
        block = hashes[start : start + 256, :turns]
        far = np.bitwise_count(block[:, :, None] ^ hashes[None, None, :, 0]).min(axis=1)
        for i, j in zip(*np.nonzero(far <= bits), strict=True):
            if i + start < j:
                found.add(tuple(sorted((ids[i + start], ids[j]))))
    return found


def our_pairs(store: PixelStore, made: pd.DataFrame) -> Pairs:
    table = made.assign(sha256=store.index["sha256"].array)
    pairs = duplicate_pairs(store.images, table)
    return set(zip(pairs["a"], pairs["b"], strict=True))


def show_quality(shared: Path, folder: Path, *, images: int, seed: int) -> None:
    table = originals(shared, folder, images=images, seed=seed)
    made = made_set(table, folder, seed=seed)
    store = build_store(made, folder / "store", config=ImagingConfig(size=256))
    prints, ids = fingerprints(store.images, workers=1), made["image_id"].tolist()
    ways = {
        "lentigo": our_pairs(store, made),
        "pHash": peer_pairs(prints, ids, turns=1, bits=PEER_BITS),
        "pHash, 8 turns": peer_pairs(prints, ids, turns=8, bits=PEER_BITS),
    }
    shown = pd.concat({way: scores(made, pairs) for way, pairs in ways.items()}, axis=1)
    print(f"{len(table):,} originals, {len(made):,} files, seed {seed}:")
    print(shown.to_string(float_format=lambda value: f"{value:.4f}"))
    of = dict(zip(made["image_id"], made["of"], strict=True))
    wrong = [pair for pair in ways["lentigo"] if of[pair[0]] != of[pair[1]]]
    print(f"False pairs of lentigo: {len(wrong):,} of {len(ways['lentigo']):,}", wrong[:3])


def show_archive(shared: Path, folder: Path) -> None:
    """Pairs of HAM10000 across two lesions, and the time in growing parts."""
    table = read_table("ham10000", shared / "data/ham10000")
    table = table[table["path"].notna()].sample(frac=1, random_state=0, ignore_index=True)
    store = build_store(table, folder / "ham10000", config=ImagingConfig(size=256))
    duplicate_pairs(store.images[:50], table[:50], workers=1)  # compiles
    for count in (1000, 2000, 4000, len(table)):
        images = store.images[:count]
        start = time.process_time()
        pairs = duplicate_pairs(images, table[:count], workers=1)
        ours = time.process_time() - start
        prints = fingerprints(images, workers=1)
        start = time.process_time()
        peer_pairs(prints, table["image_id"][:count].tolist(), turns=8, bits=0)
        peer = time.process_time() - start
        print(
            f"{count:6,} images of HAM10000: {ours:5.1f} s of CPU, "
            f"{ours / count * 10_000:5.1f} s per 10,000; all hashes compared {peer:5.1f} s"
        )
    lesion = table.set_index("image_id")["lesion_id"]
    across = lesion[pairs["a"]].to_numpy() != lesion[pairs["b"]].to_numpy()
    print(f"{len(pairs):,} pairs, {across.sum()} of them across two lesions")
    print(pairs[across].to_string() if across.any() else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    beside = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=beside)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show_quality(options.shared, folder, images=options.images, seed=options.seed)
        if (options.shared / "data/ham10000").is_dir():
            show_archive(options.shared, folder)


if __name__ == "__main__":
    main()
