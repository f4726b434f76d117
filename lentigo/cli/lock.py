"""`lentigo lock`: lock the labels of a test set away, and record each opening."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json, say_lines
from lentigo.cli.word_options import reads_words
from lentigo.output import check_new_folder

if TYPE_CHECKING:
    from lentigo.evaluation.locking import Protocol

_Table = Annotated[
    Path, typer.Argument(help="Test set to lock; or a locked one, to see its record.")
]
_Out = Annotated[
    Path | None, typer.Option("--out", help="New folder for the locked test set.")
]
_Model = Annotated[
    Path | None, typer.Option("--model", help="Fix the model: a model folder or a run.")
]
_Threshold = Annotated[
    float | None,
    typer.Option("--threshold", min=0, max=1, help="Fix the threshold of a call."),
]
_Metric = Annotated[
    list[str] | None,
    typer.Option("--metric", help="Metric that counts, the primary one first."),
]
_By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="COLUMN", help="Fix the subgroups, as of evaluate."),
]
_Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="COLUMN", help="Store a further column, too."),
]


@reads_words
def lock_command(
    table: _Table,
    out: _Out = None,
    model: _Model = None,
    threshold: _Threshold = None,
    metric: _Metric = None,
    column: options.Columns = None,
    group: options.Group = None,
    prevalence: options.Prevalence = None,
    by: _By = None,
    keep: _Keep = None,
    json: options.Json = False,
) -> None:
    """Lock the labels of a test set away, and fix how it is judged.

    Without --out the record of a locked test set is shown: what was fixed, and each
    opening.

    \b
    Example:
        lentigo lock test.csv --model RUN --threshold 0.3 --metric auc --out locked
        lentigo evaluate predictions.csv --truth locked --model RUN --threshold 0.3
        lentigo lock locked
    """
    if out is not None:
        check_new_folder(out)
    from lentigo.evaluation.locking import lock_table, state_of

    notes: list[str] = []
    if out is None:
        state = state_of(table)
    else:
        fixed = _fixed(model, threshold, metric, group=group, prevalence=prevalence, by=by)
        state, notes = lock_table(
            table,
            out,
            columns=options.named_columns(column),
            protocol=fixed,
            keep=tuple(keep or ()),
        )
    if json:
        say_json({**state.as_dict(), "notes": notes})
        return
    say_lines(state.as_text())
    for note in notes:
        say(f"Note: {note}")


def _fixed(
    model: Path | None,
    threshold: float | None,
    metric: list[str] | None,
    *,
    group: str | None,
    prevalence: float | None,
    by: list[str] | None,
) -> Protocol | None:
    """Return the protocol that the options fix; None if none of them is given."""
    from lentigo.evaluation.locking import Protocol

    given = (model, threshold, metric, group, prevalence, by)
    if all(each is None for each in given):
        return None
    return Protocol(
        model=_digest_of_sound(model) if model is not None else None,
        threshold=0.5 if threshold is None else threshold,
        metrics=tuple(dict.fromkeys(metric or ())),
        group=group,
        prevalence=prevalence,
        by=tuple(dict.fromkeys(by or ())),
    )


def _digest_of_sound(model: Path) -> str:
    """Return the digest of a model that can be used: a locked one cannot be exchanged.

    Raises what `check_folder` raises of a description that describes no model, and of files
    that are not there.
    """
    from lentigo.evaluation.locking.protocol import model_digest
    from lentigo.models.description import check_folder, find_models

    for folder in find_models(model):
        check_folder(folder)
    return model_digest(model)
