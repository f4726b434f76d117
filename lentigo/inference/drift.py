"""Compare a model's predictions in use with those on its held-out images (drift)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.answer_columns import ABSTAIN, YES
from lentigo.errors import ConfigError, DatasetError, ModelError
from lentigo.evaluation.drift import Drift, Side, drift
from lentigo.evaluation.joining import read_predictions
from lentigo.inference.decide import CALLED, NOT_CALLED
from lentigo.inference.drift_notes import large_enough, told_apart
from lentigo.inference.drift_patients import PATIENTS, groups_of, joined, patients_of
from lentigo.inference.inputs import Source, find_sources
from lentigo.inference.predict import Model, load
from lentigo.inference.squares import squares
from lentigo.models.calibration import probability
from lentigo.models.description import find_models, points_of, read_description
from lentigo.models.operating_point import read_points
from lentigo.run_layout import FoldLayout, RunLayout, fold_of, run_of
from lentigo.table_files.door import table_name
from lentigo.tables import DIAGNOSIS_COLUMNS, diagnosis_column
from lentigo.words import counted

ANSWERS = ("probability", "answered", "call", "strangeness", "abstain")
_MELANOMA = diagnosis_column("melanoma")
_OTHERS = (
    "Answers are not compared: the held-out ones of the run are those of single networks, "
    "and here others answer (several together, or one that learnt from all rows). To "
    "compare them, give answers of this model on images new to it with --reference."
)
_CALLS = (
    "Calls are not compared: they were made for different shares of melanoma, by a limit "
    "on the probability. To compare them, predict both with the same --prevalence."
)
_MOST_LOOKED_AT = 500
"""Most held-out images whose features are computed."""


def watch_drift(
    model: Path | str,
    predictions: Sequence[Path | str],
    *,
    reference: Path | str | None = None,
    tables: Sequence[Path | str] = (),
    reference_table: Path | str | None = None,
    images: Sequence[Path | str] = (),
    engine: str = "auto",
    repeats: int = 1000,
    seed: int = 0,
) -> Drift:
    """Compare predictions of `model` in one or several periods with its held-out ones.

    `predictions` are tables of `lentigo predict`, one per period. A refused image has no
    answer, and an answer for another share of melanoma is moved back to the model's own, so
    that options of `predict` are no drift. `reference` is a prediction table of images that
    the model was not trained on, by default the held-out predictions of the run that the
    model belongs to. Those of several folds were made by single networks; if all of them
    answer together, or one that learnt from all rows, only patients are compared, and a
    note says so. `tables` describe the patients of the periods (age, sex, site, groups);
    `reference_table` those of the reference, by default the table of the run. `images` are
    image files of the periods: if given, the model's features of them are compared with
    those of at most 500 reference images.

    Raises:
        ConfigError: there is no `reference` and the model belongs to no run, or two
            periods have the same name.
        DatasetError: the reference or each period has no row or too few groups (see
            `lentigo.evaluation.drift.drift`; of several periods, those that have enough are
            compared, and a note names the others), or features are to be compared and none
            of `images` was predicted or no file of a reference image exists; or a table
            does not say for which share of melanoma its answers were meant.
        ModelError: features are to be compared, and the engine gives none.
    """
    first, alike = _reference(Path(model), reference, reference_table)
    if images and not alike:
        raise ConfigError(f"{_OTHERS} Features need a --reference, too, or no --images.")
    several = len(predictions) > 1
    periods = [
        _side(Path(each), tables, name=table_name(each) if several else "the period")
        for each in predictions
    ]
    _check_names(periods)
    periods, notes = large_enough(periods)
    if alike:
        first = _with_calls(first, periods, find_models(Path(model)))
    if images:
        first, periods = _with_features(load(model, engine=engine), first, periods, images)
    answers: tuple[str, ...] = (*ANSWERS, *_diagnoses(first.table))
    if not alike:
        answers = ()
        notes.append(_OTHERS)
    elif _calls_differ(find_models(Path(model)), (first, *periods)):
        answers = tuple(each for each in answers if each != "call")
        notes.append(_CALLS)
    if alike:
        notes += [said for each in periods if (said := told_apart(first, each))]
    columns = [each for each in (*answers, *PATIENTS) if _is_held(each, first, *periods)]
    found = drift(first, periods, columns, repeats=repeats, seed=seed)
    return replace(found, notes=(*notes, *found.notes))


def _with_calls(first: Side, periods: Sequence[Side], models: Sequence[Path]) -> Side:
    """Return the reference with calls at the periods' operating point, if it has none.

    A run keeps probabilities and no calls; the threshold is in the model. Without a single
    model, or a single point with a threshold, the reference is returned as it is.
    """
    tables = [each.table for each in periods if _is_held("call", each)]
    names = {
        str(name)
        for table in tables
        for name in table.get("operating_point", pd.Series(dtype=object)).dropna().unique()
    }
    if _is_held("call", first) or len(models) != 1 or len(names) != 1:
        return first
    points = points_of(models[0])
    point = next((each for each in points if each.name in names), None)
    if point is None or point.threshold is None:
        return first
    known = first.table["probability"]
    called = np.where(known >= point.threshold, CALLED, NOT_CALLED)
    calls = pd.Series(called, known.index, dtype=object).where(known.notna())
    table = first.table.assign(call=calls, operating_point=point.name)
    return replace(first, table=table)


def _calls_differ(models: Sequence[Path], sides: Sequence[Side]) -> bool:
    """Tell whether `sides` have calls that were made for different shares of melanoma.

    Calls of an operating point that does not move with the share are the same for each.
    """
    points = [p for m in models for p in read_points(read_description(m).operating_points)]
    still = [each.name for each in points if not each.moves_with_prevalence]
    shares: set[float] = set()
    for table in (side.table for side in sides if _is_held("call", side)):
        meant, asked = _shares(table)
        own = asked.isna() | (asked == meant)
        point = table.get("operating_point", pd.Series("", table.index))
        shares |= set(asked.mask(own, 0.0)[~point.isin(still)].tolist())
    return len(shares) > 1


def _shares(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return the share of melanoma that answers were meant for, and that asked for."""
    meant, asked = (
        pd.to_numeric(table.get(name, pd.Series(np.nan, table.index)), errors="coerce")
        for name in ("meant_for", "prevalence")
    )
    return meant, asked


