"""Choose rows of a table by a condition such as `melanoma and site == "torso"`.

The condition is parsed into a syntax tree, and only the kinds of nodes below are evaluated:
no condition can call a function, reach a file or run for long. `DataFrame.query` was tried
instead (pandas 3.1.1): of the ages 30, missing and 70 it chooses the missing one by `not
age >= 50`, it chooses a missing site by `site != "torso"`, and `site.to_csv("FILE") != 1`
writes a file.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Collection
from functools import reduce
from typing import Any

import pandas as pd

from lentigo.errors import ConfigError, DatasetError, UnknownNameError, unknown_name
from lentigo.visible import shortened
from lentigo.words import none_of, some

ALLOWED = (
    'column names, "words", numbers, True and False; == != < <= > >=; in and not in with '
    "(a, b) or with a word and a column; and, or, not; missing(column)"
)

_LONGEST, _DEEPEST = 1000, 40
"""Most characters, and most levels of nesting, of a condition; nobody writes more by
hand."""

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


def where(table: pd.DataFrame, expression: str) -> pd.DataFrame:
    """Return the rows of `table` for which `expression` is certainly true.

    A comparison with a missing value is neither true nor false: with no age recorded,
    neither `age >= 50` nor `not age >= 50` chooses the row; `missing(age)` does. So `not
    melanoma` chooses the rows known not to be melanoma. Otherwise the condition reads like
    Python, with columns as names: `melanoma and 50 <= age < 70`, `site in ("torso",
    "head/neck")`, `"keratosis" in diagnosis`, `missing(sex) or not missing(lesion_id)`.

    Raises:
        UnknownNameError: a column does not exist; the nearest names are offered.
        ConfigError: the condition cannot be read, or uses what is not allowed.
        DatasetError: no row fits.
    """
    brief = _brief(expression)
    chosen = _truth(_parse(expression), table, brief)
    rows = table[chosen.fillna(False).to_numpy(dtype=bool)]
    if rows.empty:
        hint = _hint(expression, table)
        raise DatasetError(f"{none_of(len(table), 'row')} fits {brief!r}.{hint}")
    return rows


def check_columns(expression: str, names: Collection[str]) -> None:
    """Raise an error for a condition that cannot be read or names no column of `names`.

    `ConfigError` and `UnknownNameError`, as `where` does; no value is looked at.
    """
    tree = _parse(expression)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in names:
            raise unknown_name("column", node.id, names, first=_USUAL)


def unknown_column(name: str, table: pd.DataFrame) -> UnknownNameError:
    """Return the error for a column `name` that `table` lacks.

    It lists usual columns first.
    """
    return unknown_name("column", name, map(str, table), first=_USUAL)


_USUAL = ("site", "sex", "age", "patient_id", "diagnosis", "melanoma")


def _parse(expression: str) -> ast.expr:
    if len(expression) > _LONGEST:
        raise ConfigError(f"The condition is longer than {_LONGEST:,} letters.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings about "\d" and the like
            tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        hint = ""
        if "=" in expression.replace("==", "").replace("!=", ""):
            hint = " Two equal signs compare: site == 'torso'."
        reason = getattr(error, "msg", None) or str(error)
        raise ConfigError(
            f"The condition {_brief(expression)!r} cannot be read ({reason}).{hint} "
            f"Allowed are {ALLOWED}."
        ) from None
    _check_depth(tree, expression)
    return tree


def _check_depth(tree: ast.expr, expression: str) -> None:
    """Raise `ConfigError` if the condition is nested more deeply than `_DEEPEST`."""
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ConfigError(
                f"The condition {_brief(expression)!r} is nested more than {_DEEPEST} "
                "deep; write it with fewer brackets, signs and 'not'."
            )
        inner = (child for node in level for child in ast.iter_child_nodes(node))
        level = [child for child in inner if isinstance(child, ast.expr)]


def _brief(expression: str) -> str:
    return expression if len(expression) <= 80 else f"{expression[:77]}..."


def _truth(node: ast.expr, table: pd.DataFrame, whole: str) -> pd.Series[Any]:
    """Return true, false or missing for each row, as the condition at `node` says.

    `whole` is the text of the whole condition, for messages.
    """
    if isinstance(node, ast.BoolOp):
        return _joined(node, table, whole)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_truth(node.operand, table, whole)
    if isinstance(node, ast.Compare):
        return _chain(node, table, whole)
    if isinstance(node, ast.Call):
        return _missing(node, table, whole)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return pd.Series(node.value, index=table.index, dtype="boolean")
    if isinstance(node, ast.Name):
        return _flag(node, table)
    raise _refused(node, whole)


def _joined(node: ast.BoolOp, table: pd.DataFrame, whole: str) -> pd.Series[Any]:
    join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
    parts = (_truth(part, table, whole) for part in node.values)  # noqa: PD011 (of ast)
    joined: pd.Series[Any] = reduce(join, parts)
    return joined


def _flag(node: ast.Name, table: pd.DataFrame) -> pd.Series[Any]:
    column = _column(node, table)
    if not pd.api.types.is_bool_dtype(column.dtype):
        raise ConfigError(
            f"{node.id} alone is no condition, since it does not hold yes or no: compare "
            f"it, as in {_example(node.id, column)}."
        )
    return column.astype("boolean")


def _chain(node: ast.Compare, table: pd.DataFrame, whole: str) -> pd.Series[Any]:
    sides = [node.left, *node.comparators]
    truth = pd.Series(True, index=table.index, dtype="boolean")
    for left, sign, right in zip(sides, node.ops, sides[1:], strict=False):
        if isinstance(sign, ast.In | ast.NotIn):
            found = _member(left, right, table, whole)
            truth = truth & (~found if isinstance(sign, ast.NotIn) else found)
        elif type(sign) in _COMPARE:
            truth = truth & _compared(left, sign, right, table=table, whole=whole)
        else:
            raise _refused(node, whole)
    return truth


def _compared(
    left: ast.expr, sign: ast.cmpop, right: ast.expr, *, table: pd.DataFrame, whole: str
) -> pd.Series[Any]:
    a, b = _value(left, table, whole), _value(right, table, whole)
    if not isinstance(a, pd.Series) and not isinstance(b, pd.Series):
        raise ConfigError(f"In {whole!r} {_text(left)} and {_text(right)} name no column.")
    for one, other, node in ((a, b, left), (b, a, right)):
        if isinstance(one, pd.Series):
            _check_kind(one, other, node, whole)
    result = pd.Series(_COMPARE[type(sign)](a, b), index=table.index).astype("boolean")
    for side in (a, b):
        if isinstance(side, pd.Series):
            result = result.mask(side.isna())
    return result


def _member(
    left: ast.expr, right: ast.expr, table: pd.DataFrame, whole: str
) -> pd.Series[Any]:
    if isinstance(left, ast.Constant) and isinstance(right, ast.Name):
        column = _column(right, table)
        if not isinstance(left.value, str) or _kind(column) != "words":
            raise ConfigError(f"{_text(left)} in {right.id} needs a word and words.")
        inside = column.astype("string").str.contains(left.value, regex=False)
        return inside.astype("boolean")
    if not isinstance(left, ast.Name) or not isinstance(right, ast.Tuple | ast.List):
        raise ConfigError(
            f"In {whole!r} 'in' wants a column and a list, as in "
            "site in ('torso', 'head/neck')."
        )
    column = _column(left, table)
    values = [_value(item, table, whole) for item in right.elts]
    found = pd.Series(False, index=table.index, dtype="boolean")
    for value in values:
        if isinstance(value, pd.Series):
            raise _refused(right, whole)
        _check_kind(column, value, left, whole)
        found = found | (column == value).astype("boolean")
    return found.mask(column.isna())


def _missing(node: ast.Call, table: pd.DataFrame, whole: str) -> pd.Series[Any]:
    """Evaluate `missing(column)`, or pandas' `column.isna()` and `column.notna()`."""
    called, given = node.func, node.args
    if isinstance(called, ast.Name) and called.id == "missing" and not node.keywords:
        if len(given) == 1 and isinstance(given[0], ast.Name):
            return _column(given[0], table).isna().astype("boolean")
        raise ConfigError("missing(…) wants the name of one column, as in missing(age).")
    if (
        isinstance(called, ast.Attribute)
        and isinstance(called.value, ast.Name)
        and called.attr in {"isna", "notna"}
        and not (given or node.keywords)
    ):
        absent = _column(called.value, table).isna().astype("boolean")
        return absent if called.attr == "isna" else ~absent
    raise _refused(node, whole)


