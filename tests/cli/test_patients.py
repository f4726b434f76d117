"""--patients joins a table of patients in every command that reads lesion tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.datasets import read_table
from lentigo.datasets.any_table import read_any
from lentigo.datasets.reading.patient_table import joined_with
from lentigo.errors import ColumnError, DatasetError
from lentigo.tables import read_table_file, write_table


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    (tmp_path / "images.csv").write_text(
        "image_id,patient_id,melanoma\na,p1,1\nb,p2,0\nc,p2,0\n"
    )
    (tmp_path / "others.csv").write_text("image_id,melanoma\nx,1\ny,0\n")
    for name in ("images", "others"):
        table = read_table("csv", tmp_path / f"{name}.csv")
        write_table(table, tmp_path / f"{name}.parquet")
    path = tmp_path / "patients.csv"
    path.write_text("patient_id,age,sex\np1,50,f\np2,60,m\n")
    return path


@pytest.mark.parametrize(
    "command",
    ["read", "run", "audit", "combine", "explore", "split", "train", "grid", "prepare"],
)
def test_every_command_that_reads_lesion_tables_takes_patients(command: str) -> None:
    said = CliRunner().invoke(app, [command, "--help"], terminal_width=200).output
    assert "--patients" in said


@pytest.mark.parametrize("name", ["images.csv", "images.parquet"])
def test_whatever_table_is_read_gets_its_patients(patients: Path, name: str) -> None:
    with joined_with(patients):
        table = read_any(patients.with_name(name), own_words=name.endswith("csv")).table
    assert table["age"].tolist() == [50, 60, 60]
    assert table["sex"].tolist() == ["female", "male", "male"]
    alone = read_any(patients.with_name(name), own_words=name.endswith("csv")).table
    assert alone["age"].isna().all()


def test_combine_joins_the_table_that_has_these_patients(patients: Path) -> None:
    folder = patients.parent
    tables = [str(folder / f"{name}.parquet") for name in ("images", "others")]
    asked = ["combine", *tables, "--patients", str(patients)]
    result = CliRunner().invoke(app, [*asked, "--out", str(folder / "both.parquet")])
    assert result.exit_code == 0, result.output
    assert "patients.csv has none of the patients of others." in result.output
    ages = read_table_file(folder / "both.parquet")["age"]
    assert ages.fillna(0).tolist() == [50, 60, 60, 0, 0]


def test_tables_of_other_patients_alone_are_refused(patients: Path) -> None:
    others = patients.with_name("others.parquet")
    with pytest.raises(ColumnError, match="name no patient"), joined_with(patients):
        read_any(others)
    stranger = pd.DataFrame({"patient_id": ["q"], "age": [1]})
    stranger.to_csv(patients, index=False)
    with joined_with(patients, tables=2):
        read_any(others)
        with pytest.raises(DatasetError, match="names q"):
            read_any(patients.with_name("images.parquet"))


def test_the_check_of_a_split_takes_no_patients(patients: Path) -> None:
    asked = ["split", "--check", str(patients.with_name("images.csv")), "--patients"]
    result = CliRunner().invoke(app, [*asked, str(patients)])
    assert result.exit_code == 1
    assert "--patients is for dividing a table" in result.stderr
