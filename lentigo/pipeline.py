"""The whole run in one call: read the data, train, evaluate beside the baseline, report."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lentigo.baselines import metadata_baseline
from lentigo.baselines.logistic import known_features
from lentigo.config import BY_SOURCE, Config, read_config
from lentigo.datasets import guess_format
from lentigo.datasets.any_table import read_format
from lentigo.datasets.combined import combine
from lentigo.datasets.counts import label_sentence, with_sentence
from lentigo.errors import DatasetError, LentigoError
from lentigo.evaluation import Comparison, Evaluation, compare, evaluate
from lentigo.evaluation.fold_thresholds import JudgedThreshold, absent_points, judge_points
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.joining import match
from lentigo.evaluation.nested import Nested
from lentigo.evaluation.recalibration import Recalibration, judge_calibration
from lentigo.evaluation.repeated import Repeats, by_repeat, judge_repeats
from lentigo.evaluation.scoring import nested_of
from lentigo.evaluation.sums import Sample
from lentigo.evaluation.without import Beside, judge_without
from lentigo.imaging.store.place import check_squares, check_store_folder
from lentigo.json_files import read_json, write_json
from lentigo.machine import is_first_process
from lentigo.models.calibration import probability
from lentigo.models.description import (
    DESCRIPTION,
    is_export_of,
    models_of,
    read_description,
)
from lentigo.models.operating_point import OperatingPoint, read_points
from lentigo.models.schema import Description
from lentigo.output import alone, check_run_folder
from lentigo.progress import log
from lentigo.recipes import recipe
from lentigo.reports.run.page import write_report
from lentigo.reports.run.verdict import verdict
from lentigo.run_layout import RunLayout
from lentigo.tables import NotedTable, read_any_table, read_table_file, write_table
from lentigo.training.nested import check_can_nest
from lentigo.training.run import Run, settled, train
from lentigo.words import none_of


@dataclass(frozen=True)
class Result:
    """Result of a run: the training, the evaluations of network and baseline, a report."""

    run: Run
    """The run folder with its tables and its model."""
    model: Evaluation
    """The evaluation of the network on the held-out images."""
    baseline: Evaluation
    """The evaluation of the baseline (age, sex and site alone) on the same images."""
    report: Path
    """Path of the page with the results."""
    thresholds: tuple[JudgedThreshold, ...] = ()
    """The thresholds that were chosen on validation images, judged on the held-out
    images."""
    absent: tuple[str, ...] = ()
    """Why other thresholds could not be chosen, one sentence each."""
    calibration: Recalibration | None = None
    """Calibration on the held-out images with and without the models' recalibration."""
    headline: tuple[str, ...] = ()
    """The sentences and warnings at the head of the report."""
    best_reachable_auc: float = float("nan")
    """The AUC of the true probabilities from which the labels of a synthetic set were
    drawn; NaN for any other set."""


def run(
    root: Path | str | Sequence[Path | str],
    config: Config | None = None,
    *,
    out: Path | str,
    format: str | None = None,
    folds: int = 1,
    resume: bool = False,
    options: dict[str, Any] | None = None,
) -> Result | None:
    """Read the archive in `root`, train on it, evaluate the model and write the report.

    Several archives become one table, in which images that they share stay together (see
    `datasets.combined.combine`). `format` names the reader of the archive (by default it is
    guessed from its files), and `options` are the arguments of that reader; the other
    arguments are those of `lentigo.train`. The evaluation also judges each archive on its
    own. Of several processes that train together, all but the first return None.
    """
    config = settled(config or recipe("quick"))
    out = Path(out)
    if not is_first_process():
        train(pd.DataFrame(), config, out=out, folds=folds, resume=resume)
        return None
    check_run_folder(out, resume=resume)
    check_store_folder(config.imaging.store)
    check_squares(config.imaging.store, size=config.imaging.size, fit=config.imaging.fit)
    check_can_nest(config, folds)
    with alone(out):
        roots = [root] if isinstance(root, str | Path) else list(root)
        table = _read_all(roots, format, options or {})
        return finish(train(table, config, out=out, folds=folds, resume=resume))


