"""`lentigo audit`: check a set of images for duplicates, contradictions and leaks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json, say_lines
from lentigo.cli.word_options import reads_tables
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder

_Tables = Annotated[
    list[Path],
    typer.Argument(help="Lesion table, any CSV, or archive; several are compared."),
]
_Out = Annotated[Path, typer.Option("--out", help="New folder for page and lists.")]
_Test = Annotated[
    Path | None, typer.Option("--test", help="Table of the images to be judged.")
]
_By = Annotated[
    str | None,
    typer.Option("--by", help="Column that says which side of a split an image is on."),
]
_Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="CHECK", help="Let a refusal pass; may be repeated."),
]
_Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="COLUMN", help="Keep a further column in table.parquet."
    ),
]
_Pixels = Annotated[
    Path | None,
    typer.Option("--pixels", help="Pixel store to use or build (lentigo prepare)."),
]
_Size = Annotated[
    int, typer.Option("--size", min=64, help="Side of the stored squares, in pixels.")
]
_Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the resampling.")]


@reads_tables
def audit_command(
    tables: _Tables,
    out: _Out,
    test: _Test = None,
    by: _By = None,
    allow: _Allow = None,
    keep: _Keep = None,
    images: options.Images = None,
    column: options.Columns = None,
    pixels: _Pixels = None,
    size: _Size = 256,
    seed: _Seed = 0,
    json: options.Json = False,
) -> None:
    """Find duplicates, contradictions, leaks and bad images.

    The exit status is 1 on a refusal.

    \b
    Example:
        lentigo audit isic2017/ --out audit/
    """
    check_new_folder(out, besides=("pixels",))  # before anything heavy is imported
    from lentigo.config import AuditConfig
    from lentigo.reports.audit.write import audit

    config = AuditConfig(
        by=by, allow=tuple(allow or ()), pixels=pixels, size=size, seed=seed,
        images=images, keep=tuple(keep or ()), columns=options.named_columns(column),
    )  # fmt: skip
    found = audit(tables, out, test=test, config=config)
    if json:
        say_json(found.as_dict())
    else:
        say_lines(found.as_text())
        say(f"Page: {found.folder / 'index.html'}")
        say(RESEARCH_ONLY)
    if found.refusals:
        raise typer.Exit(1)
