"""Break lines of the package at random, one at a time, and see whether a test fails.

    python -m tests.mutation --lines 60 --seed 0

A line is drawn among those that compute or decide something; one thing in it is changed:
a comparison, an operator, a number, a truth value, what is returned, or a statement that
is left out. Then tests are run in a copy of the project, nearest first (`nearness`), until
one fails that passes without the change (`verdict`), or the time for a line is up. A line
that survives is guarded by no test among them, or the change means the same; the last
column says which test failed, or that the time was up before all were run. What was found
is kept (`--known`), so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import random
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.nearness import Nearness
from tests.reached import Reached
from tests.verdict import NO_END, TIME_UP, Verdicts, cool_down, warm_up

ROOT = Path(__file__).resolve().parents[1]

_SAID = {"": "SURVIVED", TIME_UP: "SURVIVED", "-": "drawn", NO_END: NO_END}

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.BitXor: ast.BitAnd, ast.MatMult: ast.Mult,
}  # fmt: skip
_LEFT_OUT = ast.AugAssign | ast.Raise | ast.Delete | ast.Continue | ast.Break
_FILLED = {"''": "'changed'", "[]": "[None]", "()": "(None,)", "{}": "{None: None}"}
"""What is returned instead of something empty: None would be as empty to most callers."""


@dataclass(frozen=True)
class Mutant:
    """One change of one line."""

    file: Path
    """Relative to the project."""
    line: int
    what: str
    source: str
    """The whole file, changed."""


def changeable(text: str) -> dict[int, list[ast.expr | ast.stmt]]:
    """The number of each line of a file in which something can be changed, and what."""
    found: dict[int, list[ast.expr | ast.stmt]] = defaultdict(list)
    for node in _code(ast.parse(text)):
        if next(_changes(node), None):
            found[node.lineno].append(node)
    return found


def changed(file: Path, text: str, node: ast.expr | ast.stmt) -> Mutant:
    """The file with the only change of `node`."""
    what, new = next(_changes(node))
    source = _replaced(text.splitlines(keepends=True), node, new)
    ast.parse(source)  # raises where the tool is wrong
    return Mutant(file, node.lineno, what, source)


def _code(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield what runs: no types, no texts, no `if TYPE_CHECKING`."""
    for name, value in ast.iter_fields(tree):
        if name in {"annotation", "returns", "type_params", "decorator_list"}:
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or isinstance(node, ast.JoinedStr):
                continue
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                continue
            if isinstance(node, ast.keyword) and node.arg in {"strict", "repr"}:
                continue  # checks of our own, and how a thing is shown
            if isinstance(node, ast.expr | ast.stmt):
                yield node
            yield from _code(node)


def _changes(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the name of each change and what stands in place of the node then."""
    match node:
        case ast.Compare(ops=[op]):
            new = ast.Compare(node.left, [_COMPARED[type(op)]()], node.comparators)
            yield "comparison", f"({ast.unparse(new)})"
        case ast.BinOp():
            other = ast.BinOp(node.left, _COMPUTED[type(node.op)](), node.right)
            yield "operator", f"({ast.unparse(other)})"
        case ast.BoolOp():
            swapped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "and, or", f"({ast.unparse(ast.BoolOp(swapped, node.values))})"
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield "sign", f"({ast.unparse(node.operand)})"
        case ast.Constant(value=bool()):
            yield "truth", str(not node.value)
        case ast.Constant(value=int() | float()):
            yield "number", f"({node.value!r} + 1)"
        case _:
            yield from _changed_statements(node)


def _changed_statements(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield "return", f"return {_FILLED.get(ast.unparse(value))}"
        case ast.Delete(targets=targets) if all(isinstance(t, ast.Name) for t in targets):
            return  # of a name of the function: it frees memory, nothing else
        case ast.Expr(value=ast.Call()) | ast.Expr(value=ast.Await()):
            yield "left out", "pass"
        case _ if isinstance(node, _LEFT_OUT):
            yield "left out", "pass"
        case _:
            return


def _replaced(lines: list[str], node: ast.expr | ast.stmt, new: str) -> str:
    """Put `new` where the node stands; all other lines keep their numbers."""
    last = node.end_lineno or node.lineno
    # Columns are counted in bytes.
    before = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    after = lines[last - 1].encode()[node.end_col_offset :].decode()
    inside = isinstance(node, ast.expr)
    gap = "\n" * (last - node.lineno)
    middle = f"{new[:-1]}{gap})" if inside and gap and new.endswith(")") else new + gap
    if not inside:
        middle, after = new, after + gap
    return "".join([*lines[: node.lineno - 1], before, middle, after, *lines[last:]])


def draw(count: int, seed: int, under: Path = Path("lentigo")) -> list[Mutant]:
    """Draw `count` lines of a file or folder of the package, each with one change.

    All are drawn where it has fewer.
    """
    place = ROOT / under
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    texts = {path.relative_to(ROOT): path.read_text("utf-8") for path in files}
    nodes = {
        (file, line): nodes
        for file, text in texts.items()
        for line, nodes in changeable(text).items()
    }
    chance = random.Random(seed)
    lines = chance.sample(list(nodes), min(count, len(nodes)))
    return [changed(file, texts[file], chance.choice(nodes[file, n])) for file, n in lines]


class Known:
    """What earlier runs found, one line of JSON a change, in a file that may not exist.

    A change is known again as long as its file, line and changed text are the same; a file
    that was edited since is tried anew. An edit of the tests is not noticed.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_text("utf-8").splitlines() if file and file.exists() else []
        self._found = {row["change"]: row["found"] for row in map(json.loads, lines)}

    def of(self, mutant: Mutant) -> str | None:
        """Return what came out of a change before; None if it was not tried."""
        return self._found.get(_key(mutant))

    def note(self, mutant: Mutant, found: str) -> None:
        """Keep what came out of a change."""
        self._found[_key(mutant)] = found
        if self._file:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"change": _key(mutant), "found": found}) + "\n")


