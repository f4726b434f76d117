"""The tutorial runs from top to bottom on the real table and finds its counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.ipynb"

# In a process of its own: the libraries of notebooks warn, and leave event loops behind.
_EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient

book = nbformat.read(sys.argv[1], as_version=4)
for cell in book.cells:
    cell.source = cell.source.replace("DATA = None", f"DATA = {sys.argv[3]!r}")
client = NotebookClient(book, timeout=600, kernel_name="python3", startup_timeout=300)
client.execute(cwd=sys.argv[4])
nbformat.write(book, sys.argv[2])
"""


def cells(book: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [cell for cell in book["cells"] if cell["cell_type"] == kind]


def printed(cell: dict[str, Any]) -> str:
    return "".join(
        "".join(output["text"])
        for output in cell["outputs"]
        if output["output_type"] == "stream"
    )


@pytest.fixture(scope="module")
def executed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    table = shared / "data" / "siim2020"
    if not (table / "train.csv").is_file():
        pytest.skip("no table of SIIM-ISIC 2020 in the folder 'shared'")
    place = tmp_path_factory.mktemp("tutorial")
    environment = {
        **os.environ,
        "IPYTHONDIR": str(place / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", _EXECUTE, TUTORIAL, place / "done.ipynb", table, place],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    book: dict[str, Any] = json.loads((place / "done.ipynb").read_text(encoding="utf-8"))
    return book


def test_the_notebook_is_stored_without_outputs() -> None:
    book = json.loads(TUTORIAL.read_text(encoding="utf-8"))
    assert all(not cell["outputs"] for cell in cells(book, "code"))
    assert all(cell["execution_count"] is None for cell in cells(book, "code"))


def test_it_says_what_to_download_where_the_table_is_absent(tmp_path: Path) -> None:
    source = "".join(
        cells(json.loads(TUTORIAL.read_text(encoding="utf-8")), "code")[0]["source"]
    )
    source = source.replace("DATA = None", f"DATA = {str(tmp_path)!r}")
    with pytest.raises(FileNotFoundError, match="Download both from https://challenge2020"):
        exec(source, {})


def test_it_finds_what_is_published(executed: dict[str, Any]) -> None:
    found = json.loads(printed(cells(executed, "code")[-1]))
    assert (found["images"], found["patients"], found["melanomas"]) == (33_126, 2_056, 584)
    value, low, high = found["baseline_auc"]
    assert 0.63 < low < value < high < 0.72  # the floor of age, sex and site: 0.67
    assert 0 < found["tree_precision"] < 0.2 < found["tree_recall"] < 1
    assert "diagnosis" in found["refusal"]


def test_it_draws_its_figures_and_warns_of_nothing(executed: dict[str, Any]) -> None:
    outputs = [output for cell in cells(executed, "code") for output in cell["outputs"]]
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(figures) >= 10
    errors = [output for output in outputs if output.get("name") == "stderr"]
    assert not errors, errors[0]["text"]
