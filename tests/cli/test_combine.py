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


def test_no_note_tells_of_a_column_that_is_left_out(tmp_path: Path) -> None:
    ham, isic = tmp_path / "ham.parquet", tmp_path / "isic.parquet"
    call("read", "ham10000", fake_ham10000(tmp_path / "a"), "--encode", "--out", ham)
    call("read", "isic2019", fake_isic2019(tmp_path / "b"), "--out", isic)
    said = call("combine", ham, isic, "--out", tmp_path / "both.parquet")
    assert "sex_code" in said  # is left out
    assert "sex_code:" not in said
    kept = call("combine", ham, isic, "--keep", "sex_code", "--out", tmp_path / "k.parquet")
    assert "sex_code:" in kept


def test_a_run_folder_in_place_of_a_table_is_told_as_such(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("recipe: quick")
    (run / "predictions.csv").write_text("image_id,probability\na,0.5")
    (run / "table.csv").write_text("image_id,melanoma\na,1")
    arguments = ["combine", str(run), "--out", str(tmp_path / "both.csv")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "run is a run folder, not an archive" in result.stderr
    assert str(run / "predictions.csv") in result.stderr