def finish(run: Run) -> Result:
    """Evaluate a trained run beside its baseline; write the evaluation and the report."""
    with alone(run.folder):
        return _finish(run)


def _finish(run: Run) -> Result:
    layout = run.layout
    config = read_config(layout.config)
    table, predictions = read_table_file(layout.table), run.predictions
    baseline = baseline_predictions(table, layout, config)
    write_table(baseline, layout.baseline)
    model, beside, difference = _judged(table, predictions, baseline, config)
    model = replace(
        model,
        repeated=_repeated(table, layout, config),
        nested=_nested(table, layout, config),
    )
    points = _points(predictions, layout)
    thresholds = tuple(judge_points(model.scored, points))
    absent = tuple(absent_points(points))
    calibration = _calibration(table, predictions, layout)
    best = _best_reachable(table, predictions)
    found = {
        "given": read_json(layout.environment).get("given"),
        "model": model.as_dict(),
        "baseline": beside.as_dict(),
        "difference": difference.as_dict(),
        "operating_points": [each.as_dict() for each in thresholds],
        "absent_operating_points": list(absent),
        "calibration": calibration.as_dict() if calibration else None,
        "best_reachable_auc": best,
        "members": _members(table, layout, config),
        "archives": _archives(table, layout, config),
        "refit": _refit(layout, config),
        "without_metadata": _without(table, predictions, config, "metadata"),
        "without_context": _without(table, predictions, config, "context"),
    }
    write_json(layout.evaluation, found)
    report = write_report(layout.folder)
    log.info("The report is %s.", report)
    if config.export:
        _export(layout)
    used = known_features(table, config.evaluation.baseline)
    head = verdict(found, baseline_features=used)
    return Result(
        run=run, model=model, baseline=beside, report=report, best_reachable_auc=best,
        thresholds=thresholds, absent=absent, calibration=calibration,
        headline=(*head.sentences, *head.warnings),
    )  # fmt: skip


def _export(layout: RunLayout) -> None:
    """Write the run's networks as one model folder; if that fails, only log a warning."""
    from lentigo.export import export

    folders = models_of(layout)
    try:
        if is_export_of(layout.model, folders):
            return
        if (layout.model / DESCRIPTION).is_file():  # an export of fewer folds
            shutil.rmtree(layout.model)
        export(layout.folder, layout.model)
    except LentigoError as error:
        log.warning("The run was not exported: %s", error)
    else:
        log.info("%s holds all that a prediction needs; copy it anywhere.", layout.model)


def _judged(
    table: pd.DataFrame, predictions: pd.DataFrame, baseline: pd.DataFrame, config: Config
) -> tuple[Evaluation, Evaluation, Comparison]:
    """Return the evaluations of model and baseline, and the comparison of the two.

    Thresholds that would be chosen on the held-out images themselves are left out.
    """
    held_out = table["image_id"].isin(predictions["image_id"])
    truth = table.loc[held_out, ["image_id", "melanoma", "group_id", "dataset"]]
    settings: dict[str, Any] = {
        "group": "group_id", "repeats": config.evaluation.repeats, "seed": config.seed,
    }  # fmt: skip
    model, beside = (
        evaluate(each, truth, threshold=config.evaluation.threshold, **settings)
        for each in (predictions, baseline)
    )
    difference = compare(predictions, baseline, truth, **settings)
    return model.without_own_thresholds(), beside.without_own_thresholds(), difference


def _members(table: pd.DataFrame, layout: RunLayout, config: Config) -> dict[str, Any]:
    """Return the AUC of each single network with its interval, by the network's name.

    Each is judged on the images of `table` that it predicted. Folds with one network have
    no entry.
    """
    return {
        each.name: _auc(read_any_table(each.predictions), table, config)
        for fold in layout.folds()
        for each in fold.members()
    }


