"""The simulation of docs/statistics.md knows the true value of every metric."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lentigo.evaluation.registry import METRICS

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "interval_coverage.py"


@pytest.fixture
def simulation(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    found = importlib.util.spec_from_file_location("interval_coverage", SCRIPT)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, "interval_coverage", module)  # for its dataclass
    found.loader.exec_module(module)
    return module


def test_each_metric_has_a_true_value_or_is_simulated_elsewhere(
    simulation: ModuleType,
) -> None:
    """The script stopped with a KeyError once a metric was added to the registry alone."""
    true = simulation.truths(simulation.Design(20, 15, 0.856))
    assert set(METRICS) <= set(true) | simulation.ELSEWHERE
    assert true["auc"] == pytest.approx(0.856, abs=1e-6)
