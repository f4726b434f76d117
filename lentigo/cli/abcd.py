"""`lentigo abcd`: asymmetry, border, colours and diameter of a lesion."""

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
    from lentigo.reports.images.abcd import Measured


@chooses_rows
def abcd_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...", help="Images, folders, zips, patterns or lesion tables."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="New folder for table and figures.")],
    mask: options.Mask = None,
    mm_per_pixel: Annotated[
        float | None,
        typer.Option(
            "--mm-per-pixel", help="Scale of all images; otherwise a ruler is looked for."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Measure asymmetry, border, colours and diameter of the lesion in each IMAGE.

    \b
    Example:
        lentigo abcd photos/ --out measured/
    """
    check_new_folder(out)  # before anything heavy is imported
    check_not_input(out, images)
    from lentigo.reports.images.abcd import write_abcd

    done = write_abcd(images, out, mask=mask, mm_per_pixel=mm_per_pixel)
    _show(done, as_json=json)
    if len(done.failed) == len(done.table):
        raise typer.Exit(1)


def _show(done: Measured, *, as_json: bool) -> None:
    from lentigo.explanation.abcd import SENTENCE
    from lentigo.words import counted

    if as_json:
        rows = done.failed[["path", "reason"]].to_dict("records")
        said = {"images": len(done.table), "failed": rows, "caution": SENTENCE}
        say_json({**said, "out": str(done.folder)})
        return
    for reason in done.failed["reason"]:
        say(f"Not measured: {reason}", err=True)
    for verdict, number in done.table["verdict"].replace("", None).value_counts().items():
        say(f"{verdict}: {counted(number, 'image')}")
    read = len(done.table) - len(done.failed)
    say(f"{read:,} of {counted(len(done.table), 'image')}: {done.folder}")
    say(SENTENCE)
    say(RESEARCH_ONLY)
