"""Measure how often the interval of the calibration error holds the truth.

    python benchmarks/calibration_error_coverage.py [--repeats 2000] [--processes 2]
        [--designs 20/15,100/75]

The samples are those of `interval_coverage.py`: a design such as 20/15 has 20 melanomas of
15 patients and 300 other images of 100 patients on average, and the patient makes 30 % of
the variance of the scores. Their probabilities are right, too extreme (logits times 1.5),
too timid (times 0.6), or too high (logits plus 0.7). The truth is the error over ten bins
of equally many images of an endless sample. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from interval_coverage import AUCS, OTHERS, Design, draw
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from lentigo.evaluation.calibration_error import BINS, calibration_error
from lentigo.evaluation.measuring import sides

FloatArray = NDArray[np.float64]

WRONG = {
    "right": (1.0, 0.0),
    "too extreme": (1.5, 0.0),
    "too timid": (0.6, 0.0),
    "too high": (1.0, 0.7),
}
"""By what logits are multiplied, and what is added."""


def told(probability: FloatArray, wrong: str) -> FloatArray:
    """Return the probabilities as a model tells them that is `wrong`."""
    times, plus = WRONG[wrong]
    return np.asarray(expit(times * logit(probability) + plus))


def truth(design: Design, wrong: str) -> float:
    """Return the calibration error of an endless sample."""
    at = np.linspace(-12, 12 + design.gap, 400_001)
    share = 1 / (OTHERS + 1)
    melanoma, other = share * norm.pdf(at - design.gap), (1 - share) * norm.pdf(at)
    whole = (melanoma + other) * (at[1] - at[0])
    rest = melanoma * (at[1] - at[0]) - whole * told(design.probability(at), wrong)
    bins = np.minimum((np.cumsum(whole) * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, rest, minlength=BINS)).sum())


def one_repeat(design: Design, number: int) -> list[tuple[str, float, float, float]]:
    """How it is wrong, and value and bounds of the error, on one made-up sample."""
    rng = np.random.default_rng([design.melanomas, int(1000 * design.auc), number])
    sample, _ = draw(design, rng, by_chance=True)
    if sides(sample)[0] < 2:
        return []
    found = {
        wrong: calibration_error(sample.truth, told(sample.score, wrong), sample.group)
        for wrong in WRONG
    }
    return [(name, each.value, each.low, each.high) for name, each in found.items()]


def row(design: Design, pool: ProcessPoolExecutor, *, repeats: int) -> list[str]:
    """The lines of one design: the truth, mean value, and shares of the intervals."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in WRONG}
    for each in pool.map(partial(one_repeat, design), range(repeats), chunksize=20):
        for name, *numbers in each:
            found[name].append((numbers[0], numbers[1], numbers[2]))
    lines = []
    for name, numbers in found.items():
        value, low, high = np.array(numbers).T
        true = truth(design, name)
        holds = ((low <= true) & (true <= high)).mean()
        called = f"{design.auc} | {design.melanomas}/{design.patients}"
        lines.append(
            f"| {name} | {called} | {true:.4f} | {value.mean():.4f} | {holds:.3f} | "
            f"{(low > true).mean():.3f} | "
            f"{(high < true).mean():.3f} | {(high - low).mean():.4f} |"
        )
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--designs", default="20/15,100/75")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print("| probabilities | AUC | design | truth | mean | held | above | below | width |")
    print("|---|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(options.processes) as pool:
        for text in options.designs.split(","):
            melanomas, patients = map(int, text.split("/"))
            for auc in AUCS:
                design = Design(melanomas, patients, auc)
                print("\n".join(row(design, pool, repeats=options.repeats)), flush=True)


if __name__ == "__main__":
    main()
