"""`lentigo outline`: find the outline of the lesion in a photograph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.each_image import Images, check_out, counts, show_written
from lentigo.cli.word_options import chooses_rows


@chooses_rows
def outline_command(
    images: Images,
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
    """Find the outline of the lesion in each image.

    Written are a mask and an overlay of each, and outlines.csv.

    \b
    Example:
        lentigo outline photos/ --out outlines/
    """
    check_out(out, images)  # before anything heavy is imported
    from lentigo.reports.images.outlines import write_outlines

    done = write_outlines(images, out, mask=mask, size=size)
    more = {"found": counts(done, "found")} if json else None
    show_written(done, failed="Not outlined", answers="found", as_json=more)
