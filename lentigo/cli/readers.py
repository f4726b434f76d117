"""`lentigo readers`: compare human readers of the same images with a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import show
from lentigo.cli.word_options import reads_words
from lentigo.output import check_file
from lentigo.run_layout import READERS

_Readers = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE", help="One row a reading (reader, image_id, call or rating), or "
        "one column a reader.",
    ),
]  # fmt: skip
_Truth = Annotated[Path, typer.Option("--truth", help="Table with image ids and labels.")]
_Predictions = Annotated[
    Path | None,
    typer.Option("--predictions", help="A model's predictions of the same images."),
]
_CallFrom = Annotated[
    float | None,
    typer.Option("--call-from", help="Ratings from here upwards are calls of melanoma."),
]
_Repeats = Annotated[int, typer.Option("--repeats", min=10, help="Resamples.")]
_Seed = Annotated[int, typer.Option("--seed", help="Seed of the resamples.")]
_Out = Annotated[
    Path | None, typer.Option("--out", help=f"Folder for {READERS} and the figure.")
]


@reads_words
def readers_command(
    readers: _Readers,
    truth: _Truth,
    predictions: _Predictions = None,
    column: options.Columns = None,
    call_from: _CallFrom = None,
    group: options.Group = None,
    repeats: _Repeats = 2000,
    seed: _Seed = 0,
    out: _Out = None,
    json: options.Json = False,
) -> None:
    """Evaluate human readers, their agreement, and a model beside.

    Printed are the sensitivity and specificity of each reader and of their majority vote,
    the model's sensitivity at the specificity of each reader, means that generalise to
    other readers and images (Obuchowski & Rockette, Hillis), and a comparison of reading
    conditions, such as with and without an aid.

    \b
    Example:
        lentigo readers readers.csv --truth truth.csv --predictions predictions.csv
    """
    if out is not None:
        check_file(out / READERS, new=True)
    from lentigo.evaluation.readers import judge_readers

    study = judge_readers(
        readers,
        truth,
        predictions=predictions,
        columns=options.named_columns(column),
        call_from=call_from,
        group=group,
        repeats=repeats,
        seed=seed,
    )
    if out is not None:
        from lentigo.reports.comparison import write_readers

        write_readers(study, out)
    show(study, as_json=json)
