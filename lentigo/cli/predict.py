"""`lentigo predict`: a model looks at images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import chooses_rows
from lentigo.errors import ImageError
from lentigo.notice import RESEARCH_ONLY
from lentigo.stopping import exit_code

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.inference.inputs import Source
    from lentigo.inference.predict import Model


_Model = Annotated[Path, typer.Argument(help="Run folder or model folder.")]
_Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT...", help="Images, folders, patterns or lesion tables."),
]
_Out = Annotated[Path, typer.Option("--out", help="Predictions (.csv or .parquet).")]
_Submission = Annotated[
    Path | None,
    typer.Option("--submission", help="Also write image_name,target as in SIIM-ISIC 2020."),
]
_Like = Annotated[
    Path | None,
    typer.Option(
        "--like", help="Sample whose columns, ids and order the submission takes over."
    ),
]
_Also = Annotated[
    list[Path] | None,
    typer.Option(
        "--also",
        help="A further run or model folder, as often as wanted: the mean logit of all "
        "networks, each shown images in its own size and view.",
    ),
]
_Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        help="What computes: torch, onnx, onnx-int8, openvino, or the best there is.",
    ),
]
_BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="Images a step.")]
_Device = Annotated[
    str, typer.Option("--device", help="cpu, cuda, mps, or the fastest there is.")
]


@chooses_rows
def predict_command(
    model: _Model,
    inputs: _Inputs,
    out: _Out,
    submission: _Submission = None,
    like: _Like = None,
    also: _Also = None,
    batch_size: _BatchSize = 32,
    device: _Device = "auto",
    engine: _Engine = "auto",
    json: options.Json = False,
) -> None:
    """Write the probability of melanoma of each image; a broken file gets a row saying why.

    \b
    Example:
        lentigo predict runs/ham photos/ --out predictions.csv
    """
    options.check_table_out(out, inputs)
    if submission is not None:
        options.check_table_out(submission, [out, *inputs, *([like] if like else [])])
    elif like is not None:
        raise typer.BadParameter("it says what --submission is to be like; give both.")
    models = [model, *(also or [])]
    predictions, loaded = _predicted(
        models, inputs, out, like, batch_size=batch_size, device=device, engine=engine
    )
    _warn_of_learnt(models, predictions)
    _show(predictions, loaded, out, as_json=json)
    if submission is not None:
        from lentigo.inference.submission import read_sample, submission_table

        sample = read_sample(like) if like is not None else None
        options.write_out(submission_table(predictions, sample), submission)
    if predictions["probability"].isna().all():
        raise ImageError(f"No image has a probability; {out} says of each one why.")


def _predicted(
    models: list[Path],
    inputs: list[str],
    out: Path,
    like: Path | None,
    *,
    batch_size: int,
    device: str,
    engine: str,
) -> tuple[pd.DataFrame, Model]:
    """The predictions, which are written to `out` as well, and the model that made them."""
    try:  # the imports take long enough to be stopped in
        places, sources = _asked(models, inputs, like, device=device, engine=engine)
        from lentigo.inference.predict import load
        from lentigo.models.engines import engine_for
        from lentigo.output import check_not_read

        check_not_read(out)
        loaded = load(places, engine=engine_for(engine, device))
        predictions = loaded.predict_sources(sources, batch_size=batch_size, device=device)
    except KeyboardInterrupt as stop:
        say("Stopped. No predictions were written.", err=True)
        raise typer.Exit(exit_code(stop)) from None
    options.write_out(predictions, out)
    return predictions, loaded


def _asked(
    models: list[Path],
    inputs: list[str],
    like: Path | None,
    *,
    device: str,
    engine: str,
) -> tuple[list[Path], list[Source]]:
    """Return the model folders and the images that were asked for.

    What is wrong with them is told before torch is loaded, which takes seconds.
    """
    from lentigo.inference.inputs import find_sources
    from lentigo.inference.predict import model_folders
    from lentigo.models.backend import check_device
    from lentigo.models.description import check_folder
    from lentigo.models.engines import check_engine

    check_device(device)
    check_engine(engine)
    places = model_folders(models)
    for place in places:
        check_folder(place)
    sources = find_sources(inputs)
    if like is not None:
        from lentigo.inference.submission import check_ids, read_sample

        check_ids([source.image_id for source in sources], read_sample(like))
    return places, sources


def _warn_of_learnt(models: list[Path], predictions: pd.DataFrame) -> None:
    from lentigo.inference.predict import learnt_images
    from lentigo.progress import log
    from lentigo.words import some

    found = [name for model in models for name in learnt_images(model, predictions)]
    if known := list(dict.fromkeys(found)):
        log.warning(
            "The model learnt from %d of these images (%s): predicting them is no test.",
            len(known),
            some(known),
        )


def _show(predictions: pd.DataFrame, model: Model, out: Path, *, as_json: bool) -> None:
    from lentigo.inference.thresholds import stored_thresholds, threshold_sentences
    from lentigo.words import counted, some

    failed = predictions[predictions["probability"].isna()]
    doubted = predictions[predictions["probability"].notna() & predictions["reason"].ne("")]
    if as_json:
        told = {
            name: rows[["image_id", "reason"]].to_dict("records")
            for name, rows in (("failed", failed), ("doubted", doubted))
        }
        points = stored_thresholds(model)
        say_json(
            {
                "images": len(predictions),
                **told,
                "operating_points": points,
                "out": str(out),
            }
        )
        return
    for row in failed.itertuples():
        say(f"No prediction for {row.image_id}: {row.reason}", err=True)
    if len(doubted):
        say(
            f"{counted(len(doubted), 'image')} may be no dermoscopy, so what is predicted "
            f"may mean nothing (see reason): {some(doubted['image_id'].tolist())}",
            err=True,
        )
    say(
        f"{len(predictions) - len(failed):,} of {counted(len(predictions), 'image')}: {out}"
    )
    for sentence in threshold_sentences(model):
        say(sentence)
    say(RESEARCH_ONLY)