def _reference(
    model: Path, reference: Path | str | None, table: Path | str | None
) -> tuple[Side, bool]:
    """Return the reference, and whether the model that is asked for made its answers."""
    models, run = find_models(model), _run(model)
    known = table or (run.table if run and reference is None else None)
    judged, alike = (
        (Path(reference), True) if reference is not None else _held_out(run, model, models)
    )
    tables = [known] if known is not None else []
    return _side(judged, tables, name="the reference"), alike


def _run(model: Path) -> RunLayout | None:
    there = (run for run in run_of(model) if run.predictions.is_file())
    return next((run for run in there if run.config.is_file()), None)


def _held_out(
    run: RunLayout | None, model: Path, models: Sequence[Path]
) -> tuple[Path, bool]:
    """Return the held-out predictions of a run, and whether `models` made them.

    `models` are the model folders at `model`. Of one fold among several its own predictions
    are returned.
    """
    if run is None:
        raise ConfigError(
            f"{model} lies in no run, so its held-out predictions are not known. Name them "
            "with --reference."
        )
    folds = run.folds()
    own = [fold for fold in folds if _is_of(fold, models, run)]
    if not own:
        return run.predictions, False
    several = len(folds) > 1 and own[0].predictions.is_file()
    return own[0].predictions if several else run.predictions, True


def _is_of(fold: FoldLayout, models: Sequence[Path], run: RunLayout) -> bool:
    """Tell whether `models` is the one model of a fold, or its export in the run folder."""
    if len(models) > 1:
        return False
    (place,) = (each.resolve() for each in models)
    if place != run.model.resolve():
        return place == fold.model.resolve()
    return {fold_of(each.name) for each in read_description(place).members} == {fold.name}


def _diagnoses(table: pd.DataFrame) -> list[str]:
    named = [str(name) for name in table if str(name).startswith(DIAGNOSIS_COLUMNS)]
    return [name for name in named if name != _MELANOMA]


def _is_held(name: str, *sides: Side) -> bool:
    tables = [each.table for each in sides]
    return any(name in table and bool(table[name].notna().any()) for table in tables)


def _check_names(periods: Sequence[Side]) -> None:
    names = [each.name for each in periods]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(f"Two periods are called {twice[0]}; rename one of the tables.")


def _side(predictions: Path, tables: Sequence[Path | str], *, name: str) -> Side:
    """Read the predictions of a period or the reference, and join its patient data.

    `tables` are tables of patients or images. The side is called `name`; to one that begins
    with "the " the file of the predictions is added.
    """
    answers, _ = read_predictions(predictions, may_be_empty=True)
    answers = _without_refused(_moved_back(answers, predictions))
    answers["answered"] = np.where(answers["probability"].notna(), "yes", "no")
    asked: dict[str, NDArray[np.bool_]] = {}
    for each in tables:
        answers = joined(answers, *patients_of(Path(each)), asked)
    called = f"{name} ({predictions})"
    groups = groups_of(answers) if len(answers) else np.empty(0, dtype=object)
    return Side(name=called if name.startswith("the ") else name, table=answers,
                groups=groups, asked=asked)  # fmt: skip


