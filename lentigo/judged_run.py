"""All that is measured of a finished run: what stands in its `evaluation.json`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lentigo.baselines import metadata_baseline
from lentigo.config import BY_SOURCE, Config
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
from lentigo.json_files import read_json
from lentigo.models.calibration import probability
from lentigo.models.description import DESCRIPTION, points_of, read_description
from lentigo.models.operating_point import OperatingPoint
from lentigo.models.schema import Description
from lentigo.run_layout import RunLayout
from lentigo.tables import read_any_table


@dataclass(frozen=True)
class JudgedRun:
    """The evaluations of the networks of a run and of the baseline beside them."""

    model: Evaluation
    baseline: Evaluation
    difference: Comparison
    """The network less the baseline, on the same images."""
    baseline_predictions: pd.DataFrame
    """Columns image_id, probability and fold, a row for each held-out image."""
    thresholds: tuple[JudgedThreshold, ...]
    """The thresholds in the model folders, judged on the held-out images."""
    absent: tuple[str, ...]
    """Why other thresholds could not be chosen, one sentence each."""
    calibration: Recalibration | None
    best_reachable_auc: float
    """See `pipeline.Result`; NaN for images that were not drawn."""
    more: dict[str, Any]
    """What else stands in the JSON file: single networks, archives, refit, and what the
    model answers without metadata and without context."""

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers, ready for JSON."""
        return {
            "model": self.model.as_dict(),
            "baseline": self.baseline.as_dict(),
            "difference": self.difference.as_dict(),
            "operating_points": [each.as_dict() for each in self.thresholds],
            "absent_operating_points": list(self.absent),
            "calibration": self.calibration.as_dict() if self.calibration else None,
            "best_reachable_auc": self.best_reachable_auc,
            **self.more,
        }


def judge_run(
    table: pd.DataFrame, predictions: pd.DataFrame, layout: RunLayout, config: Config
) -> JudgedRun:
    """Judge the held-out `predictions` of a run beside its baseline.

    `table` is the lesion table of the run (`layout.table`).
    """
    baseline = baseline_predictions(table, layout, config)
    model, beside, difference = _judged(table, predictions, baseline, config)
    model = replace(
        model,
        own_calibration=None,  # said of the folds' methods, as `calibration`
        repeated=_repeated(table, layout, config),
        nested=_nested(table, layout, config),
    )
    points = _points(predictions, layout)
    return JudgedRun(
        model=model,
        baseline=beside,
        difference=difference,
        baseline_predictions=baseline,
        thresholds=tuple(judge_points(model.scored, points)),
        absent=tuple(absent_points(points)),
        calibration=_calibration(table, predictions, layout),
        best_reachable_auc=_best_reachable(table, predictions),
        more={
            "given": read_json(layout.environment).get("given"),
            "members": _members(table, layout, config),
            "archives": _archives(table, layout, config),
            "refit": _refit(layout, config),
            "without_metadata": _without(table, predictions, config, "metadata"),
            "without_context": _without(table, predictions, config, "context"),
        },
    )


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
        fold: list(points_of(layout.fold(fold).model))
        for fold in _described(predictions, layout)
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


def _best_reachable(table: pd.DataFrame, predictions: pd.DataFrame) -> float:
    if "true_probability" not in table:
        return float("nan")
    from lentigo.datasets.synthetic import best_reachable_auc

    held_out = table[table["image_id"].isin(predictions["image_id"])]
    return float(np.float64(best_reachable_auc(held_out)))
