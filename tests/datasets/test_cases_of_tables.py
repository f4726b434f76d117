"""Small inputs of `tests/cases` on which tables were misread, and what must come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.evaluation import evaluate

CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("07-image-ids-as-floats", ["100", "101", "102", "103"]),
        ("37-parquet-with-the-id-as-index", ["00000", "00001", "00002", "00003"]),
        ("39-sep-line", ["00000", "00001", "00002", "00003"]),
    ],
)
def test_four_images_and_none_without_a_file(case: str, names: list[str]) -> None:
    root = next((CASES / case).glob("table.*"))
    table = read_table("csv", root)
    assert table["image_id"].tolist() == names
    assert table["path"].notna().all()


def test_leading_zeros_are_kept_in_a_column_called_id() -> None:
    case = CASES / "05-leading-zeros-in-id"
    judged = evaluate(case / "predictions.csv", case / "truth.csv", repeats=20)
    assert judged["auc"].value == pytest.approx(0.941, abs=5e-4)
    assert "left out" not in judged.as_text()


def test_leading_zeros_are_kept_in_any_column_that_is_named_as_the_id(
    tmp_path: Path,
) -> None:
    case = CASES / "05-leading-zeros-in-id"
    text = (case / "truth.csv").read_text().replace("id,", "number,", 1)
    (tmp_path / "truth.csv").write_text(text)
    columns = {"image_id": "number"}
    judged = evaluate(
        case / "predictions.csv", tmp_path / "truth.csv", repeats=20, columns=columns
    )
    assert judged["auc"].value == pytest.approx(0.941, abs=5e-4)


def test_a_gzipped_table_is_read_as_it_is_unpacked() -> None:
    assert len(read_table("csv", CASES / "27-gzipped-table/table.csv.gz")) == 71


def test_ages_that_are_none_are_missing_and_named() -> None:
    read = read_archive("csv", CASES / "45-age-999/table.csv")
    table = read.table
    assert len(table) == 6
    assert int(table["age"].isna().sum()) == 2
    notes = " ".join(read.notes)
    assert "999 (1)" in notes
    assert "-1 (1)" in notes
