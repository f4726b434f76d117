"""No command writes its table over a file that it reads, whoever named that file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app

ROWS = "image_id,patient_id,age,melanoma\na,p1,50,Melanomchen\nb,p2,60,0\n"
READ = ("read", "csv", "{t}", "--map", "{words}", "--patients", "{patients}", "--out")
COMMANDS: dict[str, tuple[str, ...]] = {
    "the table": (*READ, "{t}"),
    "the table by a detour": (*READ, "{folder}/sub/../t.csv"),
    "the table by a link": (*READ, "{link}"),
    "the table by its second name": (*READ, "{hard}"),
    "the patients": (*READ, "{patients}"),
    "the words": (*READ, "{words}"),
    "the table in a folder": ("read", "csv", "{folder}/in", "--out", "{folder}/in/t.csv"),
    "a run's predictions": (*READ, "{folder}/run/predictions.csv"),
    "a fold's predictions": (*READ, "{folder}/run/fold-0/predictions.csv"),
}


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    named = {name: tmp_path / f"{name}.csv" for name in ("t", "words", "patients")}
    for folder in ("in", "sub", "run/fold-0"):
        (tmp_path / folder).mkdir(parents=True)
    named["t"].write_text(ROWS)
    named["words"].write_text("word,meaning\nMelanomchen,melanoma\n")
    named["patients"].write_text("patient_id,sex\np1,f\np2,m\n")
    (tmp_path / "in" / "t.csv").write_text(ROWS.replace("Melanomchen", "1"))
    for name in ("config.yaml", "table.parquet", "predictions.csv"):
        (tmp_path / "run" / name).write_text("what a run wrote")
    (tmp_path / "run" / "fold-0" / "predictions.csv").write_text("what a run wrote")
    (tmp_path / "link.csv").symlink_to(named["t"])
    os.link(named["t"], tmp_path / "hard.csv")
    more = {"link": tmp_path / "link.csv", "hard": tmp_path / "hard.csv"}
    return {**named, **more, "folder": tmp_path}


@pytest.mark.parametrize("case", COMMANDS)
def test_what_is_read_is_not_written_over(places: dict[str, Path], case: str) -> None:
    said = [word.format(**places) for word in COMMANDS[case]]
    files = [path for path in places["folder"].rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    result = CliRunner().invoke(app, said)
    assert result.exit_code == 1, result.output
    assert re.search("give another (--out|place)", result.stderr)
    assert {path: path.read_bytes() for path in before} == before


AGAIN: dict[str, tuple[str, ...]] = {
    "read": ("read", "csv", "{t}", "--out", "{out}"),
    "combine": ("combine", "{t}", "--out", "{out}"),
    "predict": ("predict", "{folder}/no-model", "{t}", "--out", "{out}"),
    "submission": (
        "predict", "{folder}/no-model", "{t}", "--out", "{new}", "--submission", "{out}"
    ),
    "lesions": (
        "predict", "{folder}/no-model", "{t}", "--out", "{new}", "--by", "lesion"
    ),
    "similar": ("similar", "{folder}/no-model", "{t}", "--out", "{out}"),
    "runs": ("runs", "{folder}", "--csv", "{out}"),
    "split": ("split", "{t}", "--out", "{out}"),
}  # fmt: skip


@pytest.mark.parametrize("case", AGAIN)
def test_no_table_is_written_over(places: dict[str, Path], case: str) -> None:
    out, new = places["folder"] / "out.csv", places["folder"] / "new.csv"
    for taken in (out, places["folder"] / "new.lesions.csv"):
        taken.write_text("a year of work")
    said = [word.format(**places, out=out, new=new) for word in AGAIN[case]]
    result = CliRunner().invoke(app, said)
    assert result.exit_code == 1, result.output
    assert "is there already" in result.stderr
    assert out.read_text() == "a year of work"
    assert (places["folder"] / "new.lesions.csv").read_text() == "a year of work"
    assert not new.exists()


def test_a_tilde_is_the_home_folder_where_no_shell_expands_it(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = places["folder"] / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(places["folder"])
    (home / "t.csv").write_text(ROWS.replace("Melanomchen", "1"))
    for out in ("--out=~/a.csv", "--out ~/b.csv"):
        said = ["read", "csv", "~/t.csv", *out.split()]
        assert CliRunner().invoke(app, said).exit_code == 0
    assert {"a.csv", "b.csv"} <= {path.name for path in home.iterdir()}
    assert not (places["folder"] / "~").exists()
