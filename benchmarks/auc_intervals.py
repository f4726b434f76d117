"""Compare ways to make a 95 % interval of the AUC where patients have several images.

    python benchmarks/auc_intervals.py [--repeats 2000] [--processes 2]
        [--designs 20/15,100/75]

The samples are those of `interval_coverage.py`: a design such as 20/15 has 20 melanomas of
15 patients, 300 other images and 100 patients, and the patient makes 30 % of the variance
of the scores. Ways: percentiles of resampled patients; bootstrap-t, of the same resamples,
each with Obuchowski's standard error, on the logit scale; logit-DeLong, with Obuchowski's
variance for groups and Student's t; and what lentigo tells. Prints a Markdown table: the
share of intervals that hold the true AUC, and in brackets their mean width.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from interval_coverage import AUCS, Design, draw

from lentigo.evaluation.clustered import clustered_auc, obuchowski_variance
from lentigo.evaluation.discrimination import placements
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.sums import Sample

FloatArray = NDArray[np.float64]
Ends = tuple[float, float]
RESAMPLES = 200
WAYS = ("percentile", "bootstrap-t", "logit-DeLong", "lentigo")


def with_error(sample: Sample) -> tuple[float, float]:
    """Return the AUC and its standard error on the logit scale; NaN without one."""
    above, below = placements(sample.truth, sample.score)
    value = float(above.mean()) if len(above) else math.nan
    if not 0 < value < 1:
        return value, math.nan
    variance = obuchowski_variance(sample.truth, sample.group, above, below)
    return value, math.sqrt(max(variance, 0.0)) / (value * (1 - value))


def resampled(sample: Sample, rng: np.random.Generator) -> Sample:
    """Draw as many patients as there are, with replacement, with all their images."""
    order = np.argsort(sample.group, kind="stable")
    sizes = np.bincount(sample.group, minlength=sample.groups)
    starts = np.cumsum(sizes) - sizes
    drawn = rng.integers(sample.groups, size=sample.groups)
    many = sizes[drawn]
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    rows = order[np.repeat(starts[drawn], many) + within]
    group = np.repeat(np.arange(sample.groups), many)
    return Sample(sample.truth[rows], sample.score[rows], group, sample.groups)


def bootstrapped(sample: Sample, rng: np.random.Generator) -> tuple[Ends, Ends]:
    """Return the ends of the percentile interval and of bootstrap-t."""
    found = np.array([with_error(resampled(sample, rng)) for _ in range(RESAMPLES)])
    values = found[~np.isnan(found[:, 0]), 0]
    low, high = np.quantile(values, [0.025, 0.975])
    value, error = with_error(sample)
    usable = found[(found[:, 1] > 0)]
    if not error > 0 or len(usable) < RESAMPLES / 2:
        return (low, high), (math.nan, math.nan)
    centre = math.log(value / (1 - value))
    logits = np.log(usable[:, 0] / (1 - usable[:, 0]))
    least, most = np.quantile((logits - centre) / usable[:, 1], [0.025, 0.975])
    ends = 1 / (1 + np.exp(-np.array([centre - most * error, centre - least * error])))
    return (low, high), (float(ends[0]), float(ends[1]))


def one_repeat(design: Design, number: int) -> list[tuple[bool, float]]:
    """Tell of each way whether its interval holds the truth, and how wide it is."""
    rng = np.random.default_rng([design.melanomas, int(1000 * design.auc), number])
    sample, _ = draw(design, rng, by_chance=False)
    given = sample.truth, sample.score, sample.group
    formula, ours = clustered_auc(*given), auc_interval(*given)
    ends = [*bootstrapped(sample, rng), (formula.low, formula.high), (ours.low, ours.high)]
    # An interval that is not there holds nothing.
    return [(low <= design.auc <= high, high - low) for low, high in ends]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--designs", default="20/15,100/75")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    print("| melanomas of patients | AUC | " + " | ".join(WAYS) + " |")
    print("|---|---|" + "---|" * len(WAYS), flush=True)
    with ProcessPoolExecutor(options.processes) as pool:
        for text in options.designs.split(","):
            melanomas, patients = map(int, text.split("/"))
            for auc in AUCS:
                design = Design(melanomas, patients, auc)
                tries = range(options.repeats)
                found = np.array(
                    list(pool.map(partial(one_repeat, design), tries, chunksize=10))
                )
                holds, width = (
                    found[:, :, 0].mean(axis=0),
                    np.nanmean(found[:, :, 1], axis=0),
                )
                cells = [f"{h:.3f} ({w:.3f})" for h, w in zip(holds, width, strict=True)]
                print(f"| {text} | {auc} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
