from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lentigo.curation.duplicates import hamming
from lentigo.errors import ConfigError

Array = np.ndarray[Any, Any]


def uniform(count: int, *, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


def clustered(
    count: int, *, seed: int = 0, centres: int = 40, flips: float = 0.08
) -> Array:
    """Hashes that scatter about a few, and of which some bits are hardly ever set."""
    rng = np.random.default_rng(seed)
    noise = np.packbits(rng.random((count, 64)) < flips, axis=1).view(np.uint64)[:, 0]
    return uniform(centres, seed=seed)[rng.integers(centres, size=count)] ^ noise


def compared(a: Array, b: Array, bits: int) -> tuple[Array, Array]:
    """Each with each: slow, and plainly right."""
    i, j = np.nonzero(np.bitwise_count(a[:, None] ^ b[None, :]) <= bits)
    return i, j


def test_pairs_countable_by_eye() -> None:
    hashes = np.array([0b0000, 0b0011, 0b0111, 2**64 - 1], np.uint64)
    i, j = hamming.pairs_within(hashes, bits=2)
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 1), (1, 2)]
    i, j = hamming.pairs_between(hashes, hashes[2:], bits=1)
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(1, 0), (2, 0), (3, 1)]


@pytest.mark.parametrize("bits", [0, 1, 2, 3, 6, 8, 10])
@pytest.mark.parametrize("draw", [uniform, clustered])
def test_no_pair_is_missed_and_none_comes_twice(draw: Any, bits: int) -> None:
    hashes = draw(1500)
    i, j = compared(hashes, hashes, bits)
    np.testing.assert_array_equal(
        hamming.pairs_within(hashes, bits=bits), (i[i < j], j[i < j])
    )
    some, others = hashes[:400], hashes[400:]
    np.testing.assert_array_equal(
        hamming.pairs_between(some, others, bits=bits), compared(some, others, bits)
    )


def test_a_larger_set_is_searched_with_longer_keys_and_still_whole() -> None:
    hashes = np.concatenate([uniform(30_000), clustered(10_000, centres=900)])
    pieces, _ = hamming._plan(hashes, 6)
    assert len(pieces.widths) > 7
    i, j = hamming.pairs_within(hashes, bits=6)
    rows = np.random.default_rng(0).choice(len(hashes), 500, replace=False)
    first, second = compared(hashes[rows], hashes, 6)
    left, right = rows[first], second
    ends = np.column_stack([np.minimum(left, right), np.maximum(left, right)])
    expected = set(map(tuple, ends[left != right].tolist()))
    chosen = np.isin(i, rows) | np.isin(j, rows)
    assert set(zip(i[chosen].tolist(), j[chosen].tolist(), strict=True)) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=30),
    st.lists(st.integers(0, 63), max_size=30),
    st.integers(0, 12),
)
def test_whatever_the_hashes(values: list[int], flipped: list[int], bits: int) -> None:
    near = [value ^ (1 << bit) for value, bit in zip(values, flipped, strict=False)]
    hashes = np.array(values + near, np.uint64)
    i, j = compared(hashes, hashes, bits)
    np.testing.assert_array_equal(
        hamming.pairs_within(hashes, bits=bits), (i[i < j], j[i < j])
    )


@pytest.mark.parametrize("bits", [40, 63])
def test_far_apart_is_near_where_most_bits_may_differ(bits: int) -> None:
    hashes = uniform(6)
    i, j = compared(hashes, hashes, bits)
    np.testing.assert_array_equal(
        hamming.pairs_within(hashes, bits=bits), (i[i < j], j[i < j])
    )


def test_equal_hashes_come_in_blocks_and_a_full_block_loses_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hamming, "BLOCK", 100)
    blocks = list(hamming.pair_blocks(np.full(60, 7, np.uint64), bits=6))
    assert max(map(len, blocks)) == 100
    pairs = {tuple(pair) for block in blocks for pair in block.tolist()}
    assert sum(map(len, blocks)) == len(pairs) == 60 * 59 // 2


def test_no_hashes_have_no_pairs() -> None:
    none, one = np.empty(0, np.uint64), uniform(1)
    for i, j in (
        hamming.pairs_within(none, bits=6),
        hamming.pairs_within(one, bits=6),
        hamming.pairs_between(none, one, bits=6),
        hamming.pairs_between(one, none, bits=6),
    ):
        assert (len(i), len(j), i.dtype) == (0, 0, np.int64)


@pytest.mark.parametrize("bits", [-1, 64])
def test_bits_beyond_the_hash_are_refused(bits: int) -> None:
    with pytest.raises(ConfigError, match=f"bits is {bits}; give 0"):
        hamming.pairs_within(uniform(3), bits=bits)


@pytest.mark.parametrize("wrong", [np.zeros(3, np.int64), np.zeros((3, 2), np.uint64)])
def test_what_is_no_row_of_hashes_is_refused(wrong: Array) -> None:
    with pytest.raises(ConfigError, match=r"Hashes are \(N,\) uint64"):
        hamming.pairs_within(wrong, bits=6)


def test_numba_is_loaded_only_to_search() -> None:
    code = "import sys, lentigo.curation.duplicates; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
