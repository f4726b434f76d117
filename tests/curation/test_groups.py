from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lentigo.curation import assign_groups, published_pairs
from lentigo.curation.groups import shared_lesions
from lentigo.errors import ColumnError
from lentigo.tables import check_table


def table(**columns: Sequence[str | None]) -> pd.DataFrame:
    return check_table(pd.DataFrame(columns), source="test")


def pairs(*names: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(names, columns=["a", "b"]).assign(kind="near-duplicate")


def groups(*args: pd.DataFrame) -> list[str]:
    return list(assign_groups(*args)["group_id"])


def test_a_group_is_the_patient_else_the_lesion_else_the_image() -> None:
    mixed = table(
        image_id=["a", "b", "c", "d", "e", "f"],
        patient_id=["P", "P", None, None, None, None],
        lesion_id=["L1", "L2", "L3", "L3", None, None],
    )
    assert groups(mixed) == ["P", "P", "L3", "L3", "e", "f"]


def test_groups_are_joined_through_one_another() -> None:
    mixed = table(
        image_id=["a", "b", "c", "d", "e"],
        patient_id=["P", None, None, None, "Q"],
        lesion_id=[None, "L", "L", None, None],
        sha256=[None, None, "0" * 64, "0" * 64, None],
    )
    # a and b are one picture, b and c one lesion, c and d one file.
    assert groups(mixed, pairs(("a", "b"))) == ["P", "P", "P", "P", "Q"]


def test_data_sets_number_their_patients_anew() -> None:
    mixed = table(
        image_id=["a", "b", "c"], dataset=["x", "y", "y"], patient_id=["1", "1", "1"]
    )
    assert groups(mixed) == ["x:1", "y:1", "y:1"]


def test_lesions_counted_within_each_patient_join_nothing() -> None:
    mixed = table(
        image_id=["a", "b", "c"], patient_id=["P", "Q", None], lesion_id=["1", "1", "1"]
    )
    grouped = assign_groups(mixed)
    assert grouped["group_id"].tolist() == ["P", "Q", "1"]
    assert "1 lesion id occurs under several patients (1)" in shared_lesions(mixed)[0]


def test_a_patient_called_like_a_lesion_is_another_group() -> None:
    mixed = table(image_id=["a", "b"], patient_id=["7", None], lesion_id=[None, "7"])
    assert len(set(groups(mixed))) == 2


def test_published_duplicates_are_joined() -> None:
    mixed = table(image_id=["a", "b", "c"], duplicate_of=[None, "a", "gone"])
    assert published_pairs(mixed).to_dict("list") == {
        "a": ["a"],
        "b": ["b"],
        "kind": ["published"],
    }
    assert groups(mixed) == ["a", "a", "c"]


def test_pairs_of_another_table_are_refused() -> None:
    with pytest.raises(ColumnError, match="does not have: z"):
        assign_groups(table(image_id=["a"]), pairs(("a", "z")))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.none() | st.sampled_from("pqr") for _ in range(3)]),
        min_size=1,
        max_size=12,
    )
)
def test_groups_are_the_connected_parts(rows: list[tuple[str | None, ...]]) -> None:
    names = [f"i{number}" for number in range(len(rows))]
    patients, lesions, hashes = (list(column) for column in zip(*rows, strict=True))
    hashes = [None if value is None else value.encode().hex() * 32 for value in hashes]
    if any(lesion is not None for lesion in lesions):
        # One numbering of lesions: the same one is always the same patient's.
        lesions = [f"{patient}{lesion}" if lesion else None
                   for patient, lesion in zip(patients, lesions, strict=True)]  # fmt: skip
    grouped = assign_groups(
        table(image_id=names, patient_id=patients, lesion_id=lesions, sha256=hashes)
    )
    assert grouped["group_id"].tolist() == _joined_slowly(names, patients, lesions, hashes)


def _joined_slowly(names: Sequence[str], *keys: Sequence[str | None]) -> list[str]:
    """The same by repeated passing on, and compared as a partition with like names."""
    part = list(range(len(names)))
    for _ in names:
        for key in keys:
            for a, value in enumerate(key):
                for b in range(len(names)):
                    if value is not None and key[b] == value:
                        part[a] = part[b] = min(part[a], part[b])
    called = [
        min(
            (0, patient) if patient else (1, lesion) if lesion else (2, name)
            for name, patient, lesion, other in zip(
                names, keys[0], keys[1], part, strict=True
            )
            if other == row
        )[1]
        for row in part
    ]
    return [str(name) for name in called]


def test_an_image_called_unknown_keeps_its_group_when_the_table_is_read_again() -> None:
    names = ["unknown", "7.0", "7", "other", " a", "a"]
    table = check_table(pd.DataFrame({"image_id": names}), source="test")
    again = check_table(assign_groups(table), source="test")
    assert again["group_id"].tolist() == ['"unknown"', '"7.0"', "7", '"other"', '" a"', "a"]
