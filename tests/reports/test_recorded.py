"""The report of a run and the files for a paper say what somebody read and recorded.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lentigo.evaluation import evaluate
from lentigo.json_files import to_json
from lentigo.reports.paper import write_paper
from lentigo.reports.paper.of_run import answers, judged_of
from lentigo.reports.run.page import write_report
from lentigo.reports.run.run_folder import RunFolder, read_run
from tests.record import check_recorded
from tests.reports.report_fakes import EVALUATION, entry, judged, parts, write_run
from tests.written import settled, told

LESS, GAIN = entry(0.7, 0.6, 0.8), entry(0.1123, -0.02, 0.2)


def whole() -> dict[str, Any]:
    """An evaluation with folds, archives, a calibration and several thresholds."""
    return {
        **EVALUATION,
        "by_fold": parts(0.854, 0.679, 0.7),
        "by_dataset": parts(0.9, None),
        "refit": {"epochs": [3, 5], "networks": 2, "images": 48},
        "absent_operating_points": ["No threshold to find 99 % of melanomas."],
        "archives": {"model": {"north": entry(0.9, 0.8, 0.95), "south": LESS}},
        "without_context": {"without": LESS, "difference": {"auc": GAIN}},
        "without_metadata": {"without": LESS, "difference": {"auc": GAIN}},
        "members": {"fold-0": LESS, "fold-1": entry(0.8, None, None)},
        "calibration": {
            "methods": ["platt", "none"],
            "before": judged(entry(0.8, 0.7, 0.9), brier=entry(0.2, 0.1, 0.3)),
            "after": judged(entry(0.8, 0.7, 0.9), brier=entry(0.15, 0.1, 0.2)),
        },
        "given": {"images": 60, "left_out": {"without a file": 2, "without a label": 1},
                  "melanomas_left_out": 1},
    }  # fmt: skip


def of_its_predictions(run: RunFolder) -> RunFolder:
    """The same run with an evaluation of its predictions, as `lentigo run` makes it."""
    truth = run.table[["image_id", "melanoma", "group_id", "dataset"]]
    truth = truth[truth["image_id"].isin(run.predictions["image_id"])]
    found = evaluate(run.predictions, truth, group="group_id", repeats=20)
    known = json.loads(to_json(found.without_own_thresholds().as_dict()))
    given = {"images": 50, "left_out": {"without a file": 2}, "melanomas_left_out": 1}
    calibration = {"methods": ["none"], "before": {}, "after": {}}
    evaluation = {
        "model": known, "baseline": known, "calibration": calibration, "given": given,
    }  # fmt: skip
    return replace(run, evaluation=evaluation)


RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "folds": {"folds": 3, "evaluation": whole()},
    "few": {"melanomas": 2, "pixels": False},
}


@pytest.mark.parametrize("name", RUNS)
def test_the_report_of_a_run(name: str, tmp_path: Path) -> None:
    run = write_run(tmp_path / "given" / "run", **RUNS[name])
    page = write_report(run)
    (tmp_path / "said").mkdir()
    page.rename(tmp_path / "said" / "report.html")
    figures = sorted(path.name for path in (run / "figures").glob("*.svg"))
    lines = [*told(tmp_path / "said", most=600), *figures]
    check_recorded(f"reports/run-{name}", settled(lines, PLACE=tmp_path))


@pytest.mark.parametrize("folds", [1, 3])
def test_the_files_for_a_paper(folds: int, tmp_path: Path) -> None:
    run = of_its_predictions(
        read_run(write_run(tmp_path / "run", folds=folds, pixels=False))
    )
    write_paper(judged_of(run), tmp_path / "paper", run=answers(run), figures=["roc.svg"])
    lines = list(told(tmp_path / "paper", most=600))
    check_recorded(f"reports/paper-{folds}", settled(lines, PLACE=tmp_path))


def test_the_files_for_a_paper_without_a_run(tmp_path: Path) -> None:
    run = of_its_predictions(read_run(write_run(tmp_path / "run", pixels=False)))
    write_paper(run.evaluation["model"], tmp_path / "paper")
    lines = list(told(tmp_path / "paper", most=600))
    check_recorded("reports/paper-alone", settled(lines, PLACE=tmp_path))
