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
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from interval_coverage import AUCS, DESIGNS, OTHERS, Design, draw, rates

from lentigo.evaluation.consequences import Called, odds
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.measuring import sides
from lentigo.evaluation.sums import Sample

FloatArray = NDArray[np.float64]
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


KINDS: dict[str, tuple[Truths, Found]] = {
    "consequences": (true_consequences, consequences),
}


def one_repeat(kind: str, design: Design, number: int) -> list[tuple[str, bool, bool]]:
    """Name of each interval, whether it holds the truth, and whether it is marked rough."""
    truths, found = KINDS[kind]
    rng = np.random.default_rng([design.melanomas, int(1000 * design.auc), number])
    sample, second = draw(design, rng, by_chance=True)
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
