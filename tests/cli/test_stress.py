"""`lentigo stress` refuses what it can before it reads anything."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.words import names_in


def test_a_taken_folder_is_told_before_the_table_is_read(tmp_path: Path) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "out"
    table.write_text("no table")
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    told = CliRunner().invoke(app, ["stress", "model", str(table), "--out", str(out)])
    assert told.exit_code == 1
    assert "is not empty" in " ".join(told.stderr.split())
    assert [each.name for each in out.iterdir()] == ["mine.txt"]


def test_each_of_several_options_only_counts(tmp_path: Path) -> None:
    """The last one replaced the others, in silence."""
    (tmp_path / "t.csv").write_text("no table")
    asked = ["stress", "model", str(tmp_path / "t.csv"), "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(app, [*asked, "--only", "nonsense", "--only", "ruler"])
    assert told.exit_code == 1
    assert "nonsense" in told.stderr
    assert names_in(["ruler, light ", "grad-cam"]) == ["ruler", "light", "grad_cam"]
