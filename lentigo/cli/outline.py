"""`lentigo outline`: where the lesion in a photograph ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import chooses_rows
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder, check_not_input

if TYPE_CHECKING:
    from lentigo.reports.images.outlines import Outlined


@chooses_rows
def outline_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...", help="Images, folders, zips, patterns or lesion tables."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="New folder for masks and overlays.")],
    mask: options.Mask = None,
    size: Annotated[
        int,
        typer.Option(
            "--size", min=0, help="Longer side of an overlay; 0 keeps all pixels."
        ),
    ] = 512,
    json: options.Json = False,
) -> None:
    """Find the outline of the lesion in each IMAGE: a mask, an overlay, and outlines.csv.

    \b
    Example:
        lentigo outline photos/ --out outlines/
    """
    check_new_folder(out)  # before anything heavy is imported
    check_not_input(out, images)
    from lentigo.reports.images.outlines import write_outlines

    done = write_outlines(images, out, mask=mask, size=size)
    _show(done, as_json=json)
    if len(done.failed) == len(done.table):
        raise typer.Exit(1)


def _show(done: Outlined, *, as_json: bool) -> None:
    from lentigo.words import counted

    found = done.table["found"].dropna().value_counts()
    if as_json:
        rows = done.failed[["path", "reason"]].to_dict("records")
        said = {"images": len(done.table), "failed": rows, "found": found.to_dict()}
        say_json({**said, "out": str(done.folder)})
        return
    for reason in done.failed["reason"]:
        say(f"Not outlined: {reason}", err=True)
    for answer, number in found.items():
        say(f"{answer}: {counted(number, 'image')}")
    say(f"{len(done.table) - len(done.failed):,} of {counted(len(done.table), 'image')}: "
        f"{done.folder}")  # fmt: skip
    say(RESEARCH_ONLY)
