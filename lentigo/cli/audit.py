"""`lentigo audit`: what is wrong with a set of images, before anything is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.main import RESEARCH_ONLY, app


@app.command("audit")
def audit_command(
    tables: Annotated[
        list[Path],
        typer.Argument(help="Lesion table, any CSV, or archive; several are compared."),
    ],
    out: Annotated[Path, typer.Option("--out", help="New folder for page and lists.")],
    test: Annotated[
        Path | None, typer.Option("--test", help="Table of the images to be judged.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Column that says which side of a split an image is on."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow", metavar="CHECK", help="Let a refusal pass; may be repeated."
        ),
    ] = None,
    pixels: Annotated[
        Path | None,
        typer.Option("--pixels", help="Pixel store to use or build (lentigo prepare)."),
    ] = None,
    size: Annotated[
        int, typer.Option("--size", min=64, help="Side of the stored squares, in pixels.")
    ] = 256,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the resampling.")] = 0,
    json: options.Json = False,
) -> None:
    """Find duplicates, contradictions, leaks and bad images; exit 1 on a refusal.

    \b
    Example:
        lentigo audit isic2017/ --out audit/
    """
    from lentigo.audit.run import audit
    from lentigo.config import AuditConfig
    from lentigo.files import to_json

    config = AuditConfig(
        by=by, allow=tuple(allow or ()), pixels=pixels, size=size, seed=seed
    )
    found = audit(tables, out, test=test, config=config)
    if json:
        typer.echo(to_json(found.as_dict()))
    else:
        typer.echo(found.as_text())
        typer.echo(f"Page: {found.folder / 'index.html'}\n{RESEARCH_ONLY}")
    if found.refusals:
        raise typer.Exit(1)
