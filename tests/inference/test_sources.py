"""Images in columns give back what was put in."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from lentigo.inference.distinct import distinct, told_apart
from lentigo.inference.sources import Source, Sources

WHOLE = Source(
    "Ämsel", path=Path("a/ä.jpg"), group_id="P1", dataset="", lesion_id="L1", age=0.0,
    sex="female", site="torso", from_table=True,
)  # fmt: skip
ODD = Source("b\udcff", path=Path("a/b\udcff.jpg"))
"""A name on the disk that is no UTF-8."""
EACH = [WHOLE, Source("nothing"), ODD, Source("a\0b", path=Path(), age=61.5)]


def test_each_image_comes_back_as_it_was_put_in() -> None:
    held = Sources.of(iter(EACH))
    assert list(held) == EACH
    assert [held[place] for place in (0, -1)] == [EACH[0], EACH[-1]]
    with pytest.raises(IndexError):
        held[4]


@pytest.mark.parametrize(
    "part", [slice(1, 3), slice(2, None), slice(0, 0), slice(3, 1), slice(None, None, -2)]
)
def test_a_part_has_the_same_images_as_that_of_a_list(part: slice) -> None:
    held = Sources.of(EACH)[part]
    assert (list(held), len(held)) == (EACH[part], len(EACH[part]))


def test_a_part_of_a_part_is_sent_without_the_rest() -> None:
    held = Sources.of(Source(f"{n:05d}", path=Path(f"{n:05d}.jpg")) for n in range(9999))
    sent = pickle.dumps(held[5000:][:3])
    assert len(sent) < 2000
    assert [each.image_id for each in pickle.loads(sent)] == ["05000", "05001", "05002"]


def test_a_field_that_no_image_has_takes_no_memory() -> None:
    held = Sources.of([Source("a", path=Path("b")), Source("c")])
    assert list(held.texts) == ["image_id", "path"]
    assert np.isnan(held.age).all()


def test_of_one_file_a_table_may_have_two_ids_and_a_folder_one() -> None:
    file = Path("one.jpg")
    row = [Source(name, path=file, from_table=True) for name in ("x", "y", "x")]
    found = distinct(Sources.of([*row, Source("one", path=Path("./one.jpg"))]))
    assert [each.image_id for each in found] == ["x", "y"]


def test_files_that_share_a_name_get_their_path_and_a_table_keeps_its_id() -> None:
    names = [Source("one", path=Path(f"{place}/one.jpg")) for place in "ab"]
    row = Source("one", path=Path("c/one.jpg"), from_table=True)
    held = told_apart(Sources.of([*names, row, Source("two", path=Path("two.jpg"))]))
    assert isinstance(held, Sources)
    assert [each.image_id for each in held] == ["a/one.jpg", "b/one.jpg", "one", "two"]
