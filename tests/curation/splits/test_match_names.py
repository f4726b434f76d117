from __future__ import annotations

import pandas as pd
import pytest

from lentigo.curation.splits.match_names import match_names, whole_names
from lentigo.errors import ColumnError


def images(*names: str, listed: list[str] | None = None) -> pd.DataFrame:
    table = pd.DataFrame({"image_id": pd.array(list(names), dtype="string")})
    return table if listed is None else table.assign(listed=listed)


def meant(asked: list[str | None], table: pd.DataFrame) -> list[str | None]:
    names = match_names(pd.Series(asked, dtype="string"), table, source="pairs.csv")
    return [None if name is pd.NA else str(name) for name in names]


def test_a_name_loses_its_ending_and_its_dot_but_not_its_folders() -> None:
    names = pd.Series(["./a/1.JPG", " b\\2.png ", "c.d/3", ".//4.tiff", None])
    assert whole_names(names).tolist()[:4] == ["a/1", "b/2", "c.d/3", "/4"]


@pytest.mark.parametrize(
    ("asked", "image"),
    [
        ("a", "a"),
        ("a.jpg", "a"),
        ("folder/a.png", "a"),
        ("set:a", "a"),
        ("z", None),
        (None, None),
    ],
)
def test_a_name_means_an_image(asked: str | None, image: str | None) -> None:
    assert meant([asked], images("a", "b")) == [image]


def test_an_image_behind_its_data_set_is_found_without_it() -> None:
    assert meant(["b", "ham:a"], images("ham:a", "isic:b")) == ["isic:b", "ham:a"]


def test_an_isic_id_is_one_image_in_whatever_data_set() -> None:
    known = images("isic2017:ISIC_0000001", "isic2019:ISIC_0000001_downsampled")
    assert meant(["isic_0000001.jpg"], known) == ["isic2017:ISIC_0000001"]


def test_a_name_that_fits_several_images_is_refused() -> None:
    with pytest.raises(ColumnError, match=r"pairs.csv: the image 1 may be train/1, test/1"):
        meant(["1"], images("train/1", "test/1"))
    assert meant(["train/1", "test/1"], images("train/1", "test/1")) == [
        "train/1",
        "test/1",
    ]


def test_two_names_that_were_asked_for_do_not_become_one() -> None:
    # Of a table that calls both images 1 there could only be one; neither may be it.
    assert meant(["train/1.jpg", "test/1.jpg"], images("1")) == [None, None]
    assert meant(["train/1.jpg", "train/1.jpg"], images("1")) == ["1", "1"]


def test_the_name_as_a_file_lists_it_counts_too() -> None:
    known = images("1", "2", listed=["train/1", "train/2"])
    assert meant(["train/1.jpg", "2"], known) == ["1", "2"]
