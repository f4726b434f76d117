"""`lentigo change`: compare two photographs of one lesion, taken months apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder


def change_command(
    before: Annotated[Path, typer.Argument(help="The earlier photograph.")],
    after: Annotated[Path, typer.Argument(help="The later photograph.")],
    out: options.Out,
    mask_before: Annotated[
        Path | None,
        typer.Option(help="Mask of the lesion in the earlier photograph, white inside."),
    ] = None,
    mask_after: Annotated[
        Path | None,
        typer.Option(help="Mask of the lesion in the later photograph, white inside."),
    ] = None,
    mm_per_pixel_before: Annotated[
        float | None,
        typer.Option(
            metavar="SIZE",
            help="Millimetres per pixel of the earlier photograph, if it shows no ruler.",
        ),
    ] = None,
    mm_per_pixel_after: Annotated[
        float | None,
        typer.Option(
            metavar="SIZE",
            help="Millimetres per pixel of the later photograph, if it shows no ruler.",
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="Also compare by features of this model.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Say what differs between two photographs of one lesion.

    Size, colour, border and, with a model, features are compared.

    \b
    Example:
        lentigo change march.jpg october.jpg --out changed/
    """
    check_new_folder(out)
    from lentigo.reports.change.write import CAUTION, write_change

    found = write_change(
        before,
        after,
        out,
        masks=(mask_before, mask_after),
        mm_per_pixel=(mm_per_pixel_before, mm_per_pixel_after),
        model=model,
    )
    if json:
        say_json(
            {
                "measures": found.change.rows(),
                "diameter_ratio": found.change.diameter_ratio,
                "scaled": found.change.scaled,
                "color_difference": found.change.color_difference,
                "feature_distance": found.feature_distance,
                "sentences": list(found.sentences),
                "caution": CAUTION,
                "out": str(out),
            }
        )
        return
    for sentence in found.sentences:
        say(sentence)
    say(f"Measures and figure: {out}")
    say(f"{CAUTION} {RESEARCH_ONLY}")