def _value(node: ast.expr, table: pd.DataFrame, whole: str) -> Any:
    if isinstance(node, ast.Name):
        column = _column(node, table)
        return column.astype("string") if _kind(column) == "words" else column
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if isinstance(node, ast.UnaryOp) and negative else node
    if isinstance(inner, ast.Constant):
        value = inner.value
        if isinstance(value, str | bool) and not negative:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -_number(value) if negative else _number(value)
    raise _refused(node, whole)


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ConfigError("A number in the condition is too large.") from None


def _column(node: ast.Name, table: pd.DataFrame) -> pd.Series[Any]:
    if node.id not in table:
        raise unknown_column(node.id, table)
    column: pd.Series[Any] = table[node.id]
    return column


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "numbers"
    if isinstance(value, str):
        return "words"
    if pd.api.types.is_bool_dtype(value.dtype):
        return "yes or no"
    return "numbers" if pd.api.types.is_numeric_dtype(value.dtype) else "words"


def _check_kind(column: pd.Series[Any], other: Any, node: ast.expr, whole: str) -> None:
    mine, theirs = _kind(column), _kind(other)
    # Many tables write 0 and 1 for no and yes.
    flags = mine == "yes or no" and not isinstance(other, pd.Series) and other in (0, 1)
    if mine != theirs and not flags:
        raise ConfigError(
            f"In {whole!r} {_text(node)} holds {mine} and is compared with {theirs}; write "
            f"it as in {_example(_text(node), column)}."
        )


