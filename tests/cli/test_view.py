"""`lentigo view` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

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
