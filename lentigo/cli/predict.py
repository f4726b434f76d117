"""`lentigo predict`: a model looks at images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli.main import RESEARCH_ONLY, app
from lentigo.cli.say import say, say_json
from lentigo.stopping import exit_code

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.inference.predict import Model


@app.command("predict")
def predict_command(
    model: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...", help="Images, folders, patterns or lesion tables."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Predictions (.csv or .parquet).")],
    submission: Annotated[
        Path | None,
        typer.Option(
            "--submission", help="Also write image_name,target as in SIIM-ISIC 2020."
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Images a step.")
    ] = 32,
    device: Annotated[
        str, typer.Option("--device", help="cpu, cuda, mps, or the fastest there is.")
    ] = "auto",
    json: options.Json = False,
) -> None:
    """Write the probability of melanoma of each image; a broken file gets a row saying why.

    \b
    Example:
        lentigo predict runs/ham photos/ --out predictions.csv
    """
    options.check_table_out(out, inputs)
    if submission is not None:
        options.check_table_out(submission, [out, *inputs])
    predictions, loaded = _predicted(
        model, inputs, out, batch_size=batch_size, device=device
    )
    _warn_of_learnt(model, predictions)
    _show(predictions, loaded, out, as_json=json)
    if submission is not None:
        from lentigo.inference.submission import submission_table
        from lentigo.tables import write_table

        write_table(submission_table(predictions), submission)


def _predicted(
    model: Path, inputs: list[str], out: Path, *, batch_size: int, device: str
) -> tuple[pd.DataFrame, Model]:
    """The predictions, which are written to `out` as well, and the model that made them."""
    try:  # the imports take long enough to be stopped in
        from lentigo.inference.inputs import find_sources
        from lentigo.inference.predict import load
        from lentigo.tables import write_table

        loaded = load(model)
        predictions = loaded.predict_sources(
            find_sources(inputs), batch_size=batch_size, device=device
        )
    except KeyboardInterrupt as stop:
        say("Stopped. No predictions were written.", err=True)
        raise typer.Exit(exit_code(stop)) from None
    write_table(predictions, out)
    return predictions, loaded


def _warn_of_learnt(model: Path, predictions: pd.DataFrame) -> None:
    from lentigo.errors import some
    from lentigo.inference.predict import learnt_images
    from lentigo.progress import log

    known = learnt_images(model, predictions)
    if known:
        log.warning(
            "The model learnt from %d of these images (%s): predicting them is no test.",
            len(known),
            some(known),
        )


def _show(predictions: pd.DataFrame, model: Model, out: Path, *, as_json: bool) -> None:
    from lentigo.errors import counted
    from lentigo.inference.thresholds import stored_thresholds, threshold_sentences

    failed = predictions[predictions["probability"].isna()]
    if as_json:
        reasons = failed[["image_id", "reason"]].to_dict("records")
        said = {
            "images": len(predictions),
            "failed": reasons,
            "operating_points": stored_thresholds(model),
            "out": str(out),
        }
        say_json(said)
        return
    for row in failed.itertuples():
        say(f"No prediction for {row.image_id}: {row.reason}", err=True)
    say(
        f"{len(predictions) - len(failed):,} of {counted(len(predictions), 'image')}: {out}"
    )
    for sentence in threshold_sentences(model):
        say(sentence)
    say(RESEARCH_ONLY)