def _archives(
    table: pd.DataFrame, layout: RunLayout, config: Config
) -> dict[str, dict[str, Any]]:
    """Return the AUC of each fold's model on each archive, where archives were held out.

    On the archive that was held out, all images are judged; on an archive used in training,
    only its validation images, which also chose the best epoch.
    """
    if config.split.scheme != BY_SOURCE:
        return {}
    names, found = sorted(table["dataset"].unique()), {}
    for fold in layout.folds_of_first_repeat():
        held_out = names[fold.number]
        rest = [name for name in names if name != held_out]
        model = " + ".join(rest) if len(rest) < _SPELLED_OUT else f"all but {held_out}"
        seen, unseen = read_any_table(fold.validation), read_any_table(fold.predictions)
        found[model] = {
            name: _auc(
                unseen if name == held_out else seen,
                table[table["dataset"] == name],
                config,
            )
            for name in names
        }
    return found


def _refit(layout: RunLayout, config: Config) -> dict[str, Any] | None:
    """Return the number of images and the epochs of the model trained on all rows.

    None if the run has no such model.
    """
    if not config.refit:
        return None
    known = read_description(layout.refit.model)
    epochs = [each.best_epoch for each in known.members]
    return {"images": known.training.images, "epochs": epochs}


def _without(
    table: pd.DataFrame, predictions: pd.DataFrame, config: Config, what: Beside
) -> dict[str, Any] | None:
    """Return the AUC with and without metadata or context, and the difference, for JSON.

    None if the models of the run do not use it.
    """
    found = judge_without(
        predictions, table, what=what, repeats=config.evaluation.repeats, seed=config.seed
    )
    return found.as_dict() if found is not None else None


_SPELLED_OUT = 3


def _auc(predictions: pd.DataFrame, table: pd.DataFrame, config: Config) -> dict[str, Any]:
    """Return the AUC of the predictions for images of `table`, ready for JSON."""
    own = predictions[predictions["image_id"].isin(table["image_id"])]
    truth = table.loc[
        table["image_id"].isin(own["image_id"]), ["image_id", "melanoma", "group_id"]
    ]
    if own.empty:
        return Interval(float("nan")).as_dict()
    found = evaluate(
        own, truth, group="group_id", repeats=config.evaluation.repeats, seed=config.seed
    )
    return found["auc"].as_dict()


def _points(
    predictions: pd.DataFrame, layout: RunLayout
) -> dict[int, list[OperatingPoint]]:
    """Return the thresholds in each fold's model folder, by the fold's number."""
    return {
        fold: list(read_points(description.operating_points))
        for fold, description in _described(predictions, layout).items()
    }


def _described(predictions: pd.DataFrame, layout: RunLayout) -> dict[int, Description]:
    """Return the description of each fold's model, by the fold's number, if it exists."""
    folds = {
        int(fold): layout.fold(int(fold)).model for fold in predictions["fold"].unique()
    }
    return {
        fold: read_description(folder)
        for fold, folder in folds.items()
        if (folder / DESCRIPTION).is_file()
    }


def _calibration(
    table: pd.DataFrame, predictions: pd.DataFrame, layout: RunLayout
) -> Recalibration | None:
    """Compare the calibration of held-out probabilities before and after recalibration.

    None if the predictions, of an older version, have no column `raw_logit`.
    """
    if "raw_logit" not in predictions:
        return None
    labels = table.set_index("image_id")["melanoma"]
    truth = predictions["image_id"].map(labels).to_numpy(bool)
    described = _described(predictions, layout).values()
    group = pd.factorize(predictions["group_id"])[0].astype(np.intp)
    raw = probability(predictions["raw_logit"].to_numpy(np.float64))
    return judge_calibration(
        Sample(truth, raw, group, int(group.max()) + 1),
        predictions["probability"].to_numpy(np.float64),
        methods=tuple(one.calibration.method for each in described for one in each.members),
    )


