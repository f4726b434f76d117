"""The files that a whole run writes, and what is in those that no network has a part in.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`). What a network
learnt is another number on another machine, and so are words that rest on it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cohorts import TINY, draw_cohort
from tests.record import check_recorded
from tests.written import called

SETTINGS = {
    **TINY,
    "training.epochs": 1,
    "training.target": "diagnosis",
    "training.imbalance": "bias",
    "training.balance": "class",
    "split.folds": 3,
    "model.metadata": "late",
    "evaluation.repeats": 20,
}
_KEPT = (
    "config.yaml", "table.parquet", "roles.csv", "split.csv", "split.json",
    "store.json", "index.parquet", "failures.csv", "duplicates.csv",
)  # fmt: skip
_COLUMNS = ("metrics.csv", "predictions.csv", "validation.csv", "baseline.csv")


def shared_by_machines(said: str) -> str:
    """Return the files, with the content of those in `_KEPT` and the columns of tables."""
    first, *files = said.split("--- ")
    before_training = first.splitlines()[1:7]
    lines = [re.sub(r"\s+\S*loss.*", "", line) for line in before_training]
    for each in files:
        name, _, content = each.partition("\n")
        lines.append(f"--- {name}")
        if name.endswith(_KEPT):
            lines += content.splitlines()
        elif name.endswith(_COLUMNS):
            lines += content.splitlines()[:1]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("train", "train discs.csv --recipe demo --folds 2 --out OUT"),
        ("run", "run discs.csv --recipe demo --out OUT"),
    ],
)
def test_what_a_run_says_and_writes(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = draw_cohort(tmp_path / "given" / "images", images=60)
    table.to_csv(tmp_path / "given" / "discs.csv", index=False)
    monkeypatch.chdir(tmp_path / "given")
    given = " ".join(
        f"--set={key}={str(value).lower().replace(' ', '')}"
        for key, value in SETTINGS.items()
    )
    said = called(f"{words} {given}", tmp_path / "given", tmp_path / "made" / "out")
    check_recorded(f"run/{name}", shared_by_machines(said))
