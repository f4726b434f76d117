"""Processor time of all intervals at the size of the largest archive, and of a usual loop.

    python benchmarks/intervals.py [--images 401059] [--repeats 2000]

The usual loop draws images, calls scikit-learn's `roc_auc_score`, and does so `repeats`
times; five rounds are timed and the rest is extrapolated. Ours gives every metric as
`lentigo evaluate` tells it, not the AUC alone, with as many resamples where it resamples.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from lentigo.evaluation.discrimination import delong_interval
from lentigo.evaluation.measuring import measure
from lentigo.evaluation.sums import Sample, group_numbers

CASES = {
    "393 melanomas, 1,042 patients": (393, 1042),
    "393 melanomas, every image its own group": (393, None),
    "2 % melanomas, 25,000 patients": (8021, 25_000),
    "2 % melanomas, every image its own group": (8021, None),
}
"""The first is ISIC 2024 (SLICE-3D): 401,059 images of 1,042 patients."""


def draw(images: int, melanomas: int, patients: int | None, *, seed: int = 0) -> Sample:
    """Scores that tell melanoma apart at an AUC near 0.9."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    truth = np.zeros(images, dtype=bool)
    truth[rng.choice(images, melanomas, replace=False)] = True
    score = 1 / (1 + np.exp(-(rng.normal(size=images) + 1.8 * truth - 4)))
    group = np.arange(images) if patients is None else rng.integers(patients, size=images)
    numbers, count = group_numbers(pd.Series(group), score)
    return Sample(truth, score, numbers, count)


def seconds_of_the_loop(sample: Sample, *, repeats: int, rounds: int = 5) -> float:
    """Processor time of the usual loop, timed for `rounds`, extrapolated to `repeats`."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    start = time.process_time()
    for _ in range(rounds):
        rows = rng.integers(len(sample.truth), size=len(sample.truth))
        roc_auc_score(sample.truth[rows], sample.score[rows])
    return (time.process_time() - start) * repeats / rounds


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=401_059)
    parser.add_argument("--repeats", type=int, default=2000)
    options = parser.parse_args()
    for name, (melanomas, patients) in CASES.items():
        sample = draw(options.images, melanomas, patients)
        start = time.process_time()
        found = measure(sample, None, threshold=0.5, repeats=options.repeats, seed=0)
        ours = time.process_time() - start
        start = time.process_time()
        delong_interval(sample.truth, sample.score)
        formula = time.process_time() - start
        loop = seconds_of_the_loop(sample, repeats=options.repeats)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        auc = found["auc"]
        print(
            f"{name}: {len(found)} metrics in {ours:.1f} s, DeLong {formula:.2f} s; loop "
            f"over roc_auc_score {loop:.0f} s (extrapolated from 5 of "
            f"{options.repeats:,} rounds), "
            f"{loop / ours:.0f} times as long; AUC {auc.value:.4f} ({auc.low:.4f}-"
            f"{auc.high:.4f}); peak memory {peak:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
