"""Write tables, methods and checklists for a manuscript into a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lentigo.files import write_csv, write_text
from lentigo.reports.paper.checklists import checklists
from lentigo.reports.paper.facts import Facts
from lentigo.reports.paper.methods import methods
from lentigo.reports.paper.tables import as_csv, as_html, as_latex, tables_of
from lentigo.run_layout import CHECKLISTS, METHODS
from lentigo.version import __version__


def write_paper(
    evaluation: Mapping[str, Any],
    folder: Path,
    *,
    run: Mapping[str, str] | None = None,
    figures: Sequence[str] = (),
) -> list[Path]:
    """Write tables, `methods.md` and `checklists.md` into `folder`; return the files.

    `evaluation` is the JSON of an evaluation, and `run` are the answers of
    `lentigo.reports.paper.of_run.answers`; `figures` names what was drawn. Each table is a
    CSV, a `.tex` for LaTeX and an `.html` to paste into Word.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    facts = Facts(evaluation, __version__, run or {}, tuple(figures))
    written = [folder / METHODS, folder / CHECKLISTS]
    write_text(folder / METHODS, methods(facts))
    write_text(folder / CHECKLISTS, checklists(facts))
    for table in tables_of(evaluation):
        place = folder / table.name
        write_csv(as_csv(table), place.with_suffix(".csv"))
        write_text(place.with_suffix(".tex"), as_latex(table))
        write_text(place.with_suffix(".html"), as_html(table))
        written += [place.with_suffix(ending) for ending in (".csv", ".tex", ".html")]
    return written
