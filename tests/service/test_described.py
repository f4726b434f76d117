"""The service keeps to its own OpenAPI description, whatever is asked (schemathesis)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import Served


def searched(served: Served, tmp_path: Path, examples: int, *more: str) -> str:
    """Let schemathesis ask; return what it says, and fail with it where it objects."""
    program = Path(sys.executable).with_name("schemathesis")
    command = [
        str(program), "run", f"{served.url}openapi.json", "--max-examples", str(examples),
        "--checks", "not_a_server_error,status_code_conformance,"
        "content_type_conformance,response_schema_conformance",
        "--generation-database", "none", "--no-color", "--seed", "0",
        # The first explanation waits until torch is loaded.
        "--request-timeout", "120",
        # Lists of the same length and features of one size are hardly ever drawn.
        "--warnings", "off", *more,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_nothing_that_is_asked_breaks_the_description(
    served: Served, tmp_path: Path
) -> None:
    said = searched(served, tmp_path, 5, "--phases", "examples,fuzzing")
    assert "No issues found" in said


@pytest.mark.slow
def test_nothing_that_is_asked_for_long_breaks_the_description(
    served: Served, tmp_path: Path
) -> None:
    assert "No issues found" in searched(served, tmp_path, 400)


def test_the_description_is_one_of_openapi_and_names_every_address(served: Served) -> None:
    with served.client() as client:
        whole = client.get("/openapi.json").json()
    assert whole["openapi"].startswith("3.1")
    assert {
        "/v1/predictions", "/v1/explanations", "/v1/ducklings", "/v1/models", "/healthz",
        "/readyz", "/metrics",
    } <= set(whole["paths"])  # fmt: skip
    assert json.dumps(whole)