def _example(name: str, column: pd.Series[Any]) -> str:
    kind = _kind(column)
    if kind == "yes or no":
        return f"not {name}"
    known = column.dropna()
    if kind == "numbers":
        return f"{name} >= {known.median():g}" if len(known) else f"{name} >= 50"
    return f"{name} == {str(known.iloc[0])!r}" if len(known) else f"missing({name})"


def _hint(expression: str, table: pd.DataFrame) -> str:
    """Return a sentence on values of the condition that the column never holds, or ""."""
    for node in ast.walk(_parse(expression)):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        for left, sign, right in zip(sides, node.ops, sides[1:], strict=False):
            for name, other in ((left, right), (right, left)):
                if isinstance(name, ast.Name) and not isinstance(other, ast.Name):
                    single = ast.Compare(left, [sign], [right])
                    found = _never(name.id, other, table) or _beyond(name.id, single, table)
                    if found:
                        return f" {found}"
    return ""


def _never(name: str, other: ast.expr, table: pd.DataFrame) -> str:
    """Return a sentence on the first word that the column `name` never holds, or ""."""
    words = other.elts if isinstance(other, ast.Tuple | ast.List) else [other]
    there = table[name].dropna().astype(str).value_counts().index.tolist()
    for word in words:
        value = word.value if isinstance(word, ast.Constant) else None
        if isinstance(value, str) and value not in there:
            known = some(there, at_most=8) if there else "missing everywhere"
            return f"{name} is never {value!r}; it is {known}."
    return ""


def _beyond(name: str, single: ast.Compare, table: pd.DataFrame) -> str:
    """Return the range of the numeric column `name` if no row fits `single`, or ""."""
    column = table[name].dropna()
    if _kind(column) != "numbers" or _truth(single, table, name).fillna(False).any():
        return ""
    if column.empty:
        return f"{name} is missing everywhere."
    return f"{name} goes from {column.min():g} to {column.max():g}."


def _refused(node: ast.AST, whole: str) -> ConfigError:
    return ConfigError(
        f"In the condition {whole!r} {_text(node)} is not allowed. Allowed are {ALLOWED}."
    )


def _text(node: ast.AST) -> str:
    return shortened(" ".join(ast.unparse(node).split()), at_most=60)
