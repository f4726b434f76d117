"""Functions of the commands that process images one by one and write a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lentigo.cli.say import say, say_json
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder, check_not_input

if TYPE_CHECKING:
    from lentigo.reports.images.each import Written

Images = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE...", help="Images, folders, zips, patterns or lesion tables."
    ),
]


def check_out(out: Path, images: Sequence[str]) -> None:
    """Raise `RunError` if the folder `out` is taken or is one of `images`."""
    check_new_folder(out)
    check_not_input(out, images)


def show_written(
    done: Written,
    *,
    failed: str,
    answers: str,
    as_json: dict[str, Any] | None,
    caution: str = "",
) -> None:
    """Print how often each value of the column `answers` occurs, and which images failed.

    `failed` begins the line of an image that could not be read, such as "Not outlined".
    `as_json` holds further values for JSON output, or is None for output as text.

    Raises `typer.Exit` with code 1 where no image could be read.
    """
    from lentigo.words import counted

    reasons = done.failed[["path", "reason"]].to_dict("records")
    if as_json is not None:
        rows = done.table[done.table["doubt"].fillna("").ne("")]
        doubts = rows[["path", "doubt"]].to_dict("records")
        said = {"images": len(done.table), "failed": reasons, "doubts": doubts, **as_json}
        say_json({**said, "out": str(done.folder)})
    else:
        for each in reasons:
            say(f"{failed}: {each['reason']}", err=True)
        for answer, number in counts(done, answers).items():
            say(f"{answer}: {counted(number, 'image')}")
        doubted = int(done.table["doubt"].fillna("").ne("").sum())
        if doubted:
            say(f"{counted(doubted, 'image')} to look at: see the column doubt")
        read = len(done.table) - len(reasons)
        say(f"{read:,} of {counted(len(done.table), 'image')}: {done.folder}")
        for line in filter(None, (caution, RESEARCH_ONLY)):
            say(line)
    if len(reasons) == len(done.table):
        raise typer.Exit(1)


def counts(done: Written, answers: str) -> dict[str, int]:
    """Return how many images have each value of the column `answers`, in falling order."""
    found = done.table[answers].replace("", None).dropna().value_counts()
    return {str(answer): int(number) for answer, number in found.items()}
