"""A run folder: where each file lies, and that no name of one is said a second time."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lentigo
from lentigo import run_layout
from lentigo.run_layout import FoldLayout, RunLayout, run_of

PACKAGE = Path(lentigo.__file__).parent
LAYOUT = PACKAGE / "run_layout.py"
NAMES = {
    value
    for name, value in vars(run_layout).items()
    if name.isupper() and isinstance(value, str)
}
FILES = {name for name in NAMES if "." in name}
OTHERS = {
    "audit/": "an audit has a folder of its own",
    "cli/audit.py": "an audit has a folder of its own",
    "reports/audit/": "an audit has a folder of its own",
    "cli/split_options.py": "a split that is asked for may have any name",
    "imaging/store/prepare.py": "a pixel store has a table and failures of its own",
}
_FILE = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, sorted(FILES)))})(?![\w-]|\.\w)")


def said(source: str) -> set[str]:
    """Names of a run folder's files in strings that are no docstrings."""
    tree = ast.parse(source)
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in told:
                found |= {match[1] for match in _FILE.finditer(node.value)}
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            found |= {name for name in _texts(node.right) if name in NAMES or _fold(name)}
    return found


def _texts(node: ast.expr) -> set[str]:
    parts = ast.walk(node) if isinstance(node, ast.Constant | ast.JoinedStr) else ()
    return {str(part.value) for part in parts if isinstance(part, ast.Constant)}


def _fold(name: str) -> bool:
    return name.startswith("fold-")


def test_no_file_of_a_run_is_named_a_second_time() -> None:
    found = {
        place: names
        for path in PACKAGE.rglob("*.py")
        for place in [path.relative_to(PACKAGE).as_posix()]
        if path != LAYOUT and not place.startswith(tuple(OTHERS))
        for names in [said(path.read_text(encoding="utf-8"))]
        if names
    }
    assert found == {}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("out / 'config.yaml'", {"config.yaml"}),
        ("f'{out}/failures.csv says why'", {"failures.csv"}),
        ("out / 'pixels'", {"pixels"}),
        ("out / f'fold-{k}' / 'model'", {"fold-", "model"}),
        ("fill('report.html.j2')", set()),
        ("row['model']", set()),
        ("def f():\n    'Writes config.yaml.'", set()),
    ],
)
def test_a_name_is_seen_however_it_is_written(line: str, names: set[str]) -> None:
    assert said(line) == names


def test_files_of_a_run_lie_where_they_always_did(tmp_path: Path) -> None:
    run = RunLayout(tmp_path)
    assert run.config == tmp_path / "config.yaml"
    assert run.table == tmp_path / "table.parquet"
    assert run.fold(3).model == tmp_path / "fold-3" / "model"
    assert run.fold(3).number == 3


def test_folds_come_in_the_order_of_their_numbers_and_nothing_else_is_one(
    tmp_path: Path,
) -> None:
    for name in ("fold-10", "fold-2", "fold-2-old", "fold-", "fold-1234567890", "figures"):
        (tmp_path / name).mkdir()
    assert [fold.number for fold in RunLayout(tmp_path).folds()] == [2, 10]


def test_the_run_of_a_model_is_the_folder_itself_or_above_it(tmp_path: Path) -> None:
    model = FoldLayout(tmp_path / "run" / "fold-0").model
    assert RunLayout(tmp_path / "run") in list(run_of(model))


def test_a_run_is_prepared_when_its_table_is_there(tmp_path: Path) -> None:
    run = RunLayout(tmp_path)
    assert (run.is_prepared(), run.is_trained()) == (False, False)
    run.table.touch()
    run.predictions.touch()
    assert (run.is_prepared(), run.is_trained()) == (True, True)


def test_a_folder_of_a_fold_tells_its_repeat_and_number(tmp_path: Path) -> None:
    layout = RunLayout(tmp_path)
    for fold, repeat in ((0, 0), (12, 0), (3, 2)):
        place = layout.fold(fold, repeat)
        assert (place.number, place.repeat) == (fold, repeat)
    assert layout.fold(3, 2).folder.name == "repeat-2-fold-3"
    with pytest.raises(ValueError, match="fold-x is no folder of a fold"):
        _ = FoldLayout(tmp_path / "fold-x").number
    # Python reads other digits, too; a folder called so is none of ours.
    with pytest.raises(ValueError, match="is no folder of a fold"):
        _ = FoldLayout(tmp_path / "fold-\u0663").repeat


def test_networks_of_a_fold_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    fold = FoldLayout(tmp_path / "fold-0")
    for name in ("member-10", "member-2", "member-x", "member-\u0663", "other-1"):
        (fold.folder / name).mkdir(parents=True)
    assert [each.folder.name for each in fold.members()] == ["member-2", "member-10"]
    assert fold.member(2).name == "fold-0 member-2"
