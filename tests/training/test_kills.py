"""Killed at any of its writes, a run goes on and ends like one that was not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from lentigo.tables import write_table
from tests.cohorts import draw_cohort, tiny_config

_DRIVER = """
import os, sys
from pathlib import Path
import torch
import lentigo
from lentigo import files
from lentigo.config import read_config
from lentigo.tables import read_table_file

folder, moments = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]
torch.set_num_threads(1)
table = read_table_file(folder / "cohort.parquet")
config = read_config(folder / "wanted.yaml")
put, start = files._put, lentigo.train  # loaded before anything is forked

def train(name, moment):
    written = 0
    def killed(*arguments, **options):
        nonlocal written
        written += 1
        if written == moment:
            os.kill(os.getpid(), 9)
        put(*arguments, **options)
    if (child := os.fork()) == 0:
        files._put = killed
        start(table, config, out=folder / name, resume=True)
        os._exit(0)
    return os.waitpid(child, 0)[1]

# Forked, so that a kill costs no new start of Python.
print(*[train("run", moment) for moment in moments], train("run", 0), train("whole", 0))
"""


@pytest.mark.parametrize(
    "moments",
    [
        pytest.param((9,), id="one"),
        pytest.param(tuple(range(1, 25)), id="every", marks=pytest.mark.slow),
    ],
)
def test_killed_at_any_write_it_ends_alike_and_leaves_nothing(
    moments: tuple[int, ...], tmp_path: Path
) -> None:
    config = tiny_config(
        split__folds=3,
        training__epochs=2,
        model__dropout=0.3,
        training__average=0.9,
        augment__blur=1.0,
    )
    write_table(draw_cohort(tmp_path / "discs", images=40), tmp_path / "cohort.parquet")
    (tmp_path / "wanted.yaml").write_text(config.to_yaml())
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, str(tmp_path), *map(str, moments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ends = [int(word) for word in done.stdout.split()]
    assert set(ends[: len(moments)]) <= {0, 9}, done.stderr
    assert ends[0] == 9
    assert ends[-2:] == [0, 0], done.stderr
    ours, whole = tmp_path / "run", tmp_path / "whole"
    assert (ours / "predictions.csv").read_bytes() == (
        whole / "predictions.csv"
    ).read_bytes()
    history, expected = (
        pd.read_csv(run / "fold-0" / "metrics.csv").drop(columns="seconds")
        for run in (ours, whole)
    )
    pd.testing.assert_frame_equal(history, expected, check_exact=True)
    names, others = (
        {str(path.relative_to(run)) for path in run.rglob("*")} for run in (ours, whole)
    )
    assert names == others
