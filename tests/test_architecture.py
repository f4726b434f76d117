"""The arrows of docs/architecture.md: what a room may import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import lentigo

PACKAGE = Path(lentigo.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"

ORDER = (
    {"cli"},
    {"__init__"},
    {"pipeline", "ablation", "rate_finder", "runs", "service", "tuning"},
    {"reports"},
    {"figures"},
    {"audit", "training", "explanation", "export", "robustness", "judged_run"},
    {"ablation_strata", "baselines", "inference"},
    {"evaluation"},
    {"curation"},
    {"datasets", "models"},
    {"imaging"},
    {"ablation_switches", "tables", "recipes"},
    {"cluster", "table_files", "where"},
    {"config", "elsewhere", "json_files", "output"},
    {"extras", "files", "isolated", "timm_arguments"},
    {"errors", "own_files", "progress"},
    {"words"},
    {
        "answer_columns",
        "visible",
        "machine",
        "notice",
        "option_names",
        "run_layout",
        "stopping",
        "version",
    },
)
"""The highest first. A room imports what stands below it, and nothing beside it."""
HEIGHT = {room: -height for height, rooms in enumerate(ORDER) for room in rooms}
NEEDS_TORCH = {"models", "training"}
TORCH = {"torch", "timm", "lightning_fabric", "safetensors", "torchvision"}

FILES = sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {dotted(path) for path in FILES}


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that `path` imports, wherever and in whatever form it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, path)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(whole if whole in MODULES else base)
        elif isinstance(node, ast.Call) and _is_import(node.func):
            # Names that are made at run time belong to registries, which hold strings.
            first = node.args[0]
            if isinstance(first, ast.Constant):
                found.add(str(first.value))
    return frozenset(found)


def _base(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(PACKAGE.parent).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _is_import(function: ast.expr) -> bool:
    name = (
        function.attr
        if isinstance(function, ast.Attribute)
        else getattr(function, "id", "")
    )
    return name in {"import_module", "__import__"}


def room(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] == "lentigo"}


# All files in one test: each by itself, 700 tests take longer to be run than to be asked.
def test_a_file_imports_its_own_room_and_those_below() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in FILES
        for name in sorted(ours(path))
        if room(name) != room(dotted(path))
        and HEIGHT[room(name)] >= HEIGHT[room(dotted(path))]
    ]
    assert wrong == []


def test_no_file_is_imported_by_what_it_imports() -> None:
    graph = {dotted(path): ours(path) & MODULES for path in FILES}
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " → ".join([*way[way.index(module) :], module])
        if module not in done:
            for name in sorted(graph[module]):
                walk(name, (*way, module))
            done.add(module)

    for module in sorted(graph):
        walk(module, ())


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import lentigo.tables", "lentigo.tables"),
        ("import lentigo.tables as t", "lentigo.tables"),
        ("from lentigo import tables", "lentigo.tables"),
        ("from lentigo import run", "lentigo"),
        ("from lentigo.tables import check_table", "lentigo.tables"),
        ("def f():\n    from lentigo import tables", "lentigo.tables"),
        ("if True:\n    import lentigo.tables", "lentigo.tables"),
        ("from . import tables", "lentigo.tables"),
        ("from .tables import check_table", "lentigo.tables"),
        ("import importlib\nimportlib.import_module('lentigo.tables')", "lentigo.tables"),
    ],
)
def test_an_import_of_any_form_is_seen(
    line: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "lentigo")
    path = tmp_path / "lentigo" / "some_file.py"
    path.parent.mkdir()
    path.write_text(line)
    assert found in imports(path)


def test_every_room_has_its_height_and_the_docs_say_the_same_order() -> None:
    assert {room(module) for module in MODULES} == set(HEIGHT)
    said = PAGE.read_text(encoding="utf-8").split("## The arrows")[1]
    block = said.split("```text\n")[1].split("```")[0]
    assert tuple(set(re.findall(r"\w+", line)) for line in block.splitlines()) == ORDER


def test_scoring_and_reading_need_no_torch() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in FILES
        if room(dotted(path)) not in NEEDS_TORCH
        for name in sorted(imports(path))
        if name.split(".")[0] in TORCH
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ["lentigo", "lentigo.cli.app", "lentigo.datasets"])
def test_what_every_command_imports_is_light(module: str) -> None:
    code = (
        f"import sys, {module}; heavy = {{'numpy', 'pandas', 'torch', 'timm', 'sklearn', "
        "'matplotlib', 'pydicom'} & set(sys.modules); print(*sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_public_names_are_all_there() -> None:
    expected = {
        "Config", "Evaluation", "LentigoError", "Model", "Run", "__version__", "evaluate",
        "load", "read_archive", "read_image", "read_table", "recipe", "run", "train",
    }  # fmt: skip
    assert set(lentigo.__all__) == expected
    for name in expected:
        assert getattr(lentigo, name) is not None


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = lentigo.trian
