"""Which test files are nearest to a module of the package, by who imports whom."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path


class Nearness:
    """The imports of a whole project, read once."""

    def __init__(self, project: Path) -> None:
        package = {
            _module(path.relative_to(project)): path
            for path in (project / "lentigo").rglob("*.py")
        }
        trees = {name: ast.parse(path.read_text("utf-8")) for name, path in package.items()}
        homes = {
            name: {found: home for home, found in _imported(trees[name], set(trees), {})}
            for name, path in package.items()
            if path.name == "__init__.py"
        }
        self._used = {
            name: {used for used, _ in _imported(tree, set(trees), homes)}
            | set(_named(tree, _room(name, package[name]), set(trees)))
            for name, tree in trees.items()
        }
        helpers = {
            _module(path.relative_to(project)): path
            for path in sorted((project / "tests").rglob("*.py"))
        }
        self._tests: dict[Path, set[str]] = {}
        self._helped: dict[Path, set[str]] = {}
        """What a test file calls through the other files of tests that it imports."""
        for path in sorted((project / "tests").rglob("test_*.py")):
            text = path.read_text("utf-8")
            tree = ast.parse(text)
            used = {used for used, _ in _imported(tree, set(trees), homes)}
            others = [
                helpers[name].read_text("utf-8")
                for name in {name for name, _ in _imported(tree, set(helpers), {})}
            ]
            calls = any("lentigo.cli" in each for each in (text, *others))
            self._tests[path] = used | (set(_commands(text, trees)) if calls else set())
            self._helped[path] = {
                used
                for other in others
                for used, _ in _imported(ast.parse(other), set(trees), homes)
            }
        self._mirrored = {
            name: project / "tests" / path.relative_to(project / "lentigo").parent
            for name, path in package.items()
        }

    def rings(self, file: Path) -> list[list[Path]]:
        """Return test files, nearest first: of this module, and of who imports it.

        A ring holds the tests of the modules that import one of the ring before. Those
        that call the module through a file of helpers come second, the rest of the module's
        own room comes fourth. In a ring, files called as the module come first, then those
        that record all of a room, then the shortest.
        """
        module = _module(file)
        room, own = self._mirrored[module], module.rpartition(".")[2]
        known: set[Path] = set()
        rings: list[list[Path]] = []

        def add(paths: Iterable[Path]) -> None:
            new = sorted(set(paths) - known, key=lambda path: (
                own not in path.stem, "recorded" not in path.stem,
                path.stat().st_size, path))  # fmt: skip
            known.update(new)
            rings.extend([new] if new else [])

        reached, edge, step = {module}, {module}, 0
        while edge or step < 2:
            add(self._near(edge))
            if step == 0:
                add(path for path, used in self._helped.items() if used & edge)
            if step == 1 and room.name != "tests":
                add(path for path in self._tests if path.parent == room)
            edge = {name for name, used in self._used.items() if used & edge} - reached
            reached |= edge
            step += 1
        return rings

    def _near(self, modules: set[str]) -> set[Path]:
        """Return the tests that import one of `modules`, or are called as one."""
        own = {
            self._mirrored[name] / f"test_{name.rpartition('.')[2]}.py" for name in modules
        }
        return {test for test, used in self._tests.items() if used & modules or test in own}


def _module(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def _imported(
    tree: ast.AST, modules: set[str], homes: dict[str, dict[str, str]]
) -> set[tuple[str, str]]:
    """Return the modules that a file imports, each with the name that it takes.

    A name that a package only passes on counts as taken from its home.
    """
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(each.name, "") for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                home = homes.get(node.module, {}).get(each.name, node.module)
                found.add((inner if inner in modules else home, each.name))
    return {(module, name) for module, name in found if module in modules}


def _room(module: str, path: Path) -> str:
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def _named(tree: ast.AST, room: str, modules: set[str]) -> Iterable[str]:
    """Yield the modules that a file names in strings: registries import them when asked.

    Where the file imports modules by their names, a short name such as "drift" counts,
    which is looked for in `room`, the package of the file, and so does the beginning of an
    f-string such as "lentigo.figures.", which stands for all that follow.
    """
    nodes = list(ast.walk(tree))
    by_name = any(isinstance(n, ast.Name) and n.id == "import_module" for n in nodes)
    for node in nodes:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        name = node.value.partition(":")[0]
        if name in modules:
            yield name
        elif by_name and f"{room}.{name}" in modules:
            yield f"{room}.{name}"
        elif by_name and name.endswith(".") and " " not in name:
            yield from (each for each in modules if each.startswith(name))


def _commands(text: str, modules: Iterable[str]) -> Iterable[str]:
    """Yield the modules of the commands that a test calls by their names."""
    for module in modules:
        room, _, name = module.rpartition(".")
        if room == "lentigo.cli" and f'"{name.replace("_", "-")}"' in text:
            yield module