def _key(mutant: Mutant) -> str:
    said = f"{mutant.file}:{mutant.line}\n{mutant.source}"
    return hashlib.sha256(said.encode()).hexdigest()


def tried(
    drawn: list[Mutant], known: Known, seconds: float, measured: Path | None = None
) -> Iterator[tuple[Mutant, str]]:
    """Yield each change with the first test that fails on it; empty if none does.

    `measured` is a file of coverage that tells which tests run a line; these come first.
    """
    with tempfile.TemporaryDirectory(prefix="lentigo-mutants-") as place:
        copy = _copied(Path(place))
        near, verdicts = Nearness(copy), Verdicts(copy, seconds=seconds)
        reached = Reached(measured, copy) if measured else None
        warm_up()
        for mutant in drawn:
            found = known.of(mutant)
            if found is None:
                rings = near.rings(mutant.file)
                if reached and (first := reached.tests(mutant.file, mutant.line)):
                    rings.insert(0, [copy / test for test in first])
                found = verdicts.of(mutant.file, mutant.source, rings)
                known.note(mutant, found)
            yield mutant, found
        cool_down()


def _copied(place: Path) -> Path:
    """Copy the project, without what is built, beside the same real images."""
    forgotten = shutil.ignore_patterns(".venv", ".git", ".ci", ".*_cache", "__pycache__")
    copy = Path(shutil.copytree(ROOT, place / "project", ignore=forgotten))
    if (ROOT.parent / "shared").is_dir():
        (place / "shared").symlink_to(ROOT.parent / "shared")
    return copy


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--lines", type=int, default=60)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--under", type=Path, default="lentigo", help="file or folder of it")
    asked.add_argument(
        "--reached",
        type=Path,
        metavar=".coverage",
        help="file of `make coverage`: tests that run the line come first",
    )
    asked.add_argument("--list", action="store_true", help="draw only")
    asked.add_argument("--known", type=Path, help="file of what earlier runs found")
    asked.add_argument("--seconds", type=float, default=60, help="of a core, for a line")
    given = asked.parse_args()
    drawn = draw(given.lines, given.seed, given.under)
    said: Counter[str] = Counter()
    found = tried(drawn, Known(given.known), given.seconds, given.reached)
    for mutant, failed in ((each, "-") for each in drawn) if given.list else found:
        word = _SAID.get(failed, "killed")
        said[word] += 1
        line = mutant.source.splitlines()[mutant.line - 1].strip()
        print(f"{word:8} {mutant.file}:{mutant.line} [{mutant.what}] {line}  {failed}",
              flush=True)  # fmt: skip
    print(", ".join(f"{count} {word}" for word, count in said.items()))


if __name__ == "__main__":
    main()
