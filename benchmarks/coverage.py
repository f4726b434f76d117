"""Measure how often the intervals of `lentigo evaluate` beyond its metrics hold the truth.

    python benchmarks/coverage.py KIND [--repeats 1000] [--processes 2] [--designs 20/15]

The samples are those of `interval_coverage.py`: a design such as 20/15 has 20 melanomas of
15 patients, 300 other images and 100 patients; the patient makes 30 % of the variance of
the scores. How many melanomas there are is left to chance, with that mean. Prints a
Markdown table: a row an interval and AUC, a column a design, the share of intervals that
hold the truth.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit, ndtri
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).parent))

from interval_coverage import AUCS, DESIGNS, LIKENESS, OTHERS, PATIENTS, Design, draw, rates
from refused_or_disturbed import errors_of, gain, true_errors, true_gain

from lentigo.evaluation import metrics
from lentigo.evaluation.consequences import Called, odds
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.judged import Judged
from lentigo.evaluation.measuring import sides
from lentigo.evaluation.multiclass import Diagnoses
from lentigo.evaluation.partial_auc import partial_auc_interval
from lentigo.evaluation.readers.covariance import aucs_together
from lentigo.evaluation.readers.matched import at_readers
from lentigo.evaluation.readers.mrmc import one_condition
from lentigo.evaluation.retrieval import retrieval_per_patient, retrieval_sensitivity
from lentigo.evaluation.roughness import DIFFERENCES_ROUGH_BELOW, marked
from lentigo.evaluation.subgroups import subgroups_of
from lentigo.evaluation.sums import Sample

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Draw = Callable[[Design, np.random.Generator], tuple[Sample, Sample]]
Truths = Callable[[Design], Mapping[str, float]]
Found = Callable[[Design, Sample, Sample], Mapping[str, Interval]]

CLINIC = 0.02
"""The share of melanoma that PPV, NPV … are asked for."""


def true_consequences(design: Design) -> dict[str, float]:
    """The true figures where 80 % are found, as here and where 2 % are melanomas."""
    known = rates(design, 0.8)
    found = {}
    for ending, share in (("", 1 / (OTHERS + 1)), (" at 2 %", CLINIC)):
        hit, left = known["sensitivity"], known["specificity"]
        melanomas, others = 1000 * share, 1000 * (1 - share)
        called = melanomas * hit + others * (1 - left)
        found |= {
            f"ppv{ending}": melanomas * hit / called,
            f"npv{ending}": others * left / (1000 - called),
            f"lr_positive{ending}": hit / (1 - left),
            f"lr_negative{ending}": (1 - hit) / left,
            f"needed_to_excise{ending}": called / (melanomas * hit),
            f"found_per_1000{ending}": melanomas * hit,
            f"missed_per_1000{ending}": melanomas * (1 - hit),
            f"false_alarms_per_1000{ending}": others * (1 - left),
            f"left_per_1000{ending}": others * left,
            f"net_benefit_per_1000{ending}": melanomas * hit
            - others * (1 - left) * odds(design.threshold),
        }
    return {
        name: value
        for name, value in found.items()
        if not (name.endswith("%") and name.startswith("lr_"))
    }


def consequences(design: Design, sample: Sample, _: Sample) -> dict[str, Interval]:
    """The figures of a threshold with their intervals."""
    at = design.threshold
    called = Called(
        truth=sample.truth, called=sample.score >= at, group=sample.group, risk=at
    )
    there = called.figures_where(CLINIC).items()
    return called.figures() | {f"{name} at 2 %": each for name, each in there}


def true_partial(design: Design) -> dict[str, float]:
    """The area above 80 % sensitivity of two normal distributions."""
    missed = (np.arange(200_000) + 0.5) / 1_000_000
    return {"partial_auc_80": 0.2 * float(norm.cdf(design.gap + ndtri(missed)).mean())}


def partial_area(_design: Design, sample: Sample, _: Sample) -> dict[str, Interval]:
    """The area above 80 % sensitivity with its interval."""
    found = partial_auc_interval(sample.truth, sample.score, sample.group)
    return {"partial_auc_80": found}


def of_normals(design: Design, rng: np.random.Generator) -> tuple[Sample, Sample]:
    """The samples of `interval_coverage.py`."""
    return draw(design, rng, by_chance=True)


def of_whole_bodies(design: Design, rng: np.random.Generator) -> tuple[Sample, Sample]:
    """Patients with 60 images each, of whom `design.patients` have a melanoma or more."""
    each, patients = 60, 2 * design.patients
    group = np.repeat(np.arange(patients), each)
    own = np.zeros((patients, each), dtype=bool)
    extra = rng.poisson(design.melanomas / design.patients - 1, size=design.patients)
    for patient, more in enumerate(extra):
        own[patient, : 1 + more] = True
    truth = own.ravel()
    # Some patients have melanomas that are hard to see.
    hard = rng.normal(size=patients)[group] * np.sqrt(LIKENESS)
    score = rng.normal(size=len(group)) + (design.gap + hard) * truth
    sample = Sample(truth, score, group, patients)
    return sample, sample


@lru_cache
def true_retrieval(design: Design) -> Mapping[str, float]:
    """What a very large sample of the same kind says."""
    many = 20_000 // design.patients * design.patients
    large = Design(design.melanomas * many // design.patients, many, design.auc)
    sample, _ = of_whole_bodies(large, np.random.default_rng(1))
    return {n: each.value for n, each in retrieval(design, sample, sample).items()}


def retrieval(_design: Design, sample: Sample, _: Sample) -> dict[str, Interval]:
    """Both ways to count melanomas among the 15 highest of a patient."""
    given = sample.truth, sample.score, sample.group
    return {
        "retrieval_sensitivity_15": retrieval_sensitivity(*given),
        "retrieval_per_patient_15": retrieval_per_patient(*given),
    }


SHARES = np.array([1 / 16, 0.5, 0.2, 0.15, 1 - 1 / 16 - 0.85])


@dataclass(frozen=True)
class Several(Sample):
    """Images of several diagnoses; the first is melanoma."""

    score_of_each: FloatArray
    diagnosis: IntArray


def of_several(design: Design, rng: np.random.Generator) -> tuple[Several, Several]:
    """Images of five diagnoses, each with a score that its own images have higher."""
    patients = PATIENTS * design.melanomas
    group = np.repeat(np.arange(patients), 1 + rng.poisson(16 / PATIENTS - 1, patients))
    diagnosis = rng.choice(len(SHARES), p=SHARES, size=len(group))
    shared = rng.normal(size=(patients, len(SHARES)))[group]
    alone = rng.normal(size=(len(group), len(SHARES)))
    scores = np.sqrt(LIKENESS) * shared + np.sqrt(1 - LIKENESS) * alone
    scores[np.arange(len(group)), diagnosis] += design.gap
    sample = Several(
        diagnosis == 0, scores[:, 0], group, patients,
        score_of_each=scores, diagnosis=diagnosis,
    )  # fmt: skip
    return sample, sample


@lru_cache
def true_several(design: Design) -> Mapping[str, float]:
    """What a very large sample of the same kind says."""
    large = Design(40_000, 30_000, design.auc)
    sample, _ = of_several(large, np.random.default_rng(1))
    return {n: each.value for n, each in several(design, sample, sample).items()}


def several(_design: Design, sample: Sample, _: Sample) -> dict[str, Interval]:
    """Balanced accuracy, mean AUC and top-k of five diagnoses."""
    assert isinstance(sample, Several)
    names = tuple("abcde")
    known = Diagnoses(
        names, sample.diagnosis, sample.score_of_each.argmax(axis=1),
        score=sample.score_of_each,
    )  # fmt: skip
    judged = Judged(sample, 0.5, known)
    found = {
        "multiclass_balanced_accuracy": metrics.multiclass_balanced_accuracy(judged),
        "multiclass_auc": metrics.multiclass_auc(judged),
        "top_2_accuracy": metrics.top_2_accuracy(judged),
        "top_3_accuracy": metrics.top_3_accuracy(judged),
    }
    return {name: each for name, each in found.items() if each is not None}


def true_halves(_design: Design) -> dict[str, float]:
    """Of two halves of the patients, which differ by chance alone."""
    return {"calibration_gap": 0.0} | {
        f"{name} less the rest": 0.0
        for name in ("auc", "calibration_gap", "sensitivity", "specificity")
    }


def halves(design: Design, sample: Sample, _: Sample) -> dict[str, Interval]:
    """Calibration in the large, and one half of the patients less the other."""
    half = pd.Series(np.where(sample.group % 2, "a", "b"))
    parts = subgroups_of(sample, half, by="half", said="half", threshold=design.threshold)
    whole = metrics.calibration_gap(Judged(sample, design.threshold))
    differences = parts.groups[0].against_rest
    return {"calibration_gap": whole} | {
        f"{name} less the rest": each.interval for name, each in differences.items()
    }


JUDGES = 5
SKILL, SPREAD, ALARMS = 0.8, 0.3, 0.2
"""Readers see melanomas so much less well, are so unlike, raise so many false alarms."""


@dataclass(frozen=True)
class WithReaders(Sample):
    """Images that readers rated, too: (readers, N), the first always of one skill."""

    ratings: FloatArray


def of_readers(design: Design, rng: np.random.Generator) -> tuple[Sample, Sample]:
    """Images that a model and five readers, drawn from many, find hard together."""
    model, _ = of_normals(design, rng)
    noise = ndtri(rng.random((JUDGES, len(model.truth))))
    scored = (logit(model.score) + design.gap**2 / 2 - logit(1 / (OTHERS + 1))) / design.gap
    z = scored - design.gap * model.truth
    skill = SKILL * design.gap + SPREAD * rng.normal(size=JUDGES)
    skill[0] = SKILL * design.gap
    mixed = np.sqrt(0.4) * z + np.sqrt(0.6) * noise
    ratings = mixed + skill[:, None] * model.truth
    sample = WithReaders(
        model.truth, model.score, model.group, model.groups, ratings=ratings
    )
    return sample, sample


def true_readers(design: Design) -> dict[str, float]:
    """Of the reader of one skill, and of the mean over many."""
    cut = float(ndtri(1 - ALARMS))
    mine = SKILL * design.gap
    at = float(norm.cdf(design.gap - cut))
    wide = np.sqrt(1 + SPREAD**2)
    return {
        "model less a reader": at - float(norm.cdf(mine - cut)),
        "model less readers": at - float(norm.cdf((mine - cut) / wide)),
        "AUC less that of readers": design.auc
        - float(norm.cdf(mine / np.sqrt(2 + SPREAD**2))),
        "mean AUC of readers": float(norm.cdf(mine / np.sqrt(2 + SPREAD**2))),
    }


def of_a_study(_design: Design, sample: Sample, _: Sample) -> dict[str, Interval]:
    """The intervals of a reader study; the first reader is left out of the means."""
    assert isinstance(sample, WithReaders)
    given = sample.truth, sample.score
    calls = (sample.ratings >= ndtri(1 - ALARMS)).astype(np.float64)
    at = at_readers(*given, calls, sample.group, repeats=250)
    groups = dict(zip(("with_melanoma", "without"), sides(sample), strict=True))
    one = marked({"auc": at.interval(0)}, **groups, rough_below=DIFFERENCES_ROUGH_BELOW)[
        "auc"
    ]
    whole = np.vstack([sample.score[None], sample.ratings[1:]])
    values, covariance = aucs_together(sample.truth, whole, sample.group)
    turn = np.hstack([np.ones((JUDGES - 1, 1)), -np.eye(JUDGES - 1)])
    return {
        "model less a reader": one,
        "model less readers": one_condition(
            at.difference[1:], at.covariance[1:, 1:]
        ).interval,
        "AUC less that of readers": one_condition(
            turn @ values, turn @ covariance @ turn.T
        ).interval,
        "mean AUC of readers": one_condition(values[1:], covariance[1:, 1:]).interval,
    }


KINDS: dict[str, tuple[Draw, Truths, Found]] = {
    "consequences": (of_normals, true_consequences, consequences),
    "partial": (of_normals, true_partial, partial_area),
    "retrieval": (of_whole_bodies, true_retrieval, retrieval),
    "several": (of_several, true_several, several),
    "subgroups": (of_normals, true_halves, halves),
    "readers": (of_readers, true_readers, of_a_study),
    "abstention": (of_normals, true_gain, gain),
    "stress": (of_normals, true_errors, errors_of),
}


def one_repeat(kind: str, design: Design, number: int) -> list[tuple[str, bool, bool]]:
    """Name of each interval, whether it holds the truth, and whether it is marked rough."""
    drawn, truths, found = KINDS[kind]
    rng = np.random.default_rng([design.melanomas, int(1000 * design.auc), number])
    sample, second = drawn(design, rng)
    if min(sides(sample)) < 2:
        return []
    true, rows = truths(design), []
    for name, each in found(design, sample, second).items():
        if name in true and not (np.isnan(each.low) and np.isnan(each.high)):
            # An end that is not there is infinite.
            holds = not (each.low > true[name]) and not (each.high < true[name])
            rows.append((name, holds, each.rough))
    return rows


def coverage(
    kind: str, design: Design, pool: ProcessPoolExecutor, *, repeats: int
) -> dict[str, tuple[float, float]]:
    """Name → share of the intervals that hold the truth, and that are marked as rough."""
    found: dict[str, list[tuple[bool, bool]]] = {}
    for rows in pool.map(partial(one_repeat, kind, design), range(repeats), chunksize=10):
        for name, holds, rough in rows:
            found.setdefault(name, []).append((holds, rough))
    return {name: tuple(np.mean(each, axis=0)) for name, each in found.items()}


def lines(table: Mapping[Design, Mapping[str, tuple[float, float]]]) -> Iterator[str]:
    """The Markdown table; cells that are mostly marked as rough stand in brackets."""
    designs = list(dict.fromkeys((d.melanomas, d.patients) for d in table))
    yield "| interval | AUC | " + " | ".join(f"{m}/{p}" for m, p in designs) + " |"
    yield "|---|---|" + "---|" * len(designs)
    for name in dict.fromkeys(name for found in table.values() for name in found):
        for auc in AUCS:
            cells = []
            for melanomas, patients in designs:
                pair = table[Design(melanomas, patients, auc)].get(name)
                shown = f"{pair[0]:.3f}" if pair else "–"
                cells.append(f"({shown})" if pair and pair[1] > 0.5 else shown)
            yield f"| {name} | {auc} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table, and what is done on the way there to standard error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--designs", default=",".join(f"{m}/{p}" for m, p in DESIGNS))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    # One thread a process: the matrices are small, and threads would wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    table, start = {}, time.perf_counter()
    with ProcessPoolExecutor(options.processes) as pool:
        for text in options.designs.split(","):
            melanomas, patients = map(int, text.split("/"))
            for auc in AUCS:
                design = Design(melanomas, patients, auc)
                table[design] = coverage(
                    options.kind, design, pool, repeats=options.repeats
                )
                spent = time.perf_counter() - start
                print(f"{design}: {spent:.0f} s", file=sys.stderr, flush=True)
    print("\n".join(lines(table)))


if __name__ == "__main__":
    main()
