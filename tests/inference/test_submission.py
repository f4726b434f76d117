"""Predictions in the form of a challenge, and in that of its sample."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from lentigo.errors import ColumnError, DatasetError
from lentigo.inference.submission import check_ids, read_sample, submission_table

PREDICTIONS = pd.DataFrame({"image_id": ["a", "007"], "probability": [0.25, 0.5]})


def sample(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sample.csv"
    path.write_text(text)
    return path


def test_a_submission_has_the_columns_of_the_challenge() -> None:
    table = submission_table(PREDICTIONS)
    assert table.to_csv(index=False) == "image_name,target\na,0.25\n007,0.5\n"


def test_a_submission_may_have_no_gap() -> None:
    predictions = pd.DataFrame({"image_id": ["a", "b"], "probability": [0.25, math.nan]})
    with pytest.raises(DatasetError, match=r"1 image without a probability \(b\)"):
        submission_table(predictions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("isic_id,target\n007,0\na,0\n", "isic_id,target\n007,0.5\na,0.25\n"),
        ("target,image_name\n0,007\n0,a\n", "target,image_name\n0.5,007\n0.25,a\n"),
    ],
)
def test_columns_ids_and_order_are_those_of_the_sample(
    tmp_path: Path, text: str, expected: str
) -> None:
    table = submission_table(PREDICTIONS, read_sample(sample(tmp_path, text)))
    assert table.to_csv(index=False) == expected


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["a"], r"asks for 3 images \(b, c, d\) that the input lacks"),
        (list("abcdx"), r"holds 1 image \(x\) that the sample does not know"),
        (list("abcda"), r"holds 1 image \(a\) twice"),
    ],
)
def test_other_ids_than_those_of_the_sample_are_counted(
    tmp_path: Path, ids: list[str], said: str
) -> None:
    asked = read_sample(sample(tmp_path, "image_name,target\na,0\nb,0\nc,0\nd,0\n"))
    with pytest.raises(DatasetError, match=said):
        check_ids(ids, asked)


def test_a_sample_has_two_columns_and_each_id_once(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="has 3 columns"):
        read_sample(sample(tmp_path, "image,MEL,NV\na,0,1\n"))
    with pytest.raises(DatasetError, match=r"1 image \(a\) twice"):
        read_sample(sample(tmp_path, "image_name,target\na,0\na,0\n"))
    with pytest.raises(DatasetError, match="has no rows"):
        read_sample(sample(tmp_path, "image_name,target\n"))


def test_the_sample_of_siim_2020_is_read(shared: Path) -> None:
    path = shared / "data" / "siim2020" / "sample_submission.csv"
    if not path.is_file():
        pytest.skip("no sample submission of SIIM-ISIC 2020")
    read = read_sample(path)
    assert (read.id_column, read.target_column) == ("image_name", "target")
    assert (len(read.ids), read.ids[0]) == (10_982, "ISIC_0052060")
