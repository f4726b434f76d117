"""The container files say what docs/deploy.md promises, and their install steps work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lentigo.cli.commands import load_command
from lentigo.config.serving import ServingConfig

ROOT = Path(__file__).parents[2]


def steps() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each whole."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found = [line.split(" ", 1) for line in whole.splitlines() if line.strip()]
    return [(name, rest) for name, rest in found]


def compose() -> dict[str, Any]:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["services"]["lentigo"]
    return found


def given(words: list[str]) -> dict[str, Any]:
    """Return what `lentigo serve` reads out of a command line."""
    command = load_command("serve")
    return dict(command.make_context("serve", list(words), resilient_parsing=False).params)


def test_the_image_is_built_in_two_stages_and_runs_as_nobody() -> None:
    found = steps()
    names = [name for name, _ in found]
    assert names.count("FROM") == 2
    last = found[len(names) - 1 - names[::-1].index("FROM") :]
    kept = {name for name, _ in last}
    assert {"USER", "HEALTHCHECK", "ENTRYPOINT", "CMD", "STOPSIGNAL"} <= kept
    assert dict(last)["USER"].split(":")[0] not in {"0", "root"}
    assert dict(last)["COPY"].startswith("--from=build")
    runs = [rest for name, rest in last if name == "RUN"]
    assert not any("pip install" in rest for rest in runs)
    assert any("pip uninstall" in rest for rest in runs)  # that of the base image
    assert "torch" not in "".join(rest for _, rest in found)
    known = {
        "ARG", "FROM", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "USER", "EXPOSE",
        "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert set(names) <= known


def test_what_is_copied_is_there_and_let_through() -> None:
    let = (ROOT / ".dockerignore").read_text().split()
    for name, rest in steps():
        if name == "COPY" and not rest.startswith("--"):
            for source in rest.split()[:-1]:
                assert (ROOT / source.removeprefix("./")).exists(), source
                assert f"!{source}" in let


def test_the_command_lines_are_those_of_lentigo_serve() -> None:
    found = dict(steps())
    assert yaml.safe_load(found["ENTRYPOINT"]) == ["lentigo", "serve"]
    for words in (yaml.safe_load(found["CMD"]), compose()["command"]):
        params = given(words)
        assert params["models"] == ["/models/model"]
        assert params["host"] == "0.0.0.0"
        assert params["keys"] is not None


def test_compose_keeps_the_service_small() -> None:
    one = compose()
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["ports"][0].startswith("127.0.0.1:")
    models, audit = one["volumes"]
    # A mounted folder stays the one that it was, so one that is exchanged lies inside.
    assert models == "./models:/models:ro"
    # A new volume belongs to root unless the image has the folder and gives it away.
    folder = audit.split(":")[1]
    made = f"install --directory --owner=10001 --mode=700 {folder}"
    assert any(made in rest for name, rest in steps() if name == "RUN")
    (pixels,) = [w for w in one["command"] if w.startswith("--set=max_pixels=")]
    assert 40 * int(pixels.rpartition("=")[2]) <= 2e9
    grace = int(one["stop_grace_period"].removesuffix("s"))
    assert grace > ServingConfig().drain_seconds


@pytest.mark.slow
def test_the_install_steps_work_without_docker(tmp_path: Path) -> None:
    (build,) = [rest for name, rest in steps() if name == "RUN" and "pip install" in rest]
    place = tmp_path / "lentigo"
    script = build.replace("/opt/lentigo", str(place)).replace(
        "python -m venv", f"{shlex.quote(sys.executable)} -m venv"
    )
    subprocess.run(["sh", "-ec", script], cwd=ROOT, check=True)
    done = subprocess.run(
        [str(place / "bin/lentigo"), "serve", "--help"], capture_output=True, text=True
    )
    assert "Example:" in done.stdout
    assert not list(place.glob("lib/*/site-packages/torch"))
