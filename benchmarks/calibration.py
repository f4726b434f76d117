"""What calibration and operating points of a run reach on held-out and on other images.

It fits them anew on the validation images of a run, from its tables alone, and judges them
on the held-out images and, with --carried and --truth, on those of another archive:

    python benchmarks/calibration.py RUN [--carried predictions.csv --truth table.parquet]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.config import EvaluationConfig
from lentigo.curation.groups import assign_groups
from lentigo.evaluation.choosing import Answers, Costs, choose_points, judged_on
from lentigo.evaluation.recalibration import FIGURES, judge_calibration
from lentigo.evaluation.sums import Sample
from lentigo.inference.calibrate import Labelled, fit_calibration
from lentigo.inference.recalibrate import cross_validated_points
from lentigo.models.calibration import Calibration, probability
from lentigo.models.operating_point import OperatingPoint
from lentigo.run_layout import RunLayout
from lentigo.tables import read_any_table


def labelled(predictions: pd.DataFrame, truth: pd.DataFrame) -> Labelled:
    """The images of a prediction table that have a label, with the logits before."""
    known = predictions.merge(
        truth[["image_id", "melanoma", "group_id"]], on="image_id", suffixes=("_own", "")
    ).dropna(subset=["melanoma", "logit"])
    logits = known["raw_logit"] if "raw_logit" in known else known["logit"]
    return Labelled(
        known["melanoma"].to_numpy(bool),
        logits.to_numpy(np.float64),
        pd.factorize(known["group_id"])[0].astype(np.intp),
    )


def shown(images: Labelled, calibration: Calibration, points: list[OperatingPoint]) -> None:
    """Print the figures of `images`: calibration before and after, then the points."""
    after = probability(calibration.apply(images.logits))
    groups = int(images.group.max()) + 1
    before = Sample(images.truth, probability(images.logits), images.group, groups)
    judged = judge_calibration(before, after, methods=(calibration.method,))
    print(f"\n{judged.n_images:,} images, {judged.n_melanomas:,} melanomas\n")
    print("| | before | after |\n|---|---|---|")
    for name in FIGURES:
        cells = [
            f"{each[name].value:.3f} ({each[name].low:.3f}–{each[name].high:.3f})"
            for each in (judged.before, judged.after)
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    gain = judged.gain
    print(f"\nlog-loss gained {gain.value:.4f} ({gain.low:.4f} to {gain.high:.4f})\n")
    answers = Answers(images.truth, after, images.group)
    print("| point | threshold | sensitivity | specificity |\n|---|---|---|---|")
    for point in (judged_on(each, answers) for each in points):
        figures = point.held_out.figures if point.held_out else {}
        cells = [
            f"{each.value:.3f} ({each.low:.3f}–{each.high:.3f})"
            for each in (figures.get("sensitivity"), figures.get("specificity"))
            if each is not None
        ]
        at = "none" if point.threshold is None else f"{point.threshold:.4f}"
        print(f"| {point.name} | {at} | {' | '.join(cells) or point.absent} |")


def refitted(images: Labelled, costs: Costs) -> None:
    """Print what calibration and points fitted on the images themselves reach, by folds."""
    after, points = cross_validated_points(images, costs)
    groups = int(images.group.max()) + 1
    before = Sample(images.truth, probability(images.logits), images.group, groups)
    judged = judge_calibration(before, probability(after), methods=("refitted",))
    chosen = fit_calibration(images, fitted_on="").map
    print(f"\nrefitted, cross-validated by groups; on all images {str(chosen)[:80]}\n")
    for name in FIGURES:
        each = judged.after[name]
        print(f"| {name} | {each.value:.3f} ({each.low:.3f}–{each.high:.3f}) |")
    print(f"gain {judged.gain.value:.4f} ({judged.gain.low:.4f} to {judged.gain.high:.4f})")
    for name, point in points.items():
        cells = [point.figures[figure] for figure in ("sensitivity", "specificity")]
        told = " | ".join(f"{c.value:.3f} ({c.low:.3f}–{c.high:.3f})" for c in cells)
        print(f"| {name} | {told} |")


def main() -> None:
    """Fit on the validation images of the first fold, and judge elsewhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--carried", type=Path)
    parser.add_argument("--truth", type=Path)
    asked = parser.parse_args()
    layout = RunLayout(asked.run)
    table = read_any_table(layout.table)
    fold = layout.folds()[0]
    chosen_on = labelled(read_any_table(fold.validation), table)
    calibration = fit_calibration(chosen_on, fitted_on="validation images")
    for each in calibration.compared:
        print(
            f"{each.method:>12} {each.log_loss.value:.4f} ± {each.standard_error or 0:.4f}"
        )
    print(f"chosen: {calibration.map}")
    judging = EvaluationConfig()
    costs = Costs(miss=judging.cost_miss, excision=judging.cost_excision)
    points = choose_points(
        Answers(
            chosen_on.truth,
            probability(calibration.apply(chosen_on.logits)),
            chosen_on.group,
        ),
        costs=costs,
        chosen_on="validation images",
    )
    shown(labelled(read_any_table(fold.predictions), table), calibration, list(points))
    if asked.carried and asked.truth:
        truth = assign_groups(read_any_table(asked.truth), keep=True)
        others = labelled(read_any_table(asked.carried), truth)
        shown(others, calibration, list(points))
        refitted(others, costs)


if __name__ == "__main__":
    main()
