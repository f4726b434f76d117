"""`lentigo abcd`: asymmetry, border, colours and diameter of a lesion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.each_image import Images, check_out, show_written
from lentigo.cli.word_options import chooses_rows


@chooses_rows
def abcd_command(
    images: Images,
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
    """Measure asymmetry, border, colours and diameter of lesions.

    \b
    Example:
        lentigo abcd photos/ --out measured/
    """
    check_out(out, images)  # before anything heavy is imported
    from lentigo.explanation.abcd import SENTENCE
    from lentigo.reports.images.abcd import write_abcd

    done = write_abcd(images, out, mask=mask, mm_per_pixel=mm_per_pixel)
    more = {"caution": SENTENCE} if json else None
    show_written(
        done, failed="Not measured", answers="verdict", as_json=more, caution=SENTENCE
    )
