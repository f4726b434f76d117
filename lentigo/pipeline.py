"""The whole run in one call: read the data, train, evaluate beside the baseline, report."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.baselines.logistic import known_features
from lentigo.cluster import check_place
from lentigo.config import Config, read_config
from lentigo.datasets import guess_format
from lentigo.datasets.any_table import read_format
from lentigo.datasets.combined import combine
from lentigo.datasets.counts import label_sentence, with_sentence
from lentigo.errors import DatasetError, LentigoError
from lentigo.evaluation import Evaluation
from lentigo.evaluation.fold_thresholds import JudgedThreshold
from lentigo.evaluation.recalibration import Recalibration
from lentigo.imaging.store.place import check_squares, check_store_folder
from lentigo.json_files import write_json
from lentigo.judged_run import judge_run
from lentigo.machine import is_first_process
from lentigo.models.description import (
    DESCRIPTION,
    is_export_of,
    models_of,
)
from lentigo.output import alone, check_run_folder
from lentigo.progress import log
from lentigo.recipes import recipe_or
from lentigo.reports.run.page import write_report
from lentigo.reports.run.verdict import verdict
from lentigo.run_layout import RunLayout
from lentigo.tables import NotedTable, read_table_file, write_table
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
    on: str = "here",
    ray_address: str | None = None,
) -> Result | None:
    """Read the archive in `root`, train on it, evaluate the model and write the report.

    Several archives become one table, in which images that they share stay together (see
    `datasets.combined.combine`). `format` names the reader of the archive (by default it is
    guessed from its files), and `options` are the arguments of that reader; the other
    arguments are those of `lentigo.train`. The evaluation also judges each archive on its
    own. Of several processes that train together, all but the first return None.
    """
    config = settled(recipe_or(config))
    out = Path(out)
    if not is_first_process():
        train(pd.DataFrame(), config, out=out, folds=folds, resume=resume)
        return None
    check_run_folder(out, resume=resume)
    check_store_folder(config.imaging.store)
    check_squares(config.imaging.store, size=config.imaging.size, fit=config.imaging.fit)
    check_can_nest(config, folds)
    check_place(on, ray_address)
    with alone(out):
        roots = [root] if isinstance(root, str | Path) else list(root)
        table = _read_all(roots, format, options or {})
        trained = train(
            table, config, out=out, folds=folds, resume=resume, on=on,
            ray_address=ray_address,
        )  # fmt: skip
        return finish(trained)


def finish(run: Run) -> Result:
    """Evaluate a trained run beside its baseline; write the evaluation and the report.

    A `KeyboardInterrupt` says how the run goes on.
    """
    with alone(run.folder):
        try:
            return _finish(run)
        except KeyboardInterrupt as stop:
            raise type(stop)(
                f"Stopped. {run.folder} is trained, but not finished; the same command "
                "with --resume does the rest."
            ) from None


def _finish(run: Run) -> Result:
    layout = run.layout
    config, table = read_config(layout.config), read_table_file(layout.table)
    judged = judge_run(table, run.predictions, layout, config)
    write_table(judged.baseline_predictions, layout.baseline)
    found = judged.as_dict()
    write_json(layout.evaluation, found)
    report = write_report(layout.folder)
    log.info("The report is %s.", report)
    if config.export:
        _export(layout)
    used = known_features(table, config.evaluation.baseline)
    head = verdict(found, baseline_features=used)
    return Result(
        run=run, model=judged.model, baseline=judged.baseline, report=report,
        best_reachable_auc=judged.best_reachable_auc, thresholds=judged.thresholds,
        absent=judged.absent, calibration=judged.calibration,
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
