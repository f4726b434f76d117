"""Write a drift report: `drift.json`, `drift.csv`, the figure, and a page."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lentigo.evaluation.drift import Drift, Shift
from lentigo.files import write_text
from lentigo.json_files import write_json
from lentigo.notice import NOTICE
from lentigo.output import check_new_folder, new_folder
from lentigo.reports.drawable import drawable
from lentigo.reports.template import fill
from lentigo.run_layout import DRIFT, DRIFT_TABLE, FIGURES
from lentigo.tables import write_table
from lentigo.version import __version__


def write_drift(found: Drift, out: Path, *, model: str) -> Path:
    """Write a drift report into the new folder `out`; return the path of its page.

    `model` names the model on the page. Raises `RunError` if `out` is not empty or cannot
    be written.
    """
    check_new_folder(out)
    with new_folder(out):
        picture = _draw(found, out / FIGURES) if drawable() and found.shifts else ""
        write_table(found.as_table(), out / DRIFT_TABLE)
        write_json(out / DRIFT, {**found.as_dict(), "model": model, "notice": NOTICE})
        page = fill(
            "drift.html.j2",
            version=__version__,
            notice=NOTICE,
            model=model,
            rows=[_row(each) for each in found.shifts],
            alarms=[sentence(each) for each in found.alarms],
            notes=found.notes,
            untold=found.untold,
            all_untold=found.all_untold,
            repeats=found.repeats,
            most=found.most,
            picture=picture,
        )
        write_text(out / "index.html", page)
    return out / "index.html"


def _draw(found: Drift, folder: Path) -> str:
    # matplotlib takes half a second to import; the numbers do without.
    from lentigo.figures.registry import drawing_of, shown_by
    from lentigo.figures.style import style

    with style():
        paths = [
            p for row in shown_by("drift") for p in drawing_of(row)(found).save(folder)
        ]
    return next(f"{FIGURES}/{path.name}" for path in paths if path.suffix == ".svg")


def sentence(shift: Shift) -> str:
    """Return a sentence on which column shifted, how far, and with which p-value."""
    ends = f": {shift.reference} before, {shift.was} now" if shift.reference else ""
    return (
        f"{shift.period}: {shift.column} moved{ends} (distance {shift.distance:.3f}, by "
        f"chance at most {shift.by_chance:.3f}; adjusted p {_p(shift.p_holm)})"
    )


def _row(shift: Shift) -> dict[str, Any]:
    return {
        "period": shift.period,
        "column": shift.column.replace("_", " "),
        "counts": f"{shift.n_reference:,} / {shift.n_period:,}",
        "reference": shift.reference,
        "was": shift.was,
        "distance": f"{shift.distance:.3f}",
        "by_chance": f"{shift.by_chance:.3f}",
        "psi": ""
        if math.isnan(shift.psi)
        else f"{shift.psi:.3f} ({shift.psi_by_chance:.3f})",
        "p": _p(shift.p_holm),
        "moved": shift.moved,
    }


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
