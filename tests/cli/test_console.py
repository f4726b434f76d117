"""Output on consoles that know fewer letters than we use."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lentigo.cli import console

CASE = Path(__file__).parents[1] / "cases" / "35-console-cp932"
PROGRAM = [sys.executable, "-c", "from lentigo.cli.app import app; app()"]


def on_console(encoding: str, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )


def test_the_whole_text_comes_out_on_a_console_of_other_letters() -> None:
    done = on_console(
        "cp932", "evaluate", CASE / "predictions.csv", "--truth", CASE / "truth.csv"
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("cp932")
    assert "auc " in text
    assert text.rstrip().endswith("not for the diagnosis of any person.")


def test_an_error_comes_out_on_any_console() -> None:
    done = on_console("cp437", "evaluate", "x–y.csv", "--truth", CASE / "truth.csv")
    assert done.returncode == 1
    assert done.stderr.decode("cp437").startswith("Error: x-y.csv does not exist")


def written(
    text: str, *, encoding: str, monkeypatch: pytest.MonkeyPatch, json: bool
) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    console.fit_console()
    if json:
        console.fit_json()
    stream.write(text)
    stream.flush()
    monkeypatch.undo()
    stream.seek(0)
    return stream.read()


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "0.1–0.2 × é 中"),
        ("cp437", "0.1-0.2 x é \\u4e2d"),
        ("cp932", "0.1-0.2 × \\u00e9 中"),
        ("ascii", "0.1-0.2 x \\u00e9 \\u4e2d"),
    ],
)
def test_signs_are_replaced_only_where_they_must_be(
    encoding: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = written(
        "0.1–0.2 × é 中", encoding=encoding, monkeypatch=monkeypatch, json=False
    )
    assert found == expected


@pytest.mark.parametrize("encoding", ["cp437", "cp932", "ascii"])
def test_json_is_read_back_the_same(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"name": "é – 中 𝒳"}
    text = json.dumps(value, ensure_ascii=False)
    found = written(text, encoding=encoding, monkeypatch=monkeypatch, json=True)
    assert json.loads(found) == value
