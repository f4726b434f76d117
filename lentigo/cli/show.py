"""Output of a whole run, and of a table that was read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lentigo.cli.say import say, say_json, say_lines
from lentigo.notice import RESEARCH_ONLY

if TYPE_CHECKING:
    from lentigo.pipeline import Result
    from lentigo.tables import NotedTable


def show_result(result: Result | None, *, as_json: bool) -> None:
    """Print the metrics of a run and the path of its report.

    Nothing if `result` is None.
    """
    if result is None:
        return
    if as_json:
        said = {
            **result.model.as_dict(),
            "headline": list(result.headline),
            "operating_points": [each.as_dict() for each in result.thresholds],
            "absent_operating_points": list(result.absent),
            "calibration": result.calibration and result.calibration.as_dict(),
            "baseline": result.baseline.as_dict(),
            "best_reachable_auc": result.best_reachable_auc,
            "run": str(result.run.folder),
            "report": str(result.report),
        }
        say_json(said)
        return
    say_lines(result.model.as_text(head=False))
    say()
    for each in result.thresholds[1:]:  # the headline holds the first
        say(each.as_line())
    for sentence in result.absent:
        say(sentence)
    if result.calibration is not None:
        say(result.calibration.as_line())
    for sentence in result.headline:
        say(sentence)
    say(f"Report: {result.report}")
    say(RESEARCH_ONLY)


def show_table(read: NotedTable, out: Path, *, as_json: bool, parts: str = "Parts") -> None:
    """Print what is in the lesion table `out`: notes, counts, licence, citation."""
    from lentigo.curation.summary import summary
    from lentigo.datasets.counts import with_sentence
    from lentigo.datasets.reading.sources import source_sentence

    table, sources = read.table, list(read.sources)
    counts = summary(table)
    if as_json:
        notes = list(read.notes)
        say_json({**counts, "notes": notes, "sources": sources, "table": str(out)})
        return
    for note in with_sentence(read):
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
