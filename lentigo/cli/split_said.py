"""Output of `lentigo split`, for a split that was made and for one that was checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lentigo.cli.say import say, say_json, say_lines
from lentigo.visible import visible

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.curation.splits.check import SplitCheck
    from lentigo.curation.splits.make import Divided


def division(divided: Divided, *, as_json: bool) -> None:
    """Print the parts of a split in numbers, and the path of the split."""
    if as_json:
        say_json(divided.as_dict())
        return
    for note in divided.notes:
        say(note)
    say()
    say_lines(_as_text(divided.parts))
    say()
    say(
        "share: melanomas among the labelled images. site off by: how far a part's share "
        "of any body site is from that of all, at most, among images whose site is known."
    )
    uneven = ", ".join(
        f"{name} {100 * value:.2f}" for name, value in divided.unevenness.items()
    )
    say(
        f"A part's share is off by at most (percentage points): {uneven}; what is missing "
        "counts as a value of its own."
    )
    say(f"Split:  {divided.out} (and {divided.out.with_suffix('.json').name})")
    say(f"Digest: {divided.digest}")


def check(found: SplitCheck, out: Path | None, *, as_json: bool) -> None:
    """Print the check of a split; raise `LeakError` if it leaks (JSON: exit with 1).

    `out` is the table to which all leaks were written before, which the error names.
    """
    if as_json:
        say_json(found.as_dict())
        if found.leaks:
            raise typer.Exit(1)
        return
    for note in found.notes:
        say(note)
    parts = ", ".join(f"{name} {count:,}" for name, count in found.parts.items())
    say(f"Parts:       {parts}")
    say(f"Checked:     {'; '.join(found.checked) or 'nothing'}")
    if found.unchecked:
        say(f"Not checked: {'; '.join(found.unchecked)}")
    found.refuse(
        advice=f"All of them: {out}." if out else "All of them: --out leaks.csv, or --json."
    )
    say(
        "No leak was found."
        + (" What was not checked may still leak." if found.unchecked else "")
    )


def _as_text(parts: pd.DataFrame) -> str:
    """Return the parts as aligned columns, with a dash for unknown values."""
    heads = [
        "part", "images", "groups", "patients", "melanomas", "share", "median age",
        "site off by",
    ]  # fmt: skip
    rows = [
        [
            visible(str(row["part"])),
            f"{row['images']:,}",
            f"{row['groups']:,}",
            f"{row['patients']:,}" if row["patients"] else "–",
            f"{row['melanomas']:,}",
            _number(100 * row["share"], "{:.2f} %"),
            _number(row["age"], "{:g}"),
            _number(100 * row["site_off"], "{:.2f} %"),
        ]
        for row in parts.to_dict("records")
    ]
    widths = [max(len(line[place]) for line in [heads, *rows]) for place in range(8)]
    return "\n".join(
        f"{line[0]:<{widths[0]}}  "
        + "  ".join(f"{line[place]:>{widths[place]}}" for place in range(1, 8))
        for line in [heads, *rows]
    )


def _number(value: float, form: str) -> str:
    return "–" if value != value else form.format(value)
