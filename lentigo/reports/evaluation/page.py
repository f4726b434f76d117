"""The page of an evaluation: its headline, tables, figures, methods and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

from lentigo.evaluation.result import Evaluation
from lentigo.files import write_text
from lentigo.notice import NOTICE
from lentigo.reports.drawable import inlined
from lentigo.reports.paper.facts import Facts
from lentigo.reports.paper.methods import methods
from lentigo.reports.paper.tables import Table, tables_of
from lentigo.reports.template import fill
from lentigo.version import __version__
from lentigo.words import count

_WIDE = ("forest", "difficulty", "mistakes")
"""Figures that take the whole width of the page."""


class Shown(NamedTuple):
    """A figure on the page, with the files of it that are written beside the page."""

    name: str
    title: str
    caption: str
    svg: Path


def write_page(
    evaluation: Evaluation, known: Mapping[str, Any], figures: Sequence[Shown], path: Path
) -> None:
    """Write the page of an evaluation to `path`; it loads nothing and can be printed.

    `known` is the JSON of `evaluation`. The tables are those of `tables_of`; the text of
    the evaluation follows them, so that no number is left out.

    Raises `RunError` if `path` cannot be written.
    """
    first, *others = tables_of(known)
    paragraph, _, sources = methods(Facts(known, __version__)).partition("## Sources")
    page = fill(
        "evaluation.html.j2",
        version=__version__,
        notice=NOTICE,
        headline=evaluation.headline,
        facts=list(_facts(evaluation)),
        metrics=_table(first),
        tables=[
            _table(each) | ({"foot": ""} if each.foot == after.foot else {})
            for each, after in zip(others, [*others[1:], first], strict=True)
        ],  # a footnote that several tables have stands below the last of them
        wide=_WIDE,
        figures=[
            (each.name, each.title, each.caption, inlined(each.svg)) for each in figures
        ],
        text=_text(evaluation),
        methods=paragraph.removeprefix("# Methods").strip(),
        sources=[line.partition(". ")[2] for line in sources.strip().splitlines()],
        notes=evaluation.notes,
    )
    write_text(path, page)


def _facts(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    """Yield the counts at the head of the page; groups only where an image is none."""
    counts = evaluation.counts
    yield "images", count(counts.images)
    if counts.unit != "image":
        yield f"{counts.unit}s", count(counts.groups)
    yield "melanomas", count(counts.melanomas)


def _text(evaluation: Evaluation) -> list[str]:
    """Return the lines of the text between the table of metrics and the notes.

    Sentences are wrapped; rows of a table, whose cells are two spaces apart, are not.
    """
    lines = evaluation.as_text(head=False).partition("\n\n")[2].splitlines()
    shown = takewhile(lambda line: not line.startswith("Note: "), lines)
    return [
        part
        for line in shown
        for part in ([line] if "  " in line else wrap(line, _LINE) or [""])
    ]


_LINE = 120
"""Letters in a line of a wrapped sentence."""


_NUMBER = re.compile(r"([+-]?[\d.,]+) (\(.+\))(, p .+)?")

_WORDS = frozenset(
    {"", "metric", "meaning", "by", "subgroup", "threshold of", "melanoma against"}
)
"""Headings of columns of words, which are aligned on the left."""


def _table(table: Table) -> dict[str, Any]:
    return {
        "words": [name in _WORDS for name in table.cells],
        "caption": table.caption,
        "foot": table.foot,
        "head": list(map(str, table.cells)),
        "rows": [list(map(_cell, row)) for row in table.cells.to_numpy().tolist()],
    }


def _cell(cell: object) -> tuple[str, str]:
    """Return a number, with its p-value, and its interval, which stands below it."""
    found = _NUMBER.fullmatch(str(cell))
    return (found[1] + (found[3] or ""), found[2]) if found else (str(cell), "")
