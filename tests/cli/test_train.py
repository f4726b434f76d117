"""`lentigo train` when it is refused, stopped, or diverges."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.tables import write_table
from tests.cohorts import TINY, draw_cohort

SET = [f"--set={name}={str(value).lower()}" for name, value in TINY.items()]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    write_table(draw_cohort(folder / "images", images=40), folder / "table.parquet")
    return folder / "table.parquet"


def train(table: Path, out: Path, *more: str) -> Any:
    arguments = ["train", str(table), "--recipe", "demo", *SET, "--out", str(out), *more]
    return CliRunner().invoke(app, arguments)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_says_so_in_one_line(
    number: int, code: int, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lentigo.training.trainer import Trainer

    take = Trainer._step

    def step(self: Trainer, *arguments: Any) -> None:
        os.kill(os.getpid(), number)
        take(self, *arguments)

    monkeypatch.setattr(Trainer, "_step", step)
    result = train(table, tmp_path / "run")
    assert result.exit_code == code
    said = result.stderr.splitlines()[-1]
    assert said.startswith("Stopped; fold-0 is saved as it was in epoch 1, after 1 step.")
    assert (tmp_path / "run" / "fold-0" / "checkpoint.pt").is_file()
    # What was refused to go on with writes nothing.
    before = snapshot(tmp_path / "run")
    again = train(table, tmp_path / "run", "--set=training.learning_rate=0.5", "--resume")
    assert again.exit_code == 1
    assert "training.learning_rate: 0.002 then, 0.5 now" in again.stderr
    assert snapshot(tmp_path / "run") == before


def test_divergence_is_one_line_and_leaves_no_model(table: Path, tmp_path: Path) -> None:
    settings = (
        "--set=training.learning_rate=1e3", "--set=training.optimizer=sgd",
        "--set=training.average=0", "--set=training.schedule=constant",
        "--set=training.epochs=6",
    )  # fmt: skip
    for more, said in ((), "Error: fold-0 diverged"), (("--resume",), "cannot be resumed"):
        result = train(table, tmp_path / "run", *settings, *more)
        assert result.exit_code == 1
        assert said in result.stderr.splitlines()[-1]
        assert "learning rate of 1000" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "run" / "fold-0" / "model").exists()
    refused = CliRunner().invoke(
        app, ["predict", str(tmp_path / "run"), "x.jpg", "--out", str(tmp_path / "p.csv")]
    )
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output


REFUSED_AT_ONCE = {
    "a typo in a setting": (
        "train",
        "{table}",
        "--out",
        "new",
        "--set",
        "trainning.epochs=3",
    ),
    "a wrong type": ("run", "{table}", "--out", "new", "--set", "training.epochs=many"),
    "an unknown recipe": ("run", "{table}", "--out", "new", "--recipe", "quik"),
    "no weights": ("train", "{table}", "--out", "new", "--weights", "none.safetensors"),
    "no table": ("train", "none.parquet", "--out", "new"),
    "train onto a run": ("train", "{table}", "--out", "{taken}"),
    "run onto a run": ("run", "{table}", "--out", "{taken}"),
    "demo onto a run": ("demo", "--out", "{taken}"),
    "explore": ("explore", "{table}", "--out", "{taken}"),
    "audit": ("audit", "{table}", "--out", "{taken}"),
    "split": ("split", "{table}", "--out", "{taken}/split.csv"),
    "grid": ("grid", "{table}", "--out", "{taken}/grid.png"),
    "evaluate": ("evaluate", "p.csv", "--truth", "{table}", "--out", "{taken}"),
    "read over what is read": ("read", "csv", "{table}", "--out", "{table}"),
    "combine over what is read": ("combine", "{table}", "{table}", "--out", "{table}"),
    "read to no table": ("read", "csv", "{table}", "--out", "table.txt"),
}


HEAVY = {"torch", "timm", "pandas", "matplotlib", "sklearn", "scipy"}

_CALLED = """
import json, sys
from typer.testing import CliRunner
from lentigo.cli.app import app
for arguments in json.loads(sys.argv[1]):
    result = CliRunner().invoke(app, arguments)
    print(json.dumps([result.exit_code, result.stderr, sorted(sys.modules)]))
"""


def test_what_can_be_known_is_refused_before_anything_heavy_is_imported(
    table: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    for name in (
        "config.yaml",
        "table.parquet",
        "split.csv",
        "grid.png",
        "evaluation.json",
    ):
        (taken / name).write_text("recipe: demo\n")
    calls = [
        [word.format(table=table, taken=taken) for word in words]
        for words in REFUSED_AT_ONCE.values()
    ]
    before = snapshot(tmp_path)
    command = [sys.executable, "-c", _CALLED, json.dumps(calls)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == ""
    for why, (code, said, modules) in zip(REFUSED_AT_ONCE, answers, strict=True):
        assert (code, said.count("\n"), said[:7]) == (1, 1, "Error: "), (why, said)
        assert not HEAVY & set(modules), why
    assert snapshot(tmp_path) == before
