"""`lentigo outline` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from tests.imaging.segmentation.test_find import skin, with_disc


def test_outline_says_what_was_found_and_what_failed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(with_disc(skin(), (100, 75), 30)).save(tmp_path / "in" / "one.png")
    (tmp_path / "in" / "broken.jpg").write_text("no image")
    asked = ["outline", str(tmp_path / "in"), "--out"]
    done = CliRunner().invoke(app, [*asked, str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "one lesion: 1 image" in done.stdout
    assert "1 of 2 images" in done.stdout
    assert "not a medical device" in done.stdout
    assert "broken.jpg" in done.stderr

    again = CliRunner().invoke(app, [*asked, str(tmp_path / "out")])
    assert again.exit_code == 1
    assert "not empty" in again.stderr

    as_json = CliRunner().invoke(app, [*asked, str(tmp_path / "j"), "--json"])
    said = json.loads(as_json.stdout)
    assert (said["images"], said["found"]) == (2, {"one lesion": 1})
    assert said["failed"][0]["path"].endswith("broken.jpg")


def test_outline_of_nothing_readable_fails(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_text("no image")
    Image.fromarray(skin()[:20, :20]).save(tmp_path / "tiny.png")
    files = [str(tmp_path / "broken.jpg"), str(tmp_path / "tiny.png")]
    done = CliRunner().invoke(app, ["outline", *files, "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert f"Not outlined: {files[1]}: the image is 20 × 20 pixels" in done.stderr
    assert (tmp_path / "out" / "outlines.csv").is_file()