def _repeated(table: pd.DataFrame, layout: RunLayout, config: Config) -> Repeats | None:
    """Judge each repeat of the split beside the baseline; None if there is only one."""
    if config.split.repeats == 1:
        return None
    known = table.set_index("image_id")
    baselines = [
        baseline_predictions(table, layout, config, repeat=number)
        for number in range(config.split.repeats)
    ]
    given = by_repeat(read_any_table(layout.repeated))
    mine, others = (
        [
            each.assign(
                melanoma=each["image_id"].map(known["melanoma"]).astype(bool),
                group=each["image_id"].map(known["group_id"]),
            )
            for each in tables
        ]
        for tables in (given, baselines)
    )
    judged = sum(map(len, mine)) / sum(each["fold"].nunique() for each in mine)
    return judge_repeats(mine, trained=len(table) - judged, beside=others)


def _nested(table: pd.DataFrame, layout: RunLayout, config: Config) -> Nested | None:
    """Judge the nested predictions of the run; None if it has none."""
    if not config.split.nested:
        return None
    truth = table[["image_id", "melanoma", "group_id"]]
    at = config.evaluation.threshold
    return nested_of(match(layout.nested, truth), group="group_id", threshold=at)


def baseline_predictions(
    table: pd.DataFrame, layout: RunLayout, config: Config, *, repeat: int = 0
) -> pd.DataFrame:
    """Return the metadata-only baseline's predictions for the held-out images of a repeat.

    It is fitted for each fold on the same training images as the fold's model.
    """
    parts = []
    for fold in (each for each in layout.folds() if each.repeat == repeat):
        roles = read_any_table(fold.roles).set_index("image_id")["role"]
        role = table["image_id"].map(roles)
        part = metadata_baseline(table, features=config.evaluation.baseline, role=role)
        parts.append(part.assign(fold=fold.number))
    return pd.concat(parts, ignore_index=True)


def run_demo(
    config: Config, *, out: Path, images: int, resume: bool = False
) -> Result | None:
    """Draw a synthetic data set beside `out` and `run` on it (see `datasets.synthetic`)."""
    from lentigo.datasets.synthetic import draw_dataset

    folder = out.parent / f"{out.name}-images"
    if not is_first_process():
        return run(folder, config, out=out, format="synthetic", resume=resume)
    check_run_folder(out, resume=resume)
    check_store_folder(config.imaging.store)
    check_squares(config.imaging.store, size=config.imaging.size, fit=config.imaging.fit)
    with alone(out):
        draw_dataset(folder, images=images, size=config.imaging.size, seed=config.seed)
        return run(folder, config, out=out, format="synthetic", resume=resume)


def _read_all(
    roots: Sequence[Path | str], format: str | None, options: dict[str, Any]
) -> NotedTable:
    parts = [_read(root, format, options) for root in roots]
    if len(parts) == 1:
        return parts[0]
    whole = combine(parts)
    for note in whole.notes[sum(len(part.notes) for part in parts) :]:
        log.info("%s", note)
    log.info("All together: %s", label_sentence(whole.table))
    return whole


def _read(root: Path | str, format: str | None, options: dict[str, Any]) -> NotedTable:
    root = Path(root)
    if format is None:
        format = guess_format(root)
        log.info("%s looks like %s; --format says otherwise.", root, format)
    read = read_format(format, root, **options)
    for note in with_sentence(read):
        log.info("%s", note)
    if read.table["path"].isna().all():
        raise DatasetError(
            f"{none_of(len(read.table), 'row')} of {root} has an image file beside it, so "
            "nothing can be trained. The table alone can be read with 'lentigo read'."
        )
    return read


def _best_reachable(table: pd.DataFrame, predictions: pd.DataFrame) -> float:
    if "true_probability" not in table:
        return float("nan")
    from lentigo.datasets.synthetic import best_reachable_auc

    held_out = table[table["image_id"].isin(predictions["image_id"])]
    return float(np.float64(best_reachable_auc(held_out)))
