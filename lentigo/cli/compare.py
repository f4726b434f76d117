"""`lentigo compare`: compare several models on the same images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import show
from lentigo.cli.word_options import reads_words
from lentigo.errors import ConfigError
from lentigo.output import check_file
from lentigo.run_layout import COMPARISON
from lentigo.visible import visible

_Predictions = Annotated[
    list[str],
    typer.Argument(
        metavar="[NAME=]FILE...", help="Tables of predictions, one a model; two or more."
    ),
]
_Truth = Annotated[
    list[Path],
    typer.Option("--truth", help="Table with image ids and labels; may be repeated."),
]
_Reference = Annotated[
    str | None,
    typer.Option("--reference", help="Compare each other model with this one alone."),
]
_Margin = Annotated[
    float | None,
    typer.Option("--margin", help="Ask whether the first is worse by so much AUC."),
]
_Repeats = Annotated[
    int, typer.Option("--repeats", min=10, help="Permutations, and resamples for ranks.")
]
_Seed = Annotated[int, typer.Option("--seed", help="Seed of both.")]
_Out = Annotated[
    Path | None, typer.Option("--out", help=f"Folder for {COMPARISON} and the figures.")
]


@reads_words
def compare_command(
    predictions: _Predictions,
    truth: _Truth,
    column: options.Columns = None,
    reference: _Reference = None,
    margin: _Margin = None,
    group: options.Group = None,
    repeats: _Repeats = 2000,
    seed: _Seed = 0,
    out: _Out = None,
    json: options.Json = False,
) -> None:
    """Compare models on the images that all of them predict.

    Differences of AUC have paired intervals, with patients as the unit, and p-values
    adjusted for the number of pairs. With several tables of labels, or a column of the
    archive, each model is judged on each archive, too.

    \b
    Example:
        lentigo compare new=a.csv old=b.csv --truth truth.csv --margin 0.02 --out compared
    """
    if out is not None:
        check_file(out / COMPARISON, new=True)
    named = _named(predictions)
    from lentigo.evaluation import compare_models

    contest = compare_models(
        named,
        truth,
        columns=options.named_columns(column),
        reference=reference,
        margin=margin,
        group=group,
        repeats=repeats,
        seed=seed,
    )
    if out is not None:
        from lentigo.reports.comparison import write_comparison

        write_comparison(contest, out)
    show(contest, as_json=json)


def _named(predictions: list[str]) -> dict[str, Path]:
    """Return the path of each model's predictions by its name, from NAME=FILE or FILE.

    Without NAME it is the name of the file without its endings.

    Raises `ConfigError` where two models have the same name.
    """
    from lentigo.table_files.door import table_name

    named: dict[str, Path] = {}
    for word in predictions:
        name, equals, file = word.partition("=")
        # The name of an existing file may contain an equals sign.
        whole = not equals or not name or Path(word).exists()
        path = Path(word if whole and name else file)
        name = table_name(path) if whole else name
        if name in named:
            raise ConfigError(
                f"Two models are called {visible(name)}; name them: "
                f"{visible(name)}={named[name]} OTHER={path}."
            )
        named[name] = path
    return named
