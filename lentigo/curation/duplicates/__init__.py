"""Find the same picture twice: the same file, the same pixels, or nearly the same.

Near-duplicates are found in two steps. Hashes of an image and of its parts give candidate
pairs (`search`); a pair counts if the fine structure of the two images (network, hairs,
outline) coincides (`confirm`). `prints` holds the data kept of each image.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from lentigo.curation.duplicates.confirm import LEAST_CORRELATION, similarities
from lentigo.curation.duplicates.joined import Joined
from lentigo.curation.duplicates.prints import Prints, digest, fingerprints
from lentigo.curation.duplicates.search import MOST_BITS, candidates
from lentigo.errors import ConfigError, DatasetError
from lentigo.machine import cores
from lentigo.words import counted

__all__ = [
    "LEAST_CORRELATION", "MOST_BITS", "NEAR", "SAME_FILE", "SAME_PIXELS", "duplicate_pairs",
]  # fmt: skip

SAME_FILE, SAME_PIXELS, NEAR = "identical file", "identical pixels", "near-duplicate"

Array = np.ndarray[Any, Any]
Found = tuple[int, int, str, float]


def duplicate_pairs(images: Any, table: pd.DataFrame, *, workers: int = 0) -> pd.DataFrame:
    """Return the pairs of images in `table` that show the same picture.

    `images` is (N, S, S, 3) `uint8` RGB: N squares of S × S pixels, one per row of `table`,
    in its order. It may be an array, a memory map, or any sequence of images. Each image is
    read once, and a second time if it equals another at reduced size. `workers` is the
    number of threads; 0 means one per core. About 5 kB are kept per image.

    The result has the columns `a` and `b` (two `image_id`, in alphabetical order), `kind`:
    "identical file" (by `sha256`), "identical pixels" or "near-duplicate", the strongest
    that holds, and `similarity`: the correlation of the fine structure of two
    near-duplicates, 1 for identical images. Of several identical images each is paired with
    the first, which then represents them all among the near-duplicates.

    Copies are found after any of the eight flips and quarter turns, recompression, another
    size or aspect ratio, crops to nine tenths of the side, another brightness or colour
    correction, and all of these at once; not after other rotations or narrower crops. An
    image of a single colour, such as one that could not be decoded, is in no pair but for
    identical files.

    Raises `DatasetError` if `images` and `table` do not have the same length, and
    `ConfigError` if `workers` is negative.
    """
    if len(images) != len(table):
        raise DatasetError(
            f"There are {counted(len(images), 'image')} for {counted(len(table), 'row')} "
            f"of the table; give "
            "the rows that the images belong to, in their order."
        )
    if workers < 0:
        raise ConfigError(f"workers is {workers}; give 1 or more, or 0 for one a core.")
    if len(table) == 0:
        return _as_frame([], table)
    threads = workers or cores()
    prints = fingerprints(images, workers=threads)
    files, pixels = table["sha256"].reset_index(drop=True), _exact(images, prints)
    found: list[Found] = [(*rows, SAME_FILE, 1.0) for rows in _with_first(files)]
    found += [(*rows, SAME_PIXELS, 1.0) for rows in _with_first(pixels)]
    alone = (pixels.notna() & ~pixels.duplicated() & ~_repeated(files)).to_numpy()
    found += _near(prints, np.flatnonzero(alone & ~prints.plain), threads)
    return _as_frame(found, table)


def _near(prints: Prints, rows: Array, threads: int) -> list[Found]:
    """Return the near-duplicates among `rows` as (row a, row b, kind, similarity)."""
    joined, structure = Joined(len(rows)), prints.structure[rows]
    with ThreadPoolExecutor(threads) as pool:
        for batch in candidates(prints.hashes[rows]):
            pairs = batch.take(joined.still_open(batch.a, batch.b))
            similar = similarities(structure, pairs, pool=pool)
            sure = similar >= LEAST_CORRELATION
            joined.add(pairs.a[sure], pairs.b[sure], similar[sure])
    return [
        (int(rows[a]), int(rows[b]), NEAR, similarity)
        for a, b, similarity in joined.pairs()
    ]


def _exact(images: Any, prints: Prints) -> pd.Series[Any]:
    """Return a key per image that is equal only for equal pixels; None for a single colour.

    It is the digest of the small grey image, or of all pixels if the small image is not
    unique.
    """
    digests = pd.Series(prints.digests, dtype=object)
    alike = digests.duplicated(keep=False) & digests.notna()
    exact = {row: digest(images[row]) for row in np.flatnonzero(alike).tolist()}
    return digests.where(~alike, pd.Series(exact, dtype=object))


def _with_first(keys: pd.Series[Any]) -> list[tuple[int, int]]:
    """Pair each row whose key occurred before with the first row of that key."""
    known = keys[keys.notna()]
    rows = pd.Series(known.index, index=known.index)
    first = rows.groupby(known).transform("min")
    later = first[first != rows]
    return list(zip(later.tolist(), later.index.tolist(), strict=True))


def _repeated(keys: pd.Series[Any]) -> pd.Series[bool]:
    return keys.duplicated() & keys.notna()


def _as_frame(found: list[Found], table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per pair, with its strongest kind, sorted by `a` and `b`."""
    names = table["image_id"].tolist()
    ends = [sorted((names[a], names[b])) for a, b, _, _ in found]
    pairs = pd.DataFrame(
        {
            "a": pd.Series([a for a, _ in ends], dtype="string"),
            "b": pd.Series([b for _, b in ends], dtype="string"),
            "kind": pd.Series([kind for _, _, kind, _ in found], dtype="string"),
            "similarity": pd.Series([each for *_, each in found], dtype="float64"),
        }
    )
    return pairs.drop_duplicates(["a", "b"]).sort_values(["a", "b"], ignore_index=True)
