"""How the outcome of a whole run is printed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from lentigo.cli.main import RESEARCH_ONLY
from lentigo.cli.say import say, say_json, say_lines

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.pipeline import Result


def show_result(result: Result | None, *, as_json: bool) -> None:
    """Print the metrics of a run and where its report lies."""
    if result is None:
        return
    if as_json:
        say_json(
            {
                **result.model.as_dict(),
                "baseline": result.baseline.as_dict(),
                "best_reachable_auc": result.best_reachable_auc,
                "run": str(result.run.folder),
                "report": str(result.report),
            }
        )
        return
    say_lines(result.model.as_text())
    say()
    say(f"Age, sex and site alone: {_baseline(result)}.")
    if not math.isnan(result.best_reachable_auc):
        say(f"The best reachable AUC on these images is {result.best_reachable_auc:.3f}.")
    say(f"Report: {result.report}")
    say(RESEARCH_ONLY)


def _baseline(result: Result) -> str:
    auc = result.baseline["auc"]
    if math.isnan(auc.value) or math.isnan(auc.low):
        return "no AUC, for too little of them is known"
    return f"AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})"


def show_table(
    table: pd.DataFrame, out: Path, *, as_json: bool, parts: str = "Parts"
) -> None:
    """What was read into the lesion table `out`: notes, counts, licence and citation."""
    from lentigo.datasets.counts import with_sentence
    from lentigo.datasets.sources import source_sentence
    from lentigo.tables import summary

    notes, sources = table.attrs.get("notes", []), table.attrs.get("sources", [])
    counts = summary(table)
    if as_json:
        say_json({**counts, "notes": notes, "sources": sources, "table": str(out)})
        return
    for note in with_sentence(table, notes):
        say(note)
    for name, count in counts.items():
        say(f"{name:>22}  {count:,}")
    if "part" in table:
        sizes = table["part"].value_counts(sort=False)
        listed = ", ".join(f"{name} {count:,}" for name, count in sizes.items())
        say(f"{parts}: {listed}.")
    for source in sources:
        say(source_sentence(source))
    say(f"Table: {out}")
