from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lentigo.curation import check_split, crossing_pairs
from lentigo.curation.splits.crossing import COLUMNS, in_words, kinds
from lentigo.errors import ColumnError, LeakError
from lentigo.tables import check_table

ROLE = {"r": "train", "v": "validation", "t": "test", "o": "left out", "-": None}


def table(count: int, **columns: Sequence[str | None]) -> pd.DataFrame:
    names = [f"i{k}" for k in range(count)]
    return check_table(pd.DataFrame({"image_id": names, **columns}), source="test")


def parts(letters: str) -> pd.Series[str]:
    """One letter an image: r for train, v, t for test, o for left out, - for none."""
    return pd.Series([ROLE[letter] for letter in letters], dtype="string")


def pairs(*ends: tuple[str, str], kind: str = "near-duplicate") -> pd.DataFrame:
    return pd.DataFrame(ends, columns=["a", "b"], dtype="string").assign(kind=kind)


def found(*arguments: pd.DataFrame | pd.Series[str]) -> list[tuple[str, ...]]:
    rows = crossing_pairs(*arguments)  # type: ignore[arg-type]
    assert list(rows) == COLUMNS
    return [tuple(row) for row in rows.itertuples(index=False)]


def test_nothing_crosses_where_everybody_is_on_one_side() -> None:
    clean = table(4, patient_id=["a", "a", "b", "b"])
    assert found(clean, parts("rrtt")) == []


def test_a_patient_on_two_sides_is_named_with_an_image_of_each() -> None:
    leaky = table(3, patient_id=["a", "a", "b"])
    assert found(leaky, parts("trt")) == [("i1", "i0", "train", "test", "same patient a")]


def test_of_a_patient_with_many_images_one_pair_a_part_is_named() -> None:
    leaky = table(6, patient_id=["a"] * 6)
    assert found(leaky, parts("rrvvtt")) == [
        ("i0", "i4", "train", "test", "same patient a"),
        ("i0", "i2", "train", "validation", "same patient a"),
    ]


def test_lesions_files_archive_ids_and_published_pairs_are_each_seen() -> None:
    leaky = table(
        8,
        lesion_id=["L", "L", *[None] * 6],
        sha256=[None, None, "0" * 64, "0" * 64, *[None] * 4],
        isic_id=[*[None] * 4, "ISIC_0000001", "ISIC_0000001", None, None],
        duplicate_of=[*[None] * 7, "i6"],
    )
    assert found(leaky, parts("rtrtrtrt")) == [
        ("i2", "i3", "train", "test", "identical file"),
        ("i6", "i7", "train", "test", "published duplicate"),
        ("i4", "i5", "train", "test", "same image ISIC_0000001"),
        ("i0", "i1", "train", "test", "same lesion L"),
    ]


def test_what_is_left_out_or_has_no_part_is_on_no_side() -> None:
    leaky = table(3, patient_id=["a", "a", "a"])
    assert found(leaky, parts("r-o")) == []


def test_patients_of_two_data_sets_are_two_unless_the_archive_counts_them() -> None:
    same = {"dataset": ["x", "y"]}
    assert found(table(2, patient_id=["7", "7"], **same), parts("rt")) == []
    ours = table(2, patient_id=["IP_0000007", "IP_0000007"], **same)
    assert found(ours, parts("rt")) == [
        ("i0", "i1", "train", "test", "same patient IP_0000007")
    ]


def test_a_pair_that_was_found_says_how_alike() -> None:
    near = pairs(("i1", "i0")).assign(similarity=0.987)
    assert found(table(2), parts("rt"), near) == [
        ("i0", "i1", "train", "test", "near-duplicate 0.99")
    ]


def test_pairs_cross_through_an_image_that_is_left_out() -> None:
    chain = pairs(("i0", "i1"), ("i1", "i2"))
    assert found(table(3), parts("rot"), chain) == [
        ("i0", "i2", "train", "test", "duplicates of i1")
    ]


def test_pairs_cross_through_an_image_that_only_the_pairs_name() -> None:
    chain = pairs(("gone", "i0"), ("gone", "i1"))
    assert found(table(2), parts("rt"), chain) == [
        ("i0", "i1", "train", "test", "duplicates of gone")
    ]


def test_a_patient_and_a_pair_cross_through_one_another() -> None:
    # i0 and i1 are one patient, of whom i1 is left out; i1 and i2 are one picture.
    leaky = table(3, patient_id=["a", "a", None])
    assert found(leaky, parts("rot"), pairs(("i1", "i2"))) == [
        ("i0", "i2", "train", "test", "tied through others")
    ]


