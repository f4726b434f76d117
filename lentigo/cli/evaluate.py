"""`lentigo evaluate`: evaluate predictions of any model against the true labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lentigo.cli import options
from lentigo.cli.say import show
from lentigo.cli.word_options import reads_words
from lentigo.output import check_file
from lentigo.progress import log
from lentigo.run_layout import EVALUATION, RunLayout

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.evaluation.choosing_elsewhere import ChooseOn
    from lentigo.evaluation.locking.opened import Opening
    from lentigo.evaluation.result import Evaluation
    from lentigo.models.operating_point import OperatingPoint

_Predictions = Annotated[
    Path, typer.Argument(help="Table with image ids and probabilities.")
]
_Truth = Annotated[Path, typer.Option("--truth", help="Table with image ids and labels.")]
_By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="COLUMN",
        help="Judge each value of a column (at most 40), of two (site*sex), or of all "
        "(known).",
    ),
]
_Threshold = Annotated[
    float,
    typer.Option("--threshold", min=0, max=1, help="Call melanoma from here upwards."),
]
_Model = Annotated[
    Path | None,
    typer.Option("--model", help="Judge the thresholds that this model brings along, too."),
]
_ChooseOn = Annotated[
    Path | None,
    typer.Option(
        "--choose-on",
        metavar="TABLE",
        help="Other predictions, to choose thresholds on; they are judged here.",
    ),
]
_ChooseTruth = Annotated[
    Path | None,
    typer.Option(
        "--choose-truth",
        metavar="TABLE",
        help="Labels of those images, where neither they nor --truth have them.",
    ),
]
_Baselines = Annotated[
    bool,
    typer.Option(
        "--baselines", help="Judge cheap models beside it: patient, file, colours alone."
    ),
]
_Challenge = Annotated[
    list[str] | None,
    typer.Option(
        "--challenge",
        metavar="NAME",
        help="Add an official score: isic2016 … isic2019, siim2020, isic2024.",
    ),
]
_Deviate = Annotated[
    str | None,
    typer.Option(
        "--deviate",
        metavar="REASON",
        help="Open a locked test set under another protocol than was fixed, and say why.",
    ),
]
_Repeats = Annotated[int, typer.Option("--repeats", min=10, help="Resamples.")]
_Seed = Annotated[int, typer.Option("--seed", help="Seed of the resamples.")]
_Out = Annotated[
    Path | None,
    typer.Option("--out", help=f"Folder for {EVALUATION}, a page and the figures."),
]


@reads_words
def evaluate_command(
    predictions: _Predictions,
    truth: _Truth,
    column: options.Columns = None,
    group: options.Group = None,
    by: _By = None,
    threshold: _Threshold = 0.5,
    prevalence: options.Prevalence = None,
    model: _Model = None,
    choose_on: _ChooseOn = None,
    choose_truth: _ChooseTruth = None,
    baselines: _Baselines = False,
    challenge: _Challenge = None,
    deviate: _Deviate = None,
    repeats: _Repeats = 2000,
    seed: _Seed = 0,
    out: _Out = None,
    json: options.Json = False,
) -> None:
    """Score a table of predictions: each metric with its interval.

    \b
    Example:
        lentigo evaluate predictions.csv --truth truth.csv --group patient_id
    """
    if out is not None:
        check_file(RunLayout(out).evaluation, new=True)  # before anything heavy is imported
    from lentigo.evaluation import evaluate

    columns = options.named_columns(column)
    how = _How(group, threshold, prevalence)._asdict()
    points = _points(model) if model is not None else ()
    chosen_on = _to_choose_on(choose_on, choose_truth)
    files = _Files(predictions, truth, model, choose_on)
    how_by = {**how, "by": tuple(dict.fromkeys(by or ()))}
    labels, opening = _opened(files, columns, deviate, **how_by)
    more = _More(columns, by or (), repeats, seed, points, chosen_on)._asdict()
    found = evaluate(predictions, labels, **how, **more)
    if model is not None:
        found = _with_learnt(found, model)
    if baselines:
        found = _with_baselines(found, predictions, labels, columns, group, seed)
    if challenge:
        found = _with_official(found, challenge, predictions, labels, columns)
    _hand_over(found if opening is None else found.opened_by(opening), out, as_json=json)


class _How(NamedTuple):
    """Arguments of `lentigo.evaluate` that the protocol of a locked test set also fixes."""

    group: str | None
    threshold: float
    prevalence: float | None


class _More(NamedTuple):
    """Arguments of `lentigo.evaluate` that are not in `_How`; it explains them."""

    columns: dict[str, str]
    by: Sequence[str]
    repeats: int
    seed: int
    points: tuple[OperatingPoint, ...]
    choose_on: ChooseOn | None


class _Files(NamedTuple):
    """The files that an evaluation reads."""

    predictions: Path
    truth: Path
    """Table of labels, or the folder of a locked test set."""
    model: Path | None
    """Folder of the model that predicted, whose operating points are judged, too."""
    choose_on: Path | None
    """Table of further predictions, on which operating points are chosen."""


def _with_baselines(
    found: Evaluation,
    predictions: Path,
    labels: Path | pd.DataFrame,
    columns: dict[str, str],
    group: str | None,
    seed: int,
) -> Evaluation:
    from lentigo.baselines.beside import baselines_beside
    from lentigo.extras import require

    require("sklearn", what="--baselines")
    beside = baselines_beside(predictions, labels, columns=columns, group=group, seed=seed)
    return replace(found, beside=beside)


def _with_learnt(found: Evaluation, model: Path) -> Evaluation:
    """Note how many of the judged images `model` was trained or chosen on, if it can."""
    from lentigo.inference.learnt import held_out_images, learnt_images, unknowable

    judged = found.scored.assign(group_id=found.scored["group"])
    judged["path"] = judged.get("path", "")
    if unsure := unknowable(model):
        found = replace(found, notes=(unsure, *found.notes))
    learnt = learnt_images(model, [judged])
    return found.learnt_by_model(learnt, held_out=held_out_images(model, judged))


def _with_official(
    found: Evaluation,
    challenges: Sequence[str],
    predictions: Path,
    labels: Path | pd.DataFrame,
    columns: dict[str, str],
) -> Evaluation:
    from lentigo.evaluation.official import official_scores

    scores = (
        official_scores(name, predictions, labels, columns=columns)
        for name in dict.fromkeys(challenges)
    )
    return replace(found, official=tuple(scores))


def _hand_over(found: Evaluation, out: Path | None, *, as_json: bool) -> None:
    """Write an evaluation into the folder `out`, if one is given, and print it."""
    from lentigo.reports.evaluation import write_evaluation

    if out is not None:
        write_evaluation(found, out)
        if (page := RunLayout(out).report).is_file():
            log.info("The page is %s.", page)
    show(found, as_json=as_json)


def _opened(
    files: _Files, columns: dict[str, str], deviate: str | None, **settings: Any
) -> tuple[Path | pd.DataFrame, Opening | None]:
    """Return the source of the labels, and the record of opening a locked test set.

    Labels that are not locked are returned as their path, with None. Opening a locked test
    set is recorded in it; `columns` and `settings` are compared with its protocol, and
    `deviate` is the reason for a deviation.
    """
    from lentigo.datasets.reading.chosen import condition
    from lentigo.evaluation.joining import check_readable
    from lentigo.evaluation.locking import Protocol, is_locked, open_labels
    from lentigo.evaluation.locking.named import check_named
    from lentigo.evaluation.locking.protocol import model_digest, predictions_digest

    predictions, truth, model, choose_on = files
    if not is_locked(truth):
        if deviate is not None:
            raise typer.BadParameter(f"--deviate is for a locked test set, not {truth}.")
        return truth, None
    # Errors in the predictions and the columns must be found before the labels are opened.
    check_named(truth, columns, check_readable(predictions, columns))
    table = predictions_digest(predictions)
    judged = predictions_digest(predictions, columns.get("probability"))
    asked = Protocol(
        model=model_digest(model) if model is not None else table,
        choose_on=predictions_digest(choose_on) if choose_on is not None else None,
        where=condition(),
        columns=tuple(f"{ours}={theirs}" for ours, theirs in sorted(columns.items())),
        **settings,
    )
    return open_labels(truth, asked, predictions=judged, deviate=deviate)


def _to_choose_on(predictions: Path | None, truth: Path | None) -> ChooseOn | None:
    from lentigo.evaluation.choosing_elsewhere import ChooseOn

    if predictions is None and truth is not None:
        raise typer.BadParameter(
            "--choose-truth says what is true of the images of --choose-on TABLE: give "
            "that, too."
        )
    return None if predictions is None else ChooseOn(predictions, truth)


def _points(model: Path) -> tuple[OperatingPoint, ...]:
    """Return the operating points of a model folder, or of a run that has one model."""
    from lentigo.errors import ConfigError
    from lentigo.models.description import find_models, points_of

    folders = find_models(model)
    if len(folders) > 1:
        raise ConfigError(
            f"{model} holds {len(folders)} models with thresholds of their own; name the "
            f"one that predicted: --model {folders[0]}."
        )
    return points_of(folders[0])
