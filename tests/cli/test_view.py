"""`lentigo view` as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from tests.fakes import draw_image


def test_view_writes_pictures_and_counts_what_failed(tmp_path: Path) -> None:
    draw_image(tmp_path / "in" / "one.png", seed=1)
    (tmp_path / "in" / "broken.jpg").write_text("no image")
    out = tmp_path / "out"
    asked = ["view", str(tmp_path / "in"), "--view", "gray, local-mean", "--no-sheet"]
    result = CliRunner().invoke(app, [*asked, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "1 of 2 images" in result.stdout
    assert "not a medical device" in result.stdout
    assert "broken.jpg" in result.stderr
    names = sorted(path.name for path in out.iterdir())
    assert names == ["one.gray.png", "one.local_mean.png"]

    again = CliRunner().invoke(app, [*asked, "--out", str(out)])
    assert again.exit_code == 1
    assert "would be overwritten" in again.stderr

    file = str(tmp_path / "in" / "broken.jpg")
    for command in (asked, ["explore", str(tmp_path / "gone.csv")]):
        refused = CliRunner().invoke(app, [*command, "--out", file])
        assert refused.exit_code == 1
        assert "broken.jpg is a file; give a folder" in refused.stderr


def test_view_prints_one_json_object_and_fails_when_no_image_worked(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no image")
    out = str(tmp_path / "out")
    result = CliRunner().invoke(app, ["view", str(broken), "--out", out, "--json"])
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert (said["images"], len(said["failed"]), said["files"]) == (1, 1, {})


def test_a_stop_takes_back_what_was_written_and_the_same_command_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        draw_image(tmp_path / "in" / f"{name}.png", seed=0)
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("somebody's")
    line = ["view", str(tmp_path / "in"), "--view", "rgb", "--no-sheet", "--out", str(out)]
    with monkeypatch.context() as patched:
        patched.setattr("lentigo.reports.images.views.view_image", _stopped_at_the_second())
        stopped = CliRunner().invoke(app, line)
    assert stopped.exit_code == 130, stopped.output
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
    assert CliRunner().invoke(app, line).exit_code == 0
    assert len(list(out.glob("*.png"))) == 2


def _stopped_at_the_second() -> Callable[..., Any]:
    seen: list[Any] = []

    def view(image: Any, _: str) -> Any:
        seen.append(image)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return image

    return view
