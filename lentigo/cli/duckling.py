"""`lentigo duckling`: find the lesion of each patient that differs most from the others."""

from __future__ import annotations

from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli import predict_options as asked
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import reads_tables
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder, check_not_input

if TYPE_CHECKING:
    from lentigo.inference.duckling import Ducklings

_SHOWN = 20
"""Number of patients whose lesion is printed; the table holds all."""


@reads_tables
def duckling_command(
    model: asked.Model,
    table: Annotated[Path, typer.Argument(help="Lesions with the ids of their patients.")],
    out: options.Out,
    engine: asked.Engine = "auto",
    device: asked.Device = "auto",
    figures: Annotated[
        int, typer.Option("--figures", min=0, help="Patients drawn, the oddest first.")
    ] = 100,
    json: options.Json = False,
) -> None:
    """Find the lesion of each patient that differs from the others.

    \b
    Example:
        lentigo duckling runs/ham clinic.csv --out odd/
    """
    check_new_folder(out)
    options.check_there(table, "table")
    check_not_input(out, [table])
    from lentigo.datasets.any_table import read_any
    from lentigo.progress import log
    from lentigo.reports.duckling.write import CAUTION, write_ducklings

    lesions = read_any(table)
    for note in lesions.notes:
        log.info("%s", note)
    found = write_ducklings(
        model, lesions.table, out, engine=engine, device=device, figures=figures
    )
    if json:
        say_json(_as_dict(found, out))
        return
    _show(found, out)
    say(CAUTION + " " + RESEARCH_ONLY)


def _as_dict(found: Ducklings, out: Path) -> dict[str, object]:
    first = found.table[found.table["rank"].eq(1).fillna(value=False)]
    return {
        "patients": int(found.table["patient_id"].nunique()),
        "odd": first[["patient_id", "lesion_id", "image_id", "oddness", "reason"]].to_dict(
            "records"
        ),
        "melanoma_is_odd": found.found.as_dict(),
        "chance": found.chance,
        "out": str(out),
    }


def _share(part: float) -> str:
    """Format a share in per cent, rounded down: 100 % is the oddest lesion alone."""
    return f"{floor(100 * part + 1e-9)} %"


def _show(found: Ducklings, out: Path) -> None:
    from lentigo.words import counted

    table = found.table
    first = table[table["rank"].eq(1).fillna(value=False)]
    for row in (
        first.sort_values("oddness", ascending=False).head(_SHOWN).to_dict("records")
    ):
        doubt = f"; {row['reason']}" if row["reason"] else ""
        say(
            f"{row['patient_id']}: {row['image_id']} "
            f"(oddness {row['oddness']:.2f}, odder than {_share(row['odder_than'])} of all "
            f"others){doubt}"
        )
    few = table[table["reason"].str.startswith("too few")]
    if len(few):
        say(
            f"{counted(few['patient_id'].nunique(), 'patient')}: too few lesions (under 3)."
        )
    if found.sentence:
        say(found.sentence)
    say(f"Lesions of {counted(table['patient_id'].nunique(), 'patient')}: {out}")
