from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from lentigo.curation.closure import close_pairs, components, same_key, through


def pairs(*ends: tuple[str, str]) -> pd.DataFrame:
    rows = pd.DataFrame(ends, columns=["a", "b"], dtype="string")
    return rows.assign(kind=pd.Series("given", index=rows.index, dtype="string"))


def closed(given_pairs: pd.DataFrame, images: str) -> list[tuple[str, str, str]]:
    rows = close_pairs(given_pairs, pd.Series(list(images), dtype="string"))
    return [(str(row.a), str(row.b), str(row.kind)) for row in rows.itertuples()]


def test_components_of_five_nodes() -> None:
    labels = components(np.array([[0, 1], [1, 2]]), 5)
    assert labels[0] == labels[1] == labels[2]
    assert len(set(labels)) == 3


def test_rows_with_the_same_key_are_tied_to_the_first() -> None:
    key = pd.Series(["x", None, "y", "x", "x"], dtype="string")
    assert same_key(key).tolist() == [[0, 0], [2, 2], [3, 0], [4, 0]]


def test_pairs_among_the_images_stay_as_they_are() -> None:
    assert closed(pairs(("a", "b")), "abc") == [("a", "b", "given")]


def test_an_absent_image_ties_those_beside_it() -> None:
    star = pairs(("z", "a"), ("b", "z"), ("z", "c"))
    assert closed(star, "abc") == [
        ("a", "b", "duplicates of z"),
        ("a", "c", "duplicates of z"),
    ]


def test_a_chain_of_absent_images_ties_its_ends() -> None:
    assert closed(pairs(("a", "y"), ("y", "z"), ("z", "b")), "ab") == [
        ("a", "b", "tied through others")
    ]


def test_what_other_pairs_join_gets_no_pair_more() -> None:
    given_pairs = pairs(("a", "b"), ("a", "z"), ("b", "z"))
    assert closed(given_pairs, "ab") == [("a", "b", "given")]


def test_pairs_of_absent_images_alone_tie_nobody() -> None:
    assert closed(pairs(("y", "z"), ("z", "a")), "ab") == []
    assert closed(pairs(), "ab") == []


def test_by_whom_two_images_are_tied() -> None:
    known = pairs(("a", "y"), ("y", "b"), ("a", "x"), ("x", "b"))
    one, two = pd.Series(["a", "a"], index=[7, 9]), pd.Series(["b", "x"], index=[7, 9])
    said = through(one, two, known)
    assert said.index.tolist() == [7, 9]
    assert said.tolist() == [
        "duplicates of x",
        "tied through others",
    ]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdwxyz"), st.sampled_from("abcdwxyz")), max_size=9
    )
)
def test_closed_pairs_tie_the_same_images_as_all_pairs(ends: list[tuple[str, str]]) -> None:
    rows = closed(pairs(*ends), "abcd")
    assert {name for a, b, _ in rows for name in (a, b)} <= set("abcd")
    short = _partition([(a, b) for a, b, _ in rows])
    assert short == _partition(ends)


def _partition(ends: list[tuple[str, str]]) -> list[str]:
    """For each of a, b, c, d the first letter it is tied to, by passing on."""
    first = {name: name for name in "abcdwxyz"}
    for _ in first:
        for a, b in ends:
            first[a] = first[b] = min(first[a], first[b])
    return [first[name] for name in "abcd"]
