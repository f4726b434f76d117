from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lentigo.curation import apply_split, assign_folds, read_split, write_split
from lentigo.curation.splits.manifest import split_digest
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError
from lentigo.tables import check_table


def table(count: int = 6) -> pd.DataFrame:
    bare = check_table(
        pd.DataFrame(
            {
                "image_id": [f"i{k}" for k in range(count)],
                "group_id": [f"g{k}" for k in range(count)],
                "melanoma": pd.array([k % 2 == 0 for k in range(count)], dtype="boolean"),
                "sha256": [f"{k:064x}" for k in range(count)],
            }
        ),
        source="test",
    )
    return assign_folds(bare, folds=3, seed=0)


def test_a_split_is_reproduced_from_its_file_alone(tmp_path: Path) -> None:
    split_table = table()
    write_split(split_table, tmp_path / "split.csv")
    shuffled = split_table.drop(columns=["fold", "group_id"]).sample(frac=1, random_state=0)
    again = apply_split(
        check_table(shuffled, source="test"), read_split(tmp_path / "split.csv")
    ).table
    columns = ["image_id", "group_id", "fold"]
    pd.testing.assert_frame_equal(
        again[columns].sort_values("image_id", ignore_index=True), split_table[columns]
    )


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        NAMES | st.sampled_from(["NA", "nan", "007", "a,b", '"']), min_size=1, unique=True
    )
)
def test_any_name_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    path = tmp_path_factory.mktemp("split") / "split.csv"
    groups = [f"g{name}." for name in names]  # no word for nothing known, no blank ends
    before = check_table(
        pd.DataFrame({"image_id": names, "group_id": groups, "fold": range(len(names))}),
        source="test",
    )
    write_split(before, path)
    after = apply_split(before, read_split(path)).table
    assert after["fold"].tolist() == before["fold"].tolist()
    assert after["group_id"].tolist() == groups


def test_the_same_split_is_the_same_file(tmp_path: Path) -> None:
    write_split(table(), tmp_path / "a.csv")
    write_split(table().sample(frac=1, random_state=0), tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_other_images_are_refused() -> None:
    split = table()
    with pytest.raises(DatasetError, match=r"it lacks 1 image \(i6\)"):
        apply_split(table(7), split)


def test_images_of_the_split_that_the_table_lacks_are_told() -> None:
    split = table()
    read = apply_split(split[:4], split)
    fewer = read.table
    assert len(fewer) == 4
    assert "2 images of the split not in the table: i4, i5." in read.notes


def test_other_files_under_the_same_names_are_refused() -> None:
    changed = table()
    changed.loc[2, "sha256"] = "f" * 64
    with pytest.raises(DatasetError, match=r"Not what was split.* 1 file \(i2\)"):
        apply_split(changed, table())


def test_what_could_not_be_compared_is_told() -> None:
    changed = table()
    changed.loc[0, "sha256"] = pd.NA
    changed.loc[1, "melanoma"] = True
    assert list(apply_split(changed, table()).notes) == [
        "1 file could not be compared with the split by their hash.",
        "1 image labelled otherwise than when they were split.",
    ]


def test_a_table_without_folds_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="no fold"):
        write_split(table().drop(columns="fold").assign(fold=None), tmp_path / "split.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,fold\na,0\n", "is no split"),
        ("image_id,sha256,group_id,fold,melanoma\na,,g,x,True\n", "is no split"),
        ("image_id,sha256,group_id,fold,melanoma\na,,g,,True\n", "missing in it"),
        ("image_id,sha256,group_id,fold,melanoma\na,,g,0,\na,,g,0,\n", "images twice: a"),
    ],
)
def test_a_file_that_is_no_split_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "split.csv"
    path.write_text(text)
    with pytest.raises(ColumnError, match=message):
        read_split(path)
    with pytest.raises(DatasetNotFoundError):
        read_split(tmp_path / "absent.csv")


def test_a_split_with_a_broken_line_says_which(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text("image_id,sha256,group_id,fold,melanoma\na,,g,0,True\nb,,g,0,True,1\n")
    with pytest.raises(
        DatasetError, match="line 3 has 6 fields, but the header line has 5"
    ):
        read_split(path)


def test_a_split_saved_anew_with_semicolons_is_the_same_split(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    digest = write_split(table(), path)
    path.write_text(path.read_text().replace(",", ";"))
    assert split_digest(read_split(path)) == digest
    path.write_text(path.read_text().replace("True", "False"))
    with pytest.raises(DatasetError, match="Somebody has edited it"):
        read_split(path)
