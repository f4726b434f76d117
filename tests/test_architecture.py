"""The arrows of docs/architecture.md: what a room may import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lentigo

PACKAGE = Path(lentigo.__file__).parent

LAYERS = (
    {
        "errors",
        "timm_arguments",
        "isolated",
        "elsewhere",
        "files",
        "json_files",
        "locks",
        "machine",
        "progress",
        "stopping",
        "config",
        "recipes",
        "visible",
    },
    {"tables", "table_files", "where", "imaging"},
    {"datasets", "curation", "evaluation", "figures", "modeling"},
    {"inference", "training", "reports", "audit"},
    {"pipeline"},
    {"cli"},
)
HEIGHT = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
NO_TORCH = {
    "audit",
    "datasets",
    "curation",
    "imaging",
    "evaluation",
    "figures",
    "reports",
    "table_files",
    "tables",
}
TORCH = {"torch", "timm", "lightning_fabric", "safetensors", "torchvision"}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_at_its_height_or_below(path: Path) -> None:
    here = HEIGHT[room(path)]
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "lentigo" and len(parts) > 1:
            assert HEIGHT[parts[1]] <= here, f"{path} must not import {name}"


def test_the_arrows_in_the_docs_are_these() -> None:
    page = Path(__file__).parent.parent / "docs" / "architecture.md"
    said = page.read_text(encoding="utf-8").split("## The arrows")[1].split("\n\n")[2]
    rooms = [set(re.findall(r"\w+", part)) for part in said.split("→")]
    assert tuple(reversed(rooms)) == LAYERS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_scoring_and_reading_need_no_torch(path: Path) -> None:
    if room(path) in NO_TORCH:
        assert not {name.split(".")[0] for name in imports(path)} & TORCH


@pytest.mark.parametrize("module", ["lentigo", "lentigo.cli.main", "lentigo.datasets"])
def test_what_every_command_imports_is_light(module: str) -> None:
    code = (
        f"import sys, {module}; heavy = {{'numpy', 'pandas', 'torch', 'timm', 'sklearn', "
        "'matplotlib', 'pydantic'} & set(sys.modules); print(*sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_public_names_are_all_there() -> None:
    expected = {
        "Config", "Evaluation", "LentigoError", "Model", "Run", "__version__", "evaluate",
        "load", "read_image", "read_table", "recipe", "run", "train",
    }  # fmt: skip
    assert set(lentigo.__all__) == expected
    for name in expected:
        assert getattr(lentigo, name) is not None


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = lentigo.trian
