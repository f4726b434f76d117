"""Measure how often 95 % intervals hold the truth, on made-up samples whose truth is known.

    python benchmarks/interval_coverage.py [--repeats 1000] [--processes 2]
        [--designs 20/15,80/60]

A design such as 20/15 has 20 melanomas of 15 patients, 300 other images, and 100 patients;
the patient makes 30 % of the variance of the scores, which are normal. Where a metric
depends on how common melanoma is (PPV, NPV, average precision, Brier score, log loss,
calibration), the number of melanomas is left to chance, with that mean. "Before" is the
percentile interval of resampled groups, or the usual formula. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri, stdtrit
from scipy.stats import norm

from lentigo.evaluation.comparison import differences
from lentigo.evaluation.discrimination import delong_interval
from lentigo.evaluation.intervals import (
    Interval,
    Statistic,
    intervals,
    point,
)
from lentigo.evaluation.intervals import resample as resampled
from lentigo.evaluation.measuring import measure, sides
from lentigo.evaluation.sums import Calls, Errors, Ranking, Sample

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

DESIGNS = ((10, 8), (20, 15), (80, 60), (400, 300))
AUCS = (0.856, 0.983)
OTHERS, PATIENTS = 15, 5
"""Other images, and patients, for each melanoma."""
LIKENESS = 0.3
"""Share of the variance of the scores that belongs to the patient."""
RESAMPLES = 250
"""Of the intervals from resampling; the product takes 2,000."""
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Design:
    """Melanomas of patients, and the AUC of the model."""

    melanomas: int
    patients: int
    auc: float

    @property
    def gap(self) -> float:
        """By how much melanomas score higher."""
        return float(np.sqrt(2) * ndtri(self.auc))

    def probability(self, score: FloatArray) -> FloatArray:
        """Return what the score means where one image in 16 is a melanoma."""
        return np.asarray(expit(self.logit(score)))

    def logit(self, score: FloatArray) -> FloatArray:
        """The same on the logit scale."""
        odds = self.gap * score - self.gap**2 / 2 + logit(1 / (OTHERS + 1))
        return np.asarray(odds)

    @property
    def threshold(self) -> float:
        """The probability from which 80 % of the melanomas are called."""
        return float(self.probability(np.array(self.gap + ndtri(0.2))))


def members(
    design: Design, rng: np.random.Generator, *, by_chance: bool
) -> tuple[IntArray, IntArray]:
    """The patient of each melanoma, and of each other image."""
    patients = PATIENTS * design.melanomas
    each = np.arange(patients)
    if by_chance:
        has = rng.random(patients) < design.patients / patients
        more = rng.poisson(design.melanomas / design.patients - 1, size=patients)
        return np.repeat(each[has], 1 + more[has]), np.repeat(
            each, 1 + rng.poisson(OTHERS / PATIENTS - 1, size=patients)
        )
    more = rng.integers(design.patients, size=design.melanomas - design.patients)
    own = np.concatenate([np.arange(design.patients), more])
    return own, rng.integers(patients, size=OTHERS * design.melanomas)


def draw(
    design: Design, rng: np.random.Generator, *, by_chance: bool
) -> tuple[Sample, Sample]:
    """The images as a model scores them, and as one scores them that is not as good."""
    own, rest = members(design, rng, by_chance=by_chance)
    group = np.concatenate([own, rest]).astype(np.intp)
    truth = np.arange(len(group)) < len(own)

    def noise() -> FloatArray:
        shared = rng.normal(size=PATIENTS * design.melanomas)[group]
        alone = rng.normal(size=len(group))
        return np.sqrt(LIKENESS) * shared + np.sqrt(1 - LIKENESS) * alone

    one = noise()
    other = 0.7 * one + np.sqrt(1 - 0.7**2) * noise()
    names, codes = np.unique(group, return_inverse=True)
    first, second = (
        Sample(truth, design.probability(z + gap * truth), codes, len(names))
        for z, gap in ((one, design.gap), (other, lesser(design).gap))
    )
    return first, second


def lesser(design: Design) -> Design:
    """The design with the model that is not as good."""
    return Design(design.melanomas, design.patients, design.auc - 0.15 * (1 - design.auc))


def truths(design: Design) -> dict[str, float]:
    """The true value of each metric, by numerical integration."""
    at = np.linspace(-12, 12 + design.gap, 200_001)
    step, prevalence = at[1] - at[0], 1 / (OTHERS + 1)
    melanoma = norm.pdf(at - design.gap) * step * prevalence
    other = norm.pdf(at) * step * (1 - prevalence)
    p, logit_of = design.probability(at), design.logit(at)
    found, alarms = (np.cumsum(side[::-1])[::-1] for side in (melanoma, other))
    losses = melanoma * np.logaddexp(0, -logit_of) + other * np.logaddexp(0, logit_of)
    squares = melanoma * (1 - p) ** 2 + other * p**2
    precise = melanoma * found / np.maximum(found + alarms, 1e-300) / prevalence
    fixed = rates(design, 0.8)
    chosen = {f"{k}_at_sensitivity_95": v for k, v in rates(design, 0.95).items()}
    return {
        "auc": design.auc,
        "auc_delong": design.auc,
        "average_precision": float(precise.sum()),
        "brier": float(squares.sum()),
        "log_loss": float(losses.sum()),
        "calibration_intercept": 0.0,
        "calibration_slope": 1.0,
        **fixed,
        **chosen,
    }


def rates(design: Design, sensitivity: float) -> dict[str, float]:
    """Return the rates at the threshold that finds `sensitivity` of the melanomas."""
    at = design.gap + float(ndtri(1 - sensitivity))
    specificity = float(norm.cdf(at))
    found, missed = sensitivity, 1 - sensitivity
    alarms, right = OTHERS * (1 - specificity), OTHERS * specificity
    return {
        "threshold": float(design.probability(np.array(at))),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": found / (found + alarms),
        "npv": right / (right + missed),
        "balanced_accuracy": (sensitivity + specificity) / 2,
    }


def gaps(design: Design) -> dict[str, float]:
    """The true differences of the two models, of those metrics that are compared."""
    better, worse = (truths(d) for d in (design, lesser(design)))
    compared = ("auc", "average_precision", "brier", "log_loss")
    return {f"difference of {n}": better[n] - worse[n] for n in compared}


ELSEWHERE = {
    "calibration_error",
    "calibration_gap",
    "multiclass_auc",
    "multiclass_balanced_accuracy",
    "partial_auc_80",
    "retrieval_per_patient_15",
    "retrieval_sensitivity_15",
    "top_2_accuracy",
    "top_3_accuracy",
}
"""Metrics whose true value and coverage `coverage.py` computes, and for that of the
calibration error `calibration_error_coverage.py`."""
FREE_OF_PREVALENCE = {
    "auc",
    "auc_delong",
    "sensitivity",
    "specificity",
    "balanced_accuracy",
    "threshold_at_sensitivity_95",
    "specificity_at_sensitivity_95",
}


def before(sample: Sample, threshold: float, seed: int) -> dict[str, Interval]:
    """The intervals that the product had: percentiles of resamples, and formulas with z."""
    calls = Calls(sample, threshold)
    every: list[Statistic] = [Ranking(sample), calls, Errors(sample)]
    spread = resampled(every, groups=sample.groups, repeats=RESAMPLES, seed=seed)
    found = intervals(point(every), spread)
    return found | {"auc_delong": delong_interval(sample.truth, sample.score)}


def with_z(interval: Interval, freedom: int) -> Interval:
    """Wald's interval with the normal quantile instead of Student's."""
    half = (
        (interval.high - interval.low) / 2 * 1.96 / float(stdtrit(max(freedom, 1), 0.975))
    )
    return Interval(interval.value, interval.value - half, interval.value + half)


def paired_before(first: Sample, second: Sample, seed: int) -> dict[str, Interval]:
    """The percentile intervals of the differences under the same resamples."""
    values, spread = [], []
    for sample in (first, second):
        every: list[Statistic] = [Ranking(sample), Errors(sample)]
        values.append(point(every))
        spread.append(resampled(every, groups=sample.groups, repeats=RESAMPLES, seed=seed))
    compared = ("auc", "average_precision", "brier", "log_loss")
    gap = {name: values[0][name] - values[1][name] for name in compared}
    return intervals(gap, {name: spread[0][name] - spread[1][name] for name in compared})


def one_repeat(design: Design, number: int) -> list[tuple[str, str, float, float]]:
    """Metric, method and bounds of every interval on one made-up sample."""
    rng = np.random.default_rng([design.melanomas, int(1000 * design.auc), number])
    rows = []
    for by_chance in (False, True):
        sample, second = draw(design, rng, by_chance=by_chance)
        if sides(sample)[0] < 2:
            continue
        for method, found in judged(design, sample, number).items():
            rows += [
                (name, method, interval.low, interval.high)
                for name, interval in found.items()
                if (name in FREE_OF_PREVALENCE) != by_chance
            ]
    pairs = {
        BEFORE: paired_before(sample, second, number),
        AFTER: differences(sample, second, repeats=RESAMPLES, seed=number),
    }
    return rows + [
        (f"difference of {name}", method, interval.low, interval.high)
        for method, found in pairs.items()
        for name, interval in found.items()
        if name != "auc_delong"
    ]


def judged(design: Design, sample: Sample, seed: int) -> dict[str, dict[str, Interval]]:
    """Every metric with its interval, before and after."""
    at, freedom = design.threshold, min(sides(sample)) - 1
    new = measure(sample, None, threshold=at, repeats=RESAMPLES, seed=seed)
    old = before(sample, at, seed)
    for name in ("calibration_intercept", "calibration_slope"):
        old[name] = with_z(new[name], freedom)
    return {BEFORE: old, AFTER: new}


def coverage(
    design: Design, pool: ProcessPoolExecutor, *, repeats: int
) -> dict[tuple[str, str], tuple[float, float]]:
    """Metric and method → share of the intervals that hold the truth, and flatter."""
    true = truths(design) | gaps(design)
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for rows in pool.map(partial(one_repeat, design), range(repeats), chunksize=10):
        for name, method, low, high in rows:
            found.setdefault((name, method), []).append((low, high))
    answer = {}
    for (name, method), bounds in found.items():
        if name.removeprefix("difference of ") in ELSEWHERE:
            continue
        low, high = np.array(bounds).T
        holds = (low <= true[name]) & (true[name] <= high)
        errs = high < true[name] if name in {"brier", "log_loss"} else low > true[name]
        answer[name, method] = (float(holds.mean()), float(errs.mean()))
    return answer


def lines(table: dict[Design, dict[tuple[str, str], tuple[float, float]]]) -> Iterator[str]:
    """The Markdown table: a row a metric and AUC, a column a design."""
    designs = list(dict.fromkeys((d.melanomas, d.patients) for d in table))
    yield "| interval | AUC | " + " | ".join(f"{m}/{p}" for m, p in designs) + " |"
    yield "|---|---|" + "---|" * len(designs)
    names = dict.fromkeys(name for found in table.values() for name, _ in found)
    for name in names:
        for auc in AUCS:
            cells = []
            for melanomas, patients in designs:
                found = table[Design(melanomas, patients, auc)]
                pair = (found.get((name, method)) for method in (BEFORE, AFTER))
                cells.append(" → ".join(f"{p[0]:.3f}" if p else "–" for p in pair))
            yield f"| {name} | {auc} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table, and what is done on the way there to standard error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--designs", default=",".join(f"{m}/{p}" for m, p in DESIGNS))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    # One thread a process: the matrices are small, and threads would wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    table = {}
    start = time.perf_counter()
    with ProcessPoolExecutor(options.processes) as pool:
        for text in options.designs.split(","):
            melanomas, patients = map(int, text.split("/"))
            for auc in AUCS:
                design = Design(melanomas, patients, auc)
                table[design] = coverage(design, pool, repeats=options.repeats)
                print(f"{design}: {time.perf_counter() - start:.0f} s", flush=True)
                for (name, method), (holds, errs) in table[design].items():
                    print(f"    {name} {method}: {holds:.3f}, flatters {errs:.3f}")
    print("\n".join(lines(table)))


if __name__ == "__main__":
    main()
