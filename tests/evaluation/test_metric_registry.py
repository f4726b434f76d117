from __future__ import annotations

import math
import subprocess
import sys

import pytest

from lentigo import evaluation
from lentigo.evaluation.registry import METRICS, Metric, function_of


def test_listing_the_metrics_needs_no_numpy() -> None:
    code = (
        "import sys; from lentigo.evaluation.registry import METRICS; "
        "print({'numpy', 'pandas', 'sklearn', 'matplotlib', 'torch'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


def test_scoring_imports_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys; from lentigo.evaluation import evaluate; "
        "from lentigo.reports.evaluation import write_evaluation; "
        "print({'sklearn', 'scipy.stats', 'matplotlib', 'torch'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


def test_every_public_name_is_there_and_another_is_an_attribute_error() -> None:
    for name in evaluation.__all__:
        assert getattr(evaluation, name) is not None
    assert callable(evaluation.evaluate)
    assert callable(evaluation.compare)
    with pytest.raises(AttributeError):
        _ = evaluation.nothing


def test_a_metric_is_told_in_one_line() -> None:
    lines = [metric.summary for metric in METRICS.values()]
    assert all(0 < len(line) <= 80 and "\n" not in line for line in lines)


def test_each_metric_has_a_function_of_its_name_and_says_how_its_interval_is_made() -> None:
    for name, metric in METRICS.items():
        assert function_of(metric).__name__ == name
        assert metric.interval, name


def test_what_no_simulation_has_tried_is_rough() -> None:
    row = Metric(name="new", summary="a new one", interval="none yet")
    assert row.rough_below == math.inf
