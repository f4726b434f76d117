"""`lentigo combine` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.tables import read_table_file
from tests.fakes import fake_ham10000, fake_isic2019


def call(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_tables_that_were_read_become_one(tmp_path: Path) -> None:
    ham, isic, both = (tmp_path / f"{name}.parquet" for name in ("ham", "isic", "both"))
    call("read", "ham10000", fake_ham10000(tmp_path / "a"), "--out", ham)
    call("read", "isic2019", fake_isic2019(tmp_path / "b"), "--out", isic)
    said = json.loads(call("combine", ham, isic, "--out", both, "--json"))
    assert said["images"] == 5 + 6
    assert any("1 image of the ISIC archive" in note for note in said["notes"])
    table = read_table_file(both)
    assert table["image_id"].tolist()[:1] == ["ham10000:ISIC_0024306"]
    assert "Table:" in call("combine", ham, isic, "--out", tmp_path / "again.parquet")


def test_one_table_twice_is_refused_in_one_line(tmp_path: Path) -> None:
    table = tmp_path / "ham.parquet"
    call("read", "ham10000", fake_ham10000(tmp_path / "a"), "--out", table)
    arguments = ["combine", str(table), str(table), "--out", str(tmp_path / "both.csv")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: 5 images of the same data set")
    assert not (tmp_path / "both.csv").exists()
