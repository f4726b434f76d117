"""`lentigo similar`: list the training images that are most similar to an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli import predict_options as asked
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import chooses_rows
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import PREDICTIONS

if TYPE_CHECKING:
    import pandas as pd

_Out = Annotated[Path, typer.Option("--out", help="Table to write (.csv or .parquet).")]
_Count = Annotated[
    int, typer.Option("--count", min=1, max=100, help="Training images an image.")
]

_SHOWN = 20
"""Number of images whose similar cases are printed; the table holds all."""


@chooses_rows
def similar_command(
    model: asked.Model,
    inputs: asked.Inputs,
    out: _Out,
    count: _Count = 5,
    engine: asked.Engine = "auto",
    json: options.Json = False,
) -> None:
    """List the training images that resemble each image most.

    Their diagnoses stand beside.

    \b
    Example:
        lentigo similar runs/ham photos/ --out similar.csv
    """
    options.check_table_out(out, inputs, kind=PREDICTIONS)
    from lentigo.inference.inputs import find_sources
    from lentigo.inference.predict import load
    from lentigo.inference.similar import similar
    from lentigo.output import check_not_read

    sources = find_sources(inputs)
    check_not_read(out)
    found = similar(load(model, engine=engine), sources, count=count)
    options.write_out(found, out)
    _show(found, out, as_json=json)


def _show(found: pd.DataFrame, out: Path, *, as_json: bool) -> None:
    from lentigo.words import counted

    failed = found[found["rank"].isna()]
    refused = found[found["rank"].eq(1) & found["reason"].ne("")]
    if as_json:
        say_json({
            "images": int(found["image_id"].nunique()),
            "failed": failed[["image_id", "reason"]].to_dict("records"),
            "refused": refused[["image_id", "reason"]].to_dict("records"),
            "out": str(out),
        })  # fmt: skip
        return
    for row in failed.itertuples():
        say(f"No similar case for {row.image_id}: {row.reason}", err=True)
    for row in refused.itertuples():
        say(f"{row.image_id}: {row.reason}", err=True)
    shown = list(found.dropna(subset=["rank"]).groupby("image_id", sort=False))[:_SHOWN]
    for _, own in shown:
        names = ", ".join(
            f"{row.similar_id!s} ({row.diagnosis or 'no diagnosis'!s}, {row.distance:.2f})"
            for row in own.itertuples()
        )
        say(f"{own['image_id'].astype(str).iloc[0]}: {names}")
    say(f"Similar cases of {counted(found['image_id'].nunique(), 'image')}: {out}")
    say("Alike to the network is not alike in diagnosis. " + RESEARCH_ONLY)
