"""Images are joined to patients and lesions as a split joins them to groups."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pandas as pd

from lentigo.inference.people import people_of, people_of_table
from lentigo.inference.sources import Source
from lentigo.models.context import People
from lentigo.tables import check_table

ROWS = {
    "image_id": list("abcdefgh"),
    "patient_id": ["P", "P", "P", "P", "P", "Q", "Q", None],
    "lesion_id": ["1", "1", None, None, None, "1", None, "1"],
    "dataset": "one",
}


def numbers(people: People) -> tuple[list[int], list[int]]:
    """Return patients and lesions, each numbered by its first image; -1 is unknown."""
    patient, lesion = people.patient.tolist(), people.lesion.tolist()
    return (
        [-1 if each < 0 else patient.index(each) for each in patient],
        [lesion.index(each) for each in lesion],
    )


def test_ids_join_within_a_patient_and_what_has_none_is_a_lesion_of_its_own() -> None:
    """Lesion 1 of P is not that of Q, nor of the image of nobody."""
    found = people_of_table(check_table(pd.DataFrame(ROWS), source="it"))
    assert numbers(found) == ([0, 0, 0, 0, 0, 5, 5, -1], [0, 0, 2, 3, 4, 5, 6, 7])


def test_copies_and_pairs_that_the_split_knows_are_one_lesion() -> None:
    """c has the bytes of a; d and e are a pair, and so are e and g, of two patients."""
    same = pd.Series([None] * 8, dtype="string")
    same[[0, 2]] = "f" * 64
    table = check_table(pd.DataFrame(ROWS).assign(sha256=same), source="it")
    pairs = pd.DataFrame({"a": ["d", "e"], "b": ["e", "g"]}, dtype="string")
    assert numbers(people_of_table(table, pairs))[1] == [0, 0, 0, 3, 3, 5, 6, 7]
    known = pd.Series([None, None, None, "b", *[None] * 4], dtype="string")
    named = table.assign(duplicate_of=known)
    assert numbers(people_of_table(named))[1] == [0, 0, 0, 0, 4, 5, 6, 7]


def test_a_patient_of_the_isic_archive_is_one_in_all_data_sets() -> None:
    """Other ids are numbered anew by each data set."""
    rows = {
        "image_id": list("abcd"), "dataset": ["one", "two", "one", "two"],
        "patient_id": ["IP_0000001", "IP_0000001", "P", "P"],
        "lesion_id": ["IL_0000001", "IL_0000001", "1", "1"],
    }  # fmt: skip
    sources = [
        Source(name, dataset=home, patient_id=who, lesion_id=what)
        for name, home, who, what in zip(*rows.values(), strict=True)
    ]
    expected = ([0, 0, 2, 3], [0, 0, 2, 3])
    assert numbers(people_of(sources)) == expected
    table = check_table(pd.DataFrame(rows), source="it")
    assert numbers(people_of_table(table)) == expected


def test_files_with_the_same_bytes_are_one_lesion_of_a_patient(tmp_path: Path) -> None:
    """In a zip, too; files that have gone, and arrays, are lesions of their own."""
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"two")
    with ZipFile(tmp_path / "all.zip", "w") as file:
        file.writestr("c.png", b"one")
    paths = [
        tmp_path / "a.png", tmp_path / "b.png", tmp_path / "all.zip" / "c.png",
        tmp_path / "gone.png", None, tmp_path / "a.png",
    ]  # fmt: skip
    sources = [
        Source(str(n), path=path, patient_id="P" if n < 5 else "Q")
        for n, path in enumerate(paths)
    ]
    assert numbers(people_of(sources))[1] == [0, 1, 0, 3, 4, 5]
