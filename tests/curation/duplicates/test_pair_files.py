from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from lentigo.config import ImagingConfig
from lentigo.curation.duplicates.pair_files import duplicates_for, find_pairs, read_pairs
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError
from lentigo.imaging.store.build import build_store
from lentigo.tables import check_table
from tests.pictures import draw


def table(*names: str) -> pd.DataFrame:
    return check_table(pd.DataFrame({"image_id": names}), source="test")


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def ends(pairs: pd.DataFrame | None) -> list[tuple[str, str]]:
    assert pairs is not None
    return [(str(row.a), str(row.b)) for row in pairs.itertuples()]


@pytest.mark.parametrize(
    "header",
    ["a,b", "image_name_1,image_name_2", "id1,id2", "image_a,image_b", "Image A,Image B"],
)
def test_the_two_images_of_a_pair_may_be_called_anything(
    tmp_path: Path, header: str
) -> None:
    pairs = read_pairs(written(tmp_path / "pairs.csv", f"{header}\n007,x/8.jpg\n"))
    assert list(pairs) == ["a", "b"]
    assert ends(pairs) == [("007", "x/8")]


def test_kind_and_similarity_are_kept_and_the_rest_is_not(tmp_path: Path) -> None:
    text = "a,b,kind,similarity,seen\nx,y,near-duplicate,0.98,yes\n"
    pairs = read_pairs(written(tmp_path / "pairs.csv", text))
    assert list(pairs) == ["a", "b", "kind", "similarity"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one,two\nx,y\n", "has no columns a and b .* It has one, two"),
        ("id1,id2,age1\nx,y,3\n", "has no columns a and b"),
        ("a,b\nx,y\nx,\n", "lacks an image of the pair in line 3"),
    ],
)
def test_a_csv_without_pairs_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        read_pairs(written(tmp_path / "pairs.csv", text))


def test_an_audit_is_a_list_of_pairs(tmp_path: Path) -> None:
    rows = [{"a": "x", "b": "y", "kind": "near-duplicate", "similarity": 0.9, "turn": 3}]
    path = written(tmp_path / "audit.json", json.dumps({"duplicates": rows}))
    assert ends(read_pairs(path)) == [("x", "y")]
    empty = read_pairs(written(tmp_path / "none.json", '{"duplicates": []}'))
    assert (len(empty), list(empty)[:2]) == (0, ["a", "b"])


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"duplicates": 3}', '"duplicates"'])
def test_a_json_that_is_no_audit_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ColumnError, match='holds no list of "duplicates"'):
        read_pairs(written(tmp_path / "audit.json", text))


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    for name in ("gone.json", "gone.csv"):
        with pytest.raises(DatasetNotFoundError, match=f"{name} does not exist"):
            read_pairs(tmp_path / name)


def test_without_a_source_the_sentence_says_that_nobody_looked() -> None:
    pairs, said = duplicates_for(table("x"), None)
    assert pairs is None
    assert said == "Near-duplicates were not looked for (--duplicates find does)."


def test_pairs_with_absent_images_are_counted_and_tie_the_others(tmp_path: Path) -> None:
    path = written(tmp_path / "pairs.csv", "a,b\nx,y\nz,x\nz,w\nq,r\n")
    pairs, said = duplicates_for(table("x", "y", "w"), str(path))
    assert ends(pairs) == [("x", "y"), ("w", "x")]
    assert said == (
        f"1 duplicate pair from {path}. 3 pairs of images that the table does not have. "
        "1 pair more through them."
    )


def test_pairs_of_which_the_table_has_no_image_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "pairs.csv", "a,b\nq,r\n")
    pairs, said = duplicates_for(table("x", "y"), str(path))
    assert ends(pairs) == []
    assert said == (
        f"0 duplicate pairs from {path}. 1 pair of images that the table does not have."
    )


def test_images_may_be_named_without_data_set_or_with_folder(tmp_path: Path) -> None:
    path = written(tmp_path / "pairs.csv", "a,b\nimages/x.jpg,y\n")
    pairs, _ = duplicates_for(table("ham:x", "isic:y"), str(path))
    assert ends(pairs) == [("ham:x", "isic:y")]


def two_alike(folder: Path) -> pd.DataFrame:
    """Three pictures, of which the third has the bytes of the first."""
    images = draw(folder, 3)
    first, _, third = images["path"]
    Path(third).write_bytes(Path(first).read_bytes())
    return check_table(images, source="test")


def test_pairs_are_found_in_the_images_and_nothing_stays_behind(tmp_path: Path) -> None:
    images = two_alike(tmp_path / "images")
    (tmp_path / "here").mkdir()
    pairs, said = duplicates_for(images, "find", folder=tmp_path / "here")
    assert ends(pairs) == [(images["image_id"][0], images["image_id"][2])]
    assert said == "1 duplicate pair found in the images."
    assert list((tmp_path / "here").iterdir()) == []


def test_pairs_are_found_in_a_pixel_store(tmp_path: Path) -> None:
    images = two_alike(tmp_path / "images")
    build_store(images, tmp_path / "store", config=ImagingConfig(size=64))
    pairs, _ = duplicates_for(images, str(tmp_path / "store"))
    assert ends(pairs) == [(images["image_id"][0], images["image_id"][2])]


def test_without_a_file_there_is_nothing_to_look_at() -> None:
    with pytest.raises(DatasetError, match="No image of the table has a file"):
        find_pairs(table("x"))
