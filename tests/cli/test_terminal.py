"""Names in tables, folders and archives cannot steer the terminal."""

from __future__ import annotations

import ast
import json
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import lentigo
from lentigo.cli.app import app
from lentigo.progress import Meter

PACKAGE = Path(lentigo.__file__).parent
STEERING = (
    "\x1b[2J", "\x1b]8;;http://x\x07", "\x9b31m", "\x07", "\r", "\n", "\x7f", "\u202e",
    "\u2066", "\u200b", "\u2028", "[red]", "[link=http://x]",
)  # fmt: skip
HOSTILE = "n" + "".join(STEERING) + "$\\frac{x}$_<script>alert(1)</script>"
FILE_NAME = HOSTILE.replace("/", "|").replace("\n", "\x0b")
CELL = "w" * 1_000_000


def call(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def steers(text: str) -> set[str]:
    """The letters of `text` that a terminal obeys."""
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {letter for letter in text if unicodedata.category(letter) in kinds} - {"\n"}


def assert_harmless(result: Any) -> None:
    assert not isinstance(result.exception, Exception), repr(result.exception)
    assert steers(result.output) == set()
    assert max(map(len, result.output.split("\n"))) < 30_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty images with a table whose every name is hostile, and predictions for it."""
    folder = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(0)
    names = [f"{n:02}{HOSTILE if n % 2 else ''}" for n in range(40)]
    for n in range(40):
        pixels = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{n:02}.png")
    (folder / f"{FILE_NAME}.jpg").write_bytes(b"no image")
    table = pd.DataFrame(
        {
            "image_id": names,
            "path": [f"{n:02}.png" if n else f"{HOSTILE}.png" for n in range(40)],
            "patient_id": [f"P{n // 2}{HOSTILE}" for n in range(40)],
            "diagnosis": [f"{HOSTILE}{n % 3}" if n % 4 else "melanoma" for n in range(40)],
            "melanoma": [int(n % 4 == 0) for n in range(40)],
            "site": [f"{CELL if n == 5 else HOSTILE}{n % 5}" for n in range(40)],
            "sex": ["male", "female"] * 20,
            "age": [30 + n for n in range(40)],
            f"note{HOSTILE}": [HOSTILE] * 40,
        }
    )
    table.to_csv(folder / "table.csv", index=False)
    scores = pd.DataFrame({"image_id": names, "probability": rng.random(40)})
    scores.loc[0, "image_id"] = f"{HOSTILE}unknown"
    scores.to_csv(folder / "predictions.csv", index=False)
    table.assign(part=[HOSTILE + "ab"[n % 2] for n in range(40)])[
        ["image_id", "part"]
    ].to_csv(folder / "split.csv", index=False)
    return folder


COMMANDS = {
    "read": ["read", "csv", "{}/table.csv", "--out", "{out}/t.csv"],
    "read json": ["read", "csv", "{}/table.csv", "--out", "{out}/t.csv", "--json"],
    "combine": ["combine", "{}/table.csv", "{}/table.csv", "--out", "{out}/t.parquet"],
    "split": ["split", "{}/table.csv", "--out", "{out}/s.csv"],
    "check": ["split", "{}/table.csv", "--check", "{}/split.csv"],
    "evaluate": [
        "evaluate", "{}/predictions.csv", "--truth", "{}/table.csv", "--repeats", "10",
    ],
    "evaluate json": [
        "evaluate", "{}/predictions.csv", "--truth", "{}/table.csv", "--repeats", "10",
        "--json",
    ],
    "prepare": ["prepare", "{}/table.csv", "--size", "32", "--out", "{out}/store"],
    "audit": ["audit", "{}/table.csv", "--out", "{out}/a"],
    "explore": ["explore", "{}/table.csv", "--out", "{out}/e"],
    "grid": ["grid", "{}/table.csv", "--out", "{out}/g.svg"],
    "view": ["view", "{}/" + FILE_NAME + ".jpg", "--view", "hsv", "--out", "{out}/v"],
    "no such file": ["read", "csv", "{}/" + FILE_NAME, "--out", "{out}/t.csv"],
    "no such word": ["read", HOSTILE, "{}", "--out", "{out}/t.csv"],
    "no such command": [HOSTILE],
    "too many words": ["list", "formats", HOSTILE, HOSTILE, HOSTILE],
    "no such column": ["grid", "{}/table.csv", "--by", HOSTILE, "--out", "{out}/g.png"],
}  # fmt: skip


# Twenty figures take most of a minute.
SLOW = pytest.param("explore", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [SLOW if name == "explore" else name for name in COMMANDS])
def test_no_command_prints_what_steers_a_terminal(
    name: str, folder: Path, tmp_path: Path
) -> None:
    words = [
        word.replace("{}", str(folder)).replace("{out}", str(tmp_path))
        for word in COMMANDS[name]
    ]
    result = call(*words)
    assert_harmless(result)
    if "json" in name and result.exit_code == 0:
        json.loads(result.stdout)
    for page in tmp_path.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script>alert" not in text
        assert steers(text) - {"\t"} == set()


def test_names_inside_archives_and_folders_are_shown(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr(f"{HOSTILE}/a.csv", f"image,target\n{HOSTILE},1\n")
        archive.writestr(f"{HOSTILE}/b.csv", "x")
    assert_harmless(
        call("read", "csv", tmp_path / "archive.zip", "--out", tmp_path / "t.csv")
    )
    classes = tmp_path / "classes"
    for name in (FILE_NAME, "nevus"):
        (classes / name).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(classes / name / f"{FILE_NAME[:60]}.png")
    assert_harmless(call("read", "folder", classes, "--out", tmp_path / "f.csv"))


def test_all_that_is_printed_goes_through_one_door() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name == "say.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"print", "typer.echo", "typer.secho"}, path


def test_a_bar_takes_no_name_for_its_markup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with Meter(total=2, label="[red]name\x1b[2J") as meter:
        meter.step_to(1, said="[link=http://x]\x07")
    drawn = capsys.readouterr().err
    assert "\x07" not in drawn
    assert "\x1b[2J" not in drawn
    assert "[red]name" in drawn
