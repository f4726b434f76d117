"""`lentigo view`: write images of lesions in other colours, blurred, or without hair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_folder, check_not_input

if TYPE_CHECKING:
    from lentigo.reports.images.views import Viewed


def view_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...", help="Images, folders, patterns or lesion tables."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the PNG files.")],
    view: Annotated[
        str, typer.Option("--view", help="Names with commas between (lentigo list views).")
    ] = "all",
    size: Annotated[
        int, typer.Option("--size", min=0, help="Longer side in pixels; 0 keeps it.")
    ] = 512,
    mask: Annotated[
        Path | None,
        typer.Option("--mask", help="Mask of the lesion, white inside: draws its outline."),
    ] = None,
    sheet: Annotated[
        bool, typer.Option("--sheet/--no-sheet", help="Also all views on one sheet.")
    ] = True,
    json: options.Json = False,
) -> None:
    """Write images in other views, such as grey or without hair.

    Each view is STEM.VIEW.png, and all of them are on STEM.sheet.png.

    \b
    Example:
        lentigo view lesion.jpg --view gray,hsv,local_mean,dullrazor --out views/
    """
    check_folder(out)  # before anything heavy is imported
    check_not_input(out, images)
    names = [name.strip() for name in view.split(",") if name.strip()]
    from lentigo.config.views import view_name

    for name in names:
        if name not in {"all", "outline"}:
            view_name(name)
    from lentigo.reports.images.views import write_views

    viewed = write_views(images, out, views=names, size=size, mask=mask, sheet=sheet)
    _show(viewed, out, as_json=json)
    if not any(image.files for image in viewed):
        raise typer.Exit(1)


def _show(viewed: list[Viewed], out: Path, *, as_json: bool) -> None:
    failed = [image for image in viewed if image.reason]
    if as_json:
        done = {image.path: list(image.files) for image in viewed if not image.reason}
        reasons = [{"path": image.path, "reason": image.reason} for image in failed]
        say_json({"images": len(viewed), "failed": reasons, "files": done, "out": str(out)})
        return
    for image in failed:
        say(f"Not shown: {image.reason}", err=True)
    from lentigo.words import counted

    say(f"{len(viewed) - len(failed):,} of {counted(len(viewed), 'image')}: {out}")
    say(RESEARCH_ONLY)
