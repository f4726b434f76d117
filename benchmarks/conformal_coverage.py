"""How often conformal sets hold the right answer, on random grouped splits of predictions.

    python benchmarks/conformal_coverage.py PREDICTIONS.csv --label target --score score

Half of the groups set the sets, the other half judges them, again and again. What is asked
is 90 % of melanomas and of other images, each group counting once; the mean over splits is
to be that, single splits scatter.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.evaluation.set_coverage import set_coverage
from lentigo.inference.sets import fit_sets


def coverages(table: pd.DataFrame, *, splits: int) -> pd.DataFrame:
    """Return a row a split: what was held of melanomas and of others, and left open."""
    names = table["group"].unique()
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(splits):
        fitting = set(names[rng.random(len(names)) < 0.5])
        left = table["group"].isin(fitting)
        rows.append(_one(table[left], table[~left]))
    return pd.DataFrame(rows)


def _one(fitting: pd.DataFrame, judging: pd.DataFrame) -> dict[str, float]:
    sets = fit_sets(
        fitting["melanoma"].to_numpy(bool),
        fitting["probability"].to_numpy(np.float64),
        fitting["group"].tolist(),
        set_on="half of the groups",
    )
    assert sets is not None
    words = sets.words(judging["probability"].to_numpy(np.float64))
    found = set_coverage(judging.assign(could_be=words))
    assert found is not None
    melanomas, others = found.rows[:2]
    return {
        "melanomas held": melanomas.held.value,
        "others held": others.held.value,
        "melanomas undecided": melanomas.undecided.value,
        "others undecided": others.undecided.value,
    }


def main() -> None:
    """Print mean, deviation and the middle 95 % of the splits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--group", default="group_id")
    parser.add_argument("--label", default="melanoma")
    parser.add_argument("--score", default="probability")
    parser.add_argument("--splits", type=int, default=200)
    given = parser.parse_args()
    read = pd.read_csv(given.predictions)
    table = pd.DataFrame(
        {
            "group": read[given.group].astype(str),
            "melanoma": read[given.label].astype(bool),
            "probability": read[given.score].astype(float),
        }
    )
    found = coverages(table, splits=given.splits)
    print(f"{len(table):,} images, {table['group'].nunique():,} groups")
    print(found.describe(percentiles=[0.025, 0.975]).round(4).to_string())


if __name__ == "__main__":
    main()
