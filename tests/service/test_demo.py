"""The demo ends by saying how to open the page on its model, and that works."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from tests.cohorts import TINY
from tests.service.conftest import serving
from tests.service.test_predictions import post


def test_the_demo_says_how_to_open_the_page_and_it_opens(
    tmp_path: Path, images: Path
) -> None:
    program = Path(sys.executable).with_name("lentigo")
    tiny = {**TINY, "imaging.size": 64}  # the smallest that is drawn
    settings = [f"--set={name}={str(value).lower()}" for name, value in tiny.items()]
    done = subprocess.run(
        [str(program), "demo", "--images", "200", *settings, "--out", "my run"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert "in your browser: " in last
    words = shlex.split(last.partition("in your browser: ")[2])
    assert words[1:] == ["serve", "my run"]
    with serving(tmp_path, *words[2:]) as served, served.client() as client:
        assert "Read a lesion" in client.get("/", headers={"accept-language": "en"}).text
        assert client.get("/model/report").status_code == 200
        answer = post(client, (images / "0.png").read_bytes())
        assert answer.json()["images"][0]["probability"] > 0
