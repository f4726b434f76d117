"""Find the same picture twice: the same file, the same pixels, or nearly the same.

Near-duplicates are found in two steps. A hash of 63 bits (the signs of the lowest
frequencies of the grey image; after Zauner 2010, "Implementation and benchmarking of
perceptual image hash functions") names candidates under the eight flips and quarter
turns. What counts is then the fine structure: network, hairs and outline must lie on one
another. Colour and brightness do not matter, because archives hold one photograph in
several colour corrections.

The limits were set on real archives. Among 8,013 images of HAM10000, pictures of
different lesions reach a correlation of 0.744, while 0.8 and more is reached by pictures of
one lesion only; ISIC 2017's known near-duplicates reach 0.95 and more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd

from lentigo.errors import DatasetError
from lentigo.progress import track

SAME_FILE, SAME_PIXELS, NEAR = "identical file", "identical pixels", "near-duplicate"

MOST_BITS = 10
"""Candidates differ in at most so many of the 63 bits of the hash."""
LEAST_CORRELATION = 0.80
"""Near-duplicates correlate at least so well in their fine structure."""

_SIDE = 64
_MARGIN = 4
_SHIFT = 4
_CLIP = 12.0
_BLOCK = 512

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Prints:
    """What is kept of N images while they are compared, about 7 kB each."""

    pixels: pd.Series[Any]
    """A digest of all pixels; missing for an image of a single colour."""
    frequencies: Array
    """(N, 8, 8), the lowest of the grey image."""
    fine: Array
    """(N, 56, 56) float16: its fine structure, of mean 0 and length 1."""


def duplicate_pairs(images: Any, table: pd.DataFrame) -> pd.DataFrame:
    """The pairs of images in `table` that show the same picture.

    `images` is (N, S, S, 3) `uint8` RGB, one a row of `table` and in its order; a memory
    map is read once, in chunks. Returned are the columns `a` and `b` (two `image_id`, in
    alphabetical order) and `kind`: "identical file" (by `sha256`), "identical pixels" or
    "near-duplicate", the strongest that holds. Of several identical images each is paired
    with the first, which then stands for them all among the near-duplicates.

    Flips, quarter turns, recompression, another resolution or colour correction, and
    shifts of up to a sixteenth of the side are seen through; other turns and crops are
    not. An image of a single colour, such as one that could not be decoded, resembles none.

    Raises `DatasetError` where `images` and `table` do not have the same length.
    """
    if len(images) != len(table):
        raise DatasetError(
            f"There are {len(images):,} images for {len(table):,} rows of the table; give "
            "the rows that the images belong to, in their order."
        )
    if len(table) == 0:
        return _as_frame([], table)
    prints = _fingerprints(images)
    files, pixels = table["sha256"].reset_index(drop=True), prints.pixels
    found = [(*rows, SAME_FILE) for rows in _with_first(files)]
    found += [(*rows, SAME_PIXELS) for rows in _with_first(pixels)]
    alone = (pixels.notna() & ~pixels.duplicated() & ~_repeated(files)).to_numpy()
    found += [(*rows, NEAR) for rows in _near(prints, np.flatnonzero(alone))]
    return _as_frame(found, table)


def _fingerprints(images: Any) -> _Prints:
    count, inner = len(images), _SIDE - 2 * _MARGIN
    frequencies = np.empty((count, 8, 8), np.float32)
    fine = np.empty((count, inner, inner), np.float16)
    digests: list[bytes | None] = []
    for row in track(range(count), total=count, label="Looking for duplicates"):
        grey = cv2.cvtColor(np.ascontiguousarray(images[row]), cv2.COLOR_RGB2GRAY)
        grey = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA)
        frequencies[row] = cv2.dct(small.astype(np.float32))[:8, :8]
        fine[row] = _fine(grey)
        digests.append(None if grey.min() == grey.max() else _digest(grey))
    return _Prints(_exact(images, pd.Series(digests, dtype=object)), frequencies, fine)


def _exact(images: Any, digests: pd.Series[Any]) -> pd.Series[Any]:
    """Where images look alike when small, the digest of all their pixels instead."""
    alike = digests.duplicated(keep=False) & digests.notna()
    exact = {
        int(row): _digest(np.ascontiguousarray(images[row]))
        for row in np.flatnonzero(alike)
    }
    return digests.where(~alike, pd.Series(exact, dtype=object))


def _digest(pixels: Array) -> bytes:
    return hashlib.sha256(pixels.tobytes()).digest()


def _near(prints: _Prints, rows: Array) -> Iterator[tuple[int, int]]:
    """The pairs among `rows` that nearly agree, each once."""
    confirmed: set[tuple[int, int]] = set()
    for turn in range(8):
        a, b = _candidates(prints.frequencies[rows], turn)
        for first, second in zip(
            *_confirm(prints.fine, rows[a], rows[b], turn), strict=True
        ):
            confirmed.add((int(first), int(second)))
    yield from sorted(confirmed)


def _candidates(frequencies: Array, turn: int) -> tuple[Array, Array]:
    """Positions (a, b), a < b, where b flipped by `turn` has nearly the hash of a."""
    hashes, turned = _hashes(frequencies), _hashes(_turned_frequencies(frequencies, turn))
    first, second = [], []
    for start in range(0, len(hashes), _BLOCK):
        bits = np.bitwise_count(hashes[start : start + _BLOCK, None] ^ turned[None, start:])
        a, b = np.nonzero(bits <= MOST_BITS)
        first.append(a[a < b] + start)
        second.append(b[a < b] + start)
    return np.concatenate(first), np.concatenate(second)


def _hashes(frequencies: Array) -> Array:
    """The signs of 63 frequencies in one (N,) uint64; the mean brightness is left out."""
    bits = frequencies.reshape(len(frequencies), 64) > 0
    bits[:, 0] = False
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def _turned(images: Array, turn: int) -> Array:
    """(…, H, W) flipped: bit 0 left-right, bit 1 top-bottom, bit 2 then transposed."""
    flipped = images[..., :: -1 if turn & 2 else 1, :: -1 if turn & 1 else 1]
    return flipped.swapaxes(-1, -2) if turn & 4 else flipped


def _turned_frequencies(frequencies: Array, turn: int) -> Array:
    # Mirroring an image turns the sign of its odd frequencies.
    odd = np.where(np.arange(8) % 2, -1.0, 1.0)
    signs = (odd[:, None] if turn & 2 else 1.0) * (odd[None, :] if turn & 1 else 1.0)
    flipped = frequencies * signs
    return flipped.swapaxes(-1, -2) if turn & 4 else flipped


def _confirm(fine: Array, a: Array, b: Array, turn: int) -> tuple[Array, Array]:
    """Those of the pairs whose fine structures correlate, shifted by a few pixels."""
    kept = np.zeros(len(a), dtype=bool)
    for start in range(0, len(a), _BLOCK):
        part = slice(start, start + _BLOCK)
        first = fine[a[part]].astype(np.float32)
        second = _turned(fine[b[part]], turn).astype(np.float32)
        # Cheap first: a true pair agrees somewhat even before it is shifted into place.
        likely = np.flatnonzero((first * second).sum(axis=(1, 2)) > 0.3)
        best = _best_correlation(first[likely], second[likely])
        kept[start + likely[best >= LEAST_CORRELATION]] = True
    return a[kept], b[kept]


def _fine(grey: Array) -> Array:
    """(64, 64) grey to (56, 56) of mean 0 and length 1: what is finer than a few pixels.

    Strong edges are clipped, so that two dark frames or rulers do not make a pair.
    """
    values = grey.astype(np.float32)
    detail = np.clip(values - cv2.GaussianBlur(values, (0, 0), 2.0), -_CLIP, _CLIP)
    inner = detail[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    inner = inner - inner.mean()
    return np.asarray(inner / (np.linalg.norm(inner) + 1e-6))


def _best_correlation(first: Array, second: Array) -> Array:
    """The best correlation of each pair, (N,), over shifts of a few pixels."""
    spectrum = np.fft.rfft2(first) * np.conj(np.fft.rfft2(second))
    correlation = np.fft.irfft2(spectrum, s=first.shape[1:])
    near = np.arange(-_SHIFT, _SHIFT + 1)
    return np.asarray(correlation[:, near[:, None], near[None, :]].max(axis=(1, 2)))


def _with_first(keys: pd.Series[Any]) -> list[tuple[int, int]]:
    """Each row whose key came before, with the first row of that key."""
    known = keys[keys.notna()]
    rows = pd.Series(known.index, index=known.index)
    first = rows.groupby(known).transform("min")
    later = first[first != rows]
    return list(zip(later.tolist(), later.index.tolist(), strict=True))


def _repeated(keys: pd.Series[Any]) -> pd.Series[bool]:
    return keys.duplicated() & keys.notna()


def _as_frame(found: list[tuple[int, int, str]], table: pd.DataFrame) -> pd.DataFrame:
    """One row a pair, with the strongest kind, in alphabetical order."""
    names = table["image_id"].tolist()
    pairs = pd.DataFrame(
        [(*sorted((names[a], names[b])), kind) for a, b, kind in found],
        columns=["a", "b", "kind"],
        dtype="string",
    )
    return pairs.drop_duplicates(["a", "b"]).sort_values(["a", "b"], ignore_index=True)
