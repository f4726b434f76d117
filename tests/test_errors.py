from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import lentigo.errors as errors
from lentigo.errors import LentigoError, unknown_name
from lentigo.option_names import IN_PYTHON, OF_OTHERS, in_python, named_in
from lentigo.words import none_of, some

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_ours_and_survives_a_worker_process(kind: type) -> None:
    assert issubclass(kind, LentigoError)
    again = pickle.loads(pickle.dumps(kind("what, where, how")))
    assert type(again) is kind
    assert str(again) == "what, where, how"


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    assert all(kind.__name__ in drawn for kind in KINDS)


def test_of_a_single_row_it_is_not_said_that_none_of_them_is_there() -> None:
    assert none_of(3, "row") == "None of the 3 rows"
    assert none_of(1, "row") == "Not even the only row"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    error = unknown_name("recipe", "quik", ["seed", "quick", "strong"])
    assert str(error) == "There is no recipe called 'quik'. Did you mean quick?"


def test_a_name_like_none_is_answered_with_all() -> None:
    error = unknown_name("recipe", "zzz", ["seed", "quick"])
    assert str(error) == "There is no recipe called 'zzz'. Known: quick, seed."


def test_of_many_names_some_are_shown_and_where_the_others_are() -> None:
    known = [f"n{number:02}" for number in range(31)]
    shown = str(unknown_name("view", "zzz", known, first=("n30", "absent")))
    assert "Known: n30, n00, n01, " in shown
    assert shown.endswith("n10 and 19 more (see lentigo list views).")
    assert str(unknown_name("column", "zzz", known)).endswith("n11 and 19 more.")
    assert str(unknown_name("view", "zzz", known[:30])).endswith("n28, n29.")


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, ""),
        (1, "0"),
        (3, "0, 1, 2"),
        (4, "0, 1, 2 and 1 more"),
        (2003, "0, 1, 2 and 2,000 more"),
    ],
)
def test_three_offenders_and_the_number_of_the_others(count: int, sentence: str) -> None:
    assert some(range(count)) == sentence


def test_whoever_calls_from_python_is_told_what_an_option_is_there() -> None:
    error = LentigoError("No label. Name it with --column melanoma=…, or --resume.")
    assert str(error) == "No label. Name it with --column melanoma=…, or --resume."
    told = "In Python, --column is columns={'melanoma': 'target'}; --resume is resume=True."
    assert error.__notes__ == [told]
    assert pickle.loads(pickle.dumps(error)).__notes__ == [told]
    assert not hasattr(LentigoError("A file is broken."), "__notes__")
    assert in_python("a -- b, x--column") == ""


def raised_texts(file: Path) -> Iterator[str]:
    """The texts in the code of `file`, but for docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docs
        ):
            yield node.value


def test_every_option_that_a_message_names_is_one_of_the_command_line() -> None:
    package = Path(errors.__file__).parent
    outside = (path for path in package.rglob("*.py") if path.parent.name != "cli")
    found = {
        option
        for path in outside
        for text in raised_texts(path)
        for option in named_in(text)
    }
    reference = (package.parent / "docs/reference.md").read_text(encoding="utf-8")
    known = {*named_in(reference), *OF_OTHERS}
    assert found <= known
    assert set(IN_PYTHON) <= known
    assert {"--column", "--map", "--out", "--resume"} <= found
    assert in_python("Choose fewer (--per-row).") == "In Python, --per-row is per_row=…."
