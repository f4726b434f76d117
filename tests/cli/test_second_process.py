"""A command in a folder where another process works is refused, and changes nothing."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.files import LOCK, digest
from lentigo.inference.journal import journal_of
from tests.cohorts import TINY, draw_cohort, tiny_config
from tests.inference.test_predict import save

TRAINING = [
    word
    for name, value in {**TINY, "model.backbone": "test_resnet"}.items()
    for word in ("--set", f"{name}={value}")
]
COMMANDS: dict[str, list[str]] = {
    "train": ["train", "{table}", *TRAINING, "--out", "{busy}"],
    "train --resume": ["train", "{table}", *TRAINING, "--out", "{busy}", "--resume"],
    "run": ["run", "{images}", "--format", "csv", *TRAINING, "--out", "{busy}"],
    "demo": ["demo", "--images", "200", *TRAINING, "--out", "{busy}"],
    "export": ["export", "{model}", "--images", "{images}", "--out", "{fresh}"],
    "audit": ["audit", "{table}", "--out", "{fresh}"],
    "explore": ["explore", "{table}", "--out", "{fresh}"],
    "view": ["view", "{images}/L000.png", "--view", "rgb", "--out", "{fresh}"],
    "evaluate": [
        "evaluate", "{scores}", "--truth", "{table}", "--repeats", "10", "--out", "{fresh}"
    ],
    "explain": ["explain", "{model}", "{images}/L000.png", "--out", "{fresh}"],
    "stress": ["stress", "{model}", "{table}", "--out", "{fresh}"],
    "outline": ["outline", "{images}/L000.png", "--out", "{fresh}"],
    "change": ["change", "{images}/L000.png", "{images}/L001.png", "--out", "{fresh}"],
    "predict": ["predict", "{model}", "{images}/L000.png", "--out", "{answer}"],
    "predict --resume": [
        "predict", "{model}", "{images}/L000.png", "--out", "{answer}", "--resume"
    ],
}  # fmt: skip
"""`calibrate` writes by the same door as `export`, after minutes of fitting."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("busy")
    named = {
        name: folder / name for name in ("images", "model", "busy", "fresh", "table.csv")
    }
    table = draw_cohort(named["images"], images=24)
    table.to_csv(folder / "table.csv", index=False)
    table.to_csv(named["images"] / "table.csv", index=False)
    scores = pd.DataFrame({"image_id": table["image_id"], "probability": 0.5})
    scores.to_csv(folder / "scores.csv", index=False)
    save(named["model"], config=tiny_config(model__backbone="test_resnet"))
    for name, files in {
        "busy": ("config.yaml", "command.txt", "environment.json"),  # a run's first moments
        "fresh": (".unfinished",),
    }.items():
        (folder / name).mkdir()
        for file in files:
            (folder / name / file).write_text("what the first one wrote")
    (folder / "busy" / "config.yaml").write_text(tiny_config().to_yaml())
    answer = folder / "answer.csv"
    journal_of(answer).write_text("what the first one does")
    more = {"table": folder / "table.csv", "scores": folder / "scores.csv"}
    return {**named, **more, "answer": answer, "folder": folder}


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of another process; a second opening of a file conflicts as well."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def files_below(folder: Path) -> dict[Path, str]:
    return {path: digest(path) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_refused_changes_no_file_of_the_first(
    places: dict[str, Path], name: str
) -> None:
    said = [word.format(**places) for word in COMMANDS[name]]
    with (
        held(places["busy"] / LOCK),
        held(places["fresh"] / LOCK),
        held(journal_of(places["answer"])),
    ):
        before = files_below(places["folder"])
        result = CliRunner().invoke(app, said)
        after = files_below(places["folder"])
    assert "Another process is" in result.stderr
    assert result.exit_code == 1, result.output
    assert after == before


def test_prepare_waits_for_the_first_and_changes_nothing_meanwhile(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def impatient(*_: object, timeout: float, **__: object) -> None:
        from filelock import Timeout

        raise KeyboardInterrupt if timeout < 0 else Timeout("held")

    (tmp_path / "store" / "unfinished").mkdir(parents=True)
    (tmp_path / "store" / "unfinished" / "journal").write_text("what the first one does")
    before = files_below(tmp_path)
    monkeypatch.setattr("filelock.FileLock.acquire", impatient)
    said = ["prepare", str(places["table"]), "--out", str(tmp_path / "store")]
    result = CliRunner().invoke(app, said)
    assert result.exit_code == 130, result.output
    assert files_below(tmp_path) == before
