"""Connected components of pairs: images tied through others, also through absent ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = np.ndarray[Any, Any]


def components(edges: Array, count: int) -> Array:
    """The number of the connected part of each of `count` nodes; `edges` are (M, 2)."""
    graph = coo_array(
        (np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count)
    )
    return np.asarray(connected_components(graph, directed=False)[1])


def same_key(key: pd.Series[Any]) -> Array:
    """(M, 2) row positions: each row with a key, and the first row with the same key."""
    codes, _ = pd.factorize(key)
    rows = np.flatnonzero(codes >= 0)
    _, first, back = np.unique(codes[rows], return_index=True, return_inverse=True)
    return np.column_stack([rows, rows[first][back]])


def close_pairs(pairs: pd.DataFrame, images: pd.Series[Any]) -> pd.DataFrame:
    """The `pairs` (a, b, kind …) among `images`, and those that follow from the others.

    Where a is absent, (a, b) and (a, c) say that b and c belong together: a pair more, of
    the kind "duplicates of a". One pair joins each two sets of images that no other joins.
    """
    known = pairs["a"].isin(images) & pairs["b"].isin(images)
    codes, names = pd.factorize(pd.concat([pairs["a"], pairs["b"]]))
    edges = codes.reshape(2, -1).T
    nodes = pd.DataFrame(
        {
            "name": pd.Series(names, dtype="string"),
            "whole": components(edges, len(names)),
            "part": components(edges[known.to_numpy()], len(names)),
        }
    )
    nodes = nodes[nodes["name"].isin(images)].sort_values("name")
    heads = nodes.drop_duplicates("part")
    first = heads.groupby("whole")["name"].transform("first")
    further = heads["name"] != first
    more = pd.DataFrame({"a": first[further], "b": heads.loc[further, "name"]})
    more = more.assign(kind=through(more["a"], more["b"], pairs))
    return pd.concat([pairs[known], more], ignore_index=True) if len(more) else pairs[known]


def through(
    one: pd.Series[Any], two: pd.Series[Any], pairs: pd.DataFrame
) -> pd.Series[Any]:
    """Say which image both the image in `one` and that in `two` are duplicates of."""
    ends = list(zip(one, two, strict=True))
    named = {name for pair in ends for name in pair}
    beside: dict[str, set[str]] = {name: set() for name in named}
    for a, b in _both_ways(pairs):
        if a in named:
            beside[a].add(b)
    words = [
        f"duplicates of {min(both)}" if (both := beside[a] & beside[b]) else _OTHERS
        for a, b in ends
    ]
    return pd.Series(words, dtype="string", index=one.index)


_OTHERS = "tied through others"


def _both_ways(pairs: pd.DataFrame) -> Sequence[tuple[str, str]]:
    a, b = pairs["a"].tolist(), pairs["b"].tolist()
    return [*zip(a, b, strict=True), *zip(b, a, strict=True)]
