"""All pairs of hashes within 6 bits: `python benchmarks/hamming.py`.

One core. Uniform hashes are the textbook's case; clustered ones stand for those of real
lesions, which agree in their lowest frequencies: 2,000 centres, of which each bit is kept
with a chance of 0.92. The peer compares each hash with each by numpy, on 20,000 hashes,
and its time is scaled by the square. faiss takes part where it is installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lentigo.curation.duplicates.hamming import pairs_within

BITS = 6
COUNTS = (50_000, 100_000, 200_000, 400_000)
Array = np.ndarray[Any, Any]


def main() -> None:
    started = time.process_time()
    pairs_within(uniform(1000), bits=BITS)
    spent = time.process_time() - started
    print(f"first call (compiled code is loaded or made): {spent:.2f} s")
    for name, draw in (("uniform", uniform), ("clustered", clustered)):
        growth(name, draw)


def growth(name: str, draw: Callable[[int], Array]) -> None:
    """Seconds at each count, how they grow, and what the peer would take."""
    seconds = []
    for count in COUNTS:
        hashes = draw(count)
        spent, pairs = timed(hashes)
        seconds.append(spent)
        print(f"{name:>9} {count:8,} hashes: {spent:6.2f} s of CPU, {pairs:,} pairs")
    slope, offset = np.polyfit(np.log(COUNTS), np.log(seconds), 1)
    ten_million = np.exp(offset + slope * np.log(1e7))
    print(
        f"{name:>9} time grows as N^{slope:.2f}; 10 million by that: {ten_million:,.0f} s"
    )
    peer = each_with_each(draw(20_000)) * (COUNTS[-1] / 20_000) ** 2
    print(f"{name:>9} numpy, each with each, {COUNTS[-1]:,}: {peer:,.0f} s (scaled), "
          f"{peer / seconds[-1]:,.0f} times as long")  # fmt: skip
    by_faiss(draw(COUNTS[-1]))


def timed(hashes: Array) -> tuple[float, int]:
    started = time.process_time()
    a, _ = pairs_within(hashes, bits=BITS)
    return time.process_time() - started, len(a)


def each_with_each(hashes: Array) -> float:
    started = time.process_time()
    for start in range(0, len(hashes), 256):
        block = hashes[start : start + 256, None] ^ hashes[None, start:]
        np.nonzero(np.bitwise_count(block) <= BITS)
    return time.process_time() - started


def by_faiss(hashes: Array) -> None:
    try:
        import faiss
    except ImportError:
        return
    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryMultiHash(64, 4, 16)
    index.nflip = 1
    codes = np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 8)
    started = time.process_time()
    index.add(codes)
    limits, _, _ = index.range_search(codes, BITS + 1)
    spent = time.process_time() - started
    print(f"{'':>9} faiss IndexBinaryMultiHash: {spent:,.1f} s, {int(limits[-1]):,} hits")


def uniform(count: int) -> Array:
    return np.random.default_rng(0).integers(0, 2**64, count, dtype=np.uint64)


def clustered(count: int) -> Array:
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 2**64, 2000, dtype=np.uint64)[rng.integers(0, 2000, count)]
    turned = np.zeros(count, np.uint64)
    for bit in range(64):
        turned |= (rng.random(count) < 0.08).astype(np.uint64) << np.uint64(bit)
    return centres ^ turned


if __name__ == "__main__":
    main()
