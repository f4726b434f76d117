from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lentigo.errors import (
    ColumnError,
    DatasetError,
    DatasetNotFoundError,
    LentigoError,
    UnknownNameError,
)
from lentigo.tables import (
    LESION_COLUMNS,
    SITES,
    check_predictions,
    check_table,
    read_any_table,
    read_table_file,
    without_others,
    write_table,
)


def check(**columns: list[object]) -> pd.DataFrame:
    return check_table(pd.DataFrame(columns), source="mine.csv")


def test_missing_columns_are_added_and_further_ones_stay() -> None:
    table = check(image_id=["a", "b"], melanoma=[1, None], own=[5, 6])
    assert list(table) == [*LESION_COLUMNS, "own"]
    assert table["melanoma"].tolist() == [True, pd.NA]
    assert table["sex"].isna().all()
    assert table["age"].dtype == "float64"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image_id": ["a", "a"]}, "image_id names each image once, but 2 rows do not: a"),
        ({"image_id": ["a", None]}, "image_id is missing in line 3"),
        (
            {"image_id": ["a"], "sex": ["Male"]},
            "sex is one of female, male or missing.*: Male",
        ),
        ({"image_id": ["a"], "age": [121]}, "age lies between 0 and 120 years.*: 121"),
        ({"image_id": ["a"], "age": ["old"]}, "age should be a number, but holds old"),
        ({"image_id": ["a"], "site": ["elbow"]}, "site is one of head/neck"),
        ({"image_id": ["a"], "melanoma": ["perhaps"]}, "melanoma should be yes or no"),
        ({"image_id": ["a"], "fold": [0.5]}, "fold holds whole numbers only"),
        ({"image_id": ["a"], "fold": [-1]}, "fold is a number from 0"),
        ({"image_id": ["a"], "sha256": ["abc"]}, "sha256 is 64 hexadecimal digits"),
        (
            {"image_id": ["a"], "skin_type": [7]},
            "skin_type is a Fitzpatrick type from 1 to 6",
        ),
        ({"name": ["a"]}, "mine.csv has no column image_id. It has name"),
    ],
)
def test_what_breaks_the_contract_is_named(
    columns: dict[str, list[object]], message: str
) -> None:
    with pytest.raises(ColumnError, match=message):
        check(**columns)


def test_columns_that_may_name_people_are_left_out_unless_asked_for() -> None:
    table = check(image_id=["a"], surname=["Doe"], born=["1950"], part=["x"], dx_type=["y"])
    kept, others = without_others(table, keep=["born"])
    assert list(kept) == [*LESION_COLUMNS, "born", "part", "dx_type"]
    assert others == ["surname"]
    with pytest.raises(UnknownNameError, match="Did you mean surname"):
        without_others(table, keep=["surnam"])


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(DatasetError, match="not one row"):
        check(image_id=[])


CELLS = {
    "image_id": st.none() | st.text(max_size=3),
    "sex": st.none() | st.sampled_from(["male", "female", "M", ""]),
    "age": st.none() | st.floats(-10, 200) | st.sampled_from([0, 50, "50", "x"]),
    "site": st.none() | st.sampled_from([*SITES, "back"]),
    "melanoma": st.none() | st.sampled_from([0, 1, True, "1", "x"]),
    "fold": st.none() | st.sampled_from([0, 1, 2.0, 0.5, -1]),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.fixed_dictionaries(CELLS), max_size=4))
def test_any_table_is_checked_or_refused_in_words(rows: list[dict[str, object]]) -> None:
    try:
        table = check_table(pd.DataFrame(rows, columns=list(CELLS)), source="x")
    except LentigoError:
        return
    pd.testing.assert_frame_equal(check_table(table, source="x"), table)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_table_survives_its_file(tmp_path: Path, name: str) -> None:
    table = check(
        image_id=["007", "b"], age=[0, None], melanoma=[True, None], fold=[1, None]
    )
    write_table(table, tmp_path / name)
    pd.testing.assert_frame_equal(read_table_file(tmp_path / name), table)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_seen_in_the_first_line(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "t.csv"
    lines = [separator.join(cells) + "\n" for cells in (["image", "n"], ["007", "1"])]
    path.write_text("".join(lines), encoding="utf-8-sig")
    assert read_any_table(path).iloc[0].tolist() == ["007", 1]
    assert read_any_table(path, text=True).iloc[0].tolist() == ["007", "1"]


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        read_any_table(tmp_path / "absent.csv")
    with pytest.raises(DatasetNotFoundError, match="is a folder"):
        read_any_table(tmp_path)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DatasetError, match="is empty"):
        read_any_table(tmp_path / "empty.csv")
    (tmp_path / "a.parquet").write_text("text")
    assert read_any_table(
        tmp_path / "a.parquet"
    ).empty  # what it holds counts, not its name


def test_predictions_need_an_image_and_a_probability() -> None:
    frame = pd.DataFrame({"image_id": ["a", "b"], "probability": [0.5, None]})
    assert check_predictions(frame, source="p")["probability"].isna().tolist() == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image_id": ["a"]}, "no column probability"),
        ({"image_id": ["a", "a"], "probability": [0, 1]}, "names some images twice: a"),
        (
            {"image_id": ["a", "a"], "probability": [0, 1], "outer_fold": [0, 1]},
            r"nested cross-validation, name .*\(inner_fold is missing\)",
        ),
        ({"image_id": ["a"], "probability": [1.5]}, "Logits must be turned"),
        (
            {"image_id": ["a"], "probability": ["high"]},
            "should be a number, but holds high. Write a number there, or leave",
        ),
        (
            {"image_id": ["a", "b"], "probability": ["5%", "0.1"]},
            "holds 5%. Per cent are understood where every cell",
        ),
    ],
)
def test_predictions_that_are_none_are_refused(
    columns: dict[str, list[object]], message: str
) -> None:
    with pytest.raises(ColumnError, match=message):
        check_predictions(pd.DataFrame(columns), source="p")


def test_a_row_with_more_fields_than_the_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("image,patient\na,p1,1\nb,p2,0\n")
    with pytest.raises(DatasetError, match="more fields than its header"):
        read_any_table(path)
    path.write_text("image,patient\na,p1,\nb,p2,\n")  # a comma at the end does no harm
    assert read_any_table(path)["patient"].tolist() == ["p1", "p2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,fold\na,0\nb,1,2,3\n", r"broken.csv: line 3 has 4 fields, but the header "),
        (
            'image,fold\na,0\n"b,1\nc,1\n',
            r"broken.csv: a quotation mark in line 3 or below",
        ),
    ],
)
def test_a_malformed_csv_says_in_which_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message) as refused:
        read_any_table(path)
    assert "tokeniz" not in str(refused.value)
    assert "C error" not in str(refused.value)
