"""`lentigo power`: the sample size of a study, from a pilot's predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import show
from lentigo.cli.word_options import reads_words

_Predictions = Annotated[
    Path, typer.Argument(help="The pilot's image ids and probabilities.")
]
_Truth = Annotated[Path, typer.Option("--truth", help="Table with image ids and labels.")]
_Width = Annotated[
    list[float] | None,
    typer.Option("--width", help="Wished width of a 95 % interval; may be repeated."),
]
_Threshold = Annotated[
    float,
    typer.Option("--threshold", min=0, max=1, help="Call melanoma from here upwards."),
]
_Against = Annotated[
    Path | None,
    typer.Option("--against", help="Predictions of another model, to find a difference."),
]
_Difference = Annotated[
    float, typer.Option("--difference", help="Difference of AUC that should be found.")
]
_Power = Annotated[
    float, typer.Option("--power", help="Chance with which it should be found.")
]


@reads_words
def power_command(
    predictions: _Predictions,
    truth: _Truth,
    column: options.Columns = None,
    group: options.Group = None,
    width: _Width = None,
    threshold: _Threshold = 0.5,
    against: _Against = None,
    difference: _Difference = 0.02,
    power: _Power = 0.8,
    json: options.Json = False,
) -> None:
    """Compute how many melanomas and patients a study needs.

    These numbers are computed for each desired width of the 95 % interval of the AUC and of
    the sensitivity and, with a second model's predictions, to detect a difference in AUC.

    \b
    Example:
        lentigo power pilot.csv --truth truth.csv --width 0.05
    """
    from lentigo.evaluation.planning import WIDTHS, plan_study

    plan = plan_study(
        predictions,
        truth,
        columns=options.named_columns(column),
        group=group,
        threshold=threshold,
        widths=tuple(dict.fromkeys(width)) if width else WIDTHS,
        against=against,
        difference=difference,
        power=power,
    )
    show(plan, as_json=json)
