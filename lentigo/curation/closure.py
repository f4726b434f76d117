"""Connected components of pairs: images linked directly or through other images.

The linking images need not be in the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = np.ndarray[Any, Any]


def components(edges: Array, count: int) -> Array:
    """Return for each of `count` nodes the label, from 0, of its connected component.

    `edges`, (M, 2), holds M pairs of node numbers.
    """
    graph = coo_array(
        (np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count)
    )
    return np.asarray(connected_components(graph, directed=False)[1])


def same_key(key: pd.Series[Any]) -> Array:
    """Pair each row that has a key with the first row of the same key: (M, 2) positions.

    M is the number of rows with a key; a missing key gives no pair.
    """
    codes, _ = pd.factorize(key)
    rows = np.flatnonzero(codes >= 0)
    _, first, back = np.unique(codes[rows], return_index=True, return_inverse=True)
    return np.column_stack([rows, rows[first][back]])


def close_pairs(pairs: pd.DataFrame, images: pd.Series[Any]) -> pd.DataFrame:
    """Return the `pairs` (a, b, kind …) among `images`, and those linked by absent images.

    If a is absent, (a, b) and (a, c) mean that b and c belong together: this adds a pair of
    the kind "duplicates of a". Two sets of images that only absent images link get one
    added pair.
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
    """Describe how `pairs` link the image in `one` with the image in `two`, row by row.

    The text is "duplicates of X" if both are paired with the same image X, else "tied
    through others".
    """
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
