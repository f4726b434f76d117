"""A count of one is not written as "1 images" anywhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import lentigo

PACKAGE = Path(lentigo.__file__).parent
NOUNS = (
    "images", "rows", "groups", "patients", "lesions", "melanomas", "files", "folds",
    "epochs", "pairs", "findings", "figures", "draws", "labels",
)  # fmt: skip
BEFORE_NOUN = re.compile(rf"^ ({'|'.join(NOUNS)})\b")


def bare_counts(path: Path) -> list[str]:
    """F-strings in which a number formatted with `:,` stands before a plural."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        for number, words in zip(node.values, node.values[1:], strict=False):
            if (
                isinstance(number, ast.FormattedValue)
                and number.format_spec is not None
                and ast.unparse(number.format_spec).strip("f\"'") == ","
                and isinstance(words, ast.Constant)
                and BEFORE_NOUN.match(str(words.value))
            ):
                found.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    return found


def test_numbers_before_a_noun_go_through_counted() -> None:
    found = [line for path in sorted(PACKAGE.rglob("*.py")) for line in bare_counts(path)]
    assert found == []