def test_a_group_is_named_only_where_nothing_else_is() -> None:
    leaky = table(4, patient_id=["a", "a", None, None], group_id=["a", "a", "b", "b"])
    assert found(leaky, parts("rtrt")) == [
        ("i2", "i3", "train", "test", "same group b"),
        ("i0", "i1", "train", "test", "same patient a"),
    ]


def test_an_image_listed_twice_crosses_itself() -> None:
    listed = table(2).assign(image_id=["x", "x"])
    assert found(listed, parts("rt")) == [("x", "x", "train", "test", "same image x")]


def test_folds_are_compared_as_numbers_are_ordered() -> None:
    leaky = table(2, patient_id=["a", "a"])
    rows = crossing_pairs(leaky, pd.Series([10, 9]))
    assert rows[["part_a", "part_b"]].to_numpy().tolist() == [["9", "10"]]


def test_the_sentence_names_three_of_different_kinds_and_counts_the_rest() -> None:
    leaky = table(
        10,
        patient_id=["a", "a", "b", "b", "c", "c", None, None, None, None],
        lesion_id=[*[None] * 6, "L", "L", None, None],
        sha256=[*[None] * 8, "0" * 64, "0" * 64],
    )
    crossing = crossing_pairs(leaky, parts("rtrtrtrtrt"))
    assert kinds(crossing) == {"same patient": 3, "identical file": 1, "same lesion": 1}
    said = in_words(crossing)
    assert said.startswith("The split leaks: 5 pairs of images that belong together stand ")
    for kind in ("identical file", "same lesion L", "same patient a"):
        assert f"({kind})" in said
    assert said.endswith("; and 2 more.")


def test_one_pair_stands_and_several_stand() -> None:
    leaky = table(2, patient_id=["a", "a"])
    with pytest.raises(LeakError, match="1 pair of images that belong together stands on"):
        check_split(leaky.assign(group_id="a"), parts("rt"))


def test_rows_without_a_part_or_group_are_refused() -> None:
    bare = table(2)
    with pytest.raises(ColumnError, match="no part"):
        check_split(bare, parts("r-"))
    with pytest.raises(ColumnError, match="no group_id"):
        check_split(bare, parts("rt"))


KEYS = st.none() | st.sampled_from("pqr")


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(KEYS, KEYS, st.sampled_from("rtvo")), min_size=2, max_size=10),
    ends=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 11)), max_size=4),
)
def test_a_split_leaks_where_a_slow_search_says_so(
    rows: list[tuple[str | None, str | None, str]], ends: list[tuple[int, int]]
) -> None:
    patients, hashes, letters = (list(column) for column in zip(*rows, strict=True))
    whole = [None if key is None else str(ord(str(key)))[0] * 64 for key in hashes]
    known = table(len(rows), patient_id=patients, sha256=whole)
    named = pairs(*[(f"i{a}", f"i{b}") for a, b in ends])
    crossing = crossing_pairs(known, parts("".join(map(str, letters))), named)
    together = _reach([patients, whole], ends, len(rows))
    on_a_side = [k for k, letter in enumerate(letters) if letter != "o"]
    leaks = {
        tuple(sorted((str(letters[a]), str(letters[b]))))
        for a in on_a_side
        for b in on_a_side
        if together[a] == together[b] and letters[a] != letters[b]
    }
    said = {
        tuple(sorted((_letter(row.part_a), _letter(row.part_b))))
        for row in crossing.itertuples()
    }
    # One pair stands for each further part: of r, t and v in one group r-t and r-v do.
    assert said <= leaks
    assert bool(said) == bool(leaks)


def _letter(part: object) -> str:
    return next(letter for letter, name in ROLE.items() if name == part)


def _reach(
    keys: Sequence[Sequence[str | None]], ends: list[tuple[int, int]], count: int
) -> list[int]:
    """The smallest node each image is tied to; images from `count` on are absent ones."""
    part = list(range(max(count, 12)))
    edges = list(ends)
    edges += [
        (a, b)
        for key in keys
        for a in range(count)
        for b in range(a)
        if key[a] is not None and key[a] == key[b]
    ]
    for _ in part:
        for a, b in edges:
            part[a] = part[b] = min(part[a], part[b])
    return part