def _answer_columns(table: pd.DataFrame) -> list[str]:
    named = [str(name) for name in table if str(name).startswith(DIAGNOSIS_COLUMNS)]
    return ["probability", *named]


def _without_refused(answers: pd.DataFrame) -> pd.DataFrame:
    """Return predictions in which an image that the model refuses has no answer.

    A run shows the probability of refused images all the same; `predict` leaves it out.
    """
    if ABSTAIN not in answers:
        return answers
    refused = answers[ABSTAIN].astype("string").str.lower().isin([YES, "true"])
    empty = [name for name in (*_answer_columns(answers), "call") if name in answers]
    return answers.assign(**{name: answers[name].mask(refused) for name in empty})


def _moved_back(answers: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return predictions at the share of melanoma that the model's own are meant for."""
    meant, asked = _shares(answers)
    moved = asked.notna() & (asked != meant)
    if not moved.any():
        return answers
    known = meant.between(0, 1, inclusive="neither") & asked.between(
        0, 1, inclusive="neither"
    )
    if not known[moved].all():
        raise DatasetError(
            f"{path} holds answers at another share of melanoma (column prevalence) and "
            "does not say for which they were meant (meant_for). Predict again without "
            "--prevalence."
        )
    back = (_log_odds(meant) - _log_odds(asked)).where(moved, 0.0)
    own = probability(_log_odds(answers["probability"]) + back)
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = ((1 - own) / (1 - answers["probability"])).where(moved, 1.0)
    of_others = {
        str(name): answers[name] * rest
        for name in _answer_columns(answers)
        if name not in {"probability", _MELANOMA}
    }
    of_melanoma = {name: own for name in ("probability", _MELANOMA) if name in answers}
    return answers.assign(**of_others, **of_melanoma)


def _log_odds(share: pd.Series) -> pd.Series:
    with np.errstate(divide="ignore"):
        odds: pd.Series = np.log(share) - np.log1p(-share)
    return odds


def _with_features(
    model: Model, first: Side, periods: Sequence[Side], images: Sequence[Path | str]
) -> tuple[Side, list[Side]]:
    """Return the reference `first` and the `periods` with features of their images.

    Raises `DatasetError` if none of `images` was predicted or no reference file exists.
    """
    asked = {str(name) for each in periods for name in each.table["image_id"]}
    sources = [each for each in find_sources(images) if each.image_id in asked]
    if not sources:
        raise DatasetError(
            "None of the images is one of those that were predicted; their ids (file "
            "names) have to be the same."
        )
    there = first.table[
        first.table.get("path", pd.Series(pd.NA, first.table.index)).notna()
    ]
    held_out = [
        Source(str(name), Path(str(path)))
        for name, path in zip(there["image_id"], there["path"], strict=True)
        if Path(str(path)).is_file()
    ]
    if not held_out:
        raise DatasetError(
            "The files of the held-out images are not at hand, so their features cannot be "
            "compared; leave --images out."
        )
    chosen = np.random.default_rng(0).permutation(len(held_out))[:_MOST_LOOKED_AT]
    looked = features_of(model, [held_out[place] for place in sorted(chosen.tolist())])
    seen = features_of(model, sources)
    return _having(first, looked), [_having(each, seen) for each in periods]


def _having(side: Side, features: Mapping[str, NDArray[Any]]) -> Side:
    return replace(side, features=features)


def features_of(
    model: Model, sources: Sequence[Source], *, batch_size: int = 32
) -> dict[str, NDArray[np.float64]]:
    """Return by image id the F features of the model's first network, (F,), at length 1.

    Images that cannot be read are left out. Raises `ModelError` if the engine gives no
    features.
    """
    network = model.members[0]
    way = network.preparation
    found = {}
    with closing(squares(sources, [way], batch_size=batch_size)) as batches:
        for batch in batches:
            if not batch.places:
                continue
            looked = network.looked(np.stack(batch.squares[way]), looks=1)
            if looked is None or looked.features is None:
                raise ModelError(
                    f"The engine of the model gives no features of "
                    f"{counted(len(sources), 'image')}; try --engine torch, or leave "
                    "--images out."
                )
            rows = np.asarray(looked.features, dtype=np.float64)
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
            for place, row in zip(batch.places, rows, strict=True):
                found[sources[place].image_id] = row
    return found
