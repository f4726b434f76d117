"""How often the guaranteed sensitivity is met, and what conformal risk control meets.

Melanomas of simulated patients choose a threshold, whose true sensitivity is known. Run:
python benchmarks/guarantee.py --repeats 2000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from lentigo.evaluation.guarantee import guaranteed_threshold, mean_threshold

Sizes = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Structure:
    """How melanomas come in groups."""

    name: str
    sizes: Sizes
    """Melanomas of each group of one draw."""
    alike: float = 0.0
    """Share of the variance of the scores that lies between groups."""
    harder: float = 0.0
    """By how much the scores of a group fall with each further melanoma."""


def _up_to(total: int, draw: Callable[[np.random.Generator, int], np.ndarray]) -> Sizes:
    """Draw groups until they hold `total` melanomas."""

    def sizes(rng: np.random.Generator) -> np.ndarray:
        found = draw(rng, total)
        ends = np.cumsum(found)
        kept = found[: int(np.searchsorted(ends, total)) + 1].copy()
        kept[-1] -= int(kept.sum()) - total
        return kept

    return sizes


def structures(total: int) -> list[Structure]:
    """The structures that are tried with `total` melanomas."""
    ones = _up_to(total, lambda _, n: np.ones(n, dtype=int))
    pairs = _up_to(total, lambda _, n: np.full(n, 2))
    lesions = _up_to(total, lambda rng, n: rng.choice([1, 2, 3], n, p=[0.38, 0.46, 0.16]))
    patients = _up_to(total, lambda rng, n: rng.geometric(0.5, n))
    many = _up_to(
        total, lambda rng, n: np.where(rng.random(n) < 0.05, rng.integers(5, 11, n), 1)
    )
    return [
        Structure("single images", ones),
        Structure("pairs, half alike", pairs, alike=0.5),
        Structure("pairs, all alike", pairs, alike=1.0),
        Structure("1 to 3 photographs of a lesion", lesions, alike=0.7),
        Structure("1 to 3 photographs, all alike", lesions, alike=1.0),
        Structure("patients with 2 on average", patients, alike=0.3),
        Structure("patients with 2, all alike", patients, alike=1.0),
        Structure("a few patients with 5 to 10", many, alike=0.3),
        Structure("a few patients with 5 to 10, all alike", many, alike=1.0),
        Structure("large groups are harder", lesions, alike=0.7, harder=0.3),
    ]


def true_sensitivity(structure: Structure) -> Callable[[float], float]:
    """Return what share of all melanomas lies above a threshold."""
    rng = np.random.default_rng(0)
    sizes = np.concatenate([structure.sizes(rng) for _ in range(500)])
    values, counts = np.unique(sizes, return_counts=True)
    weights = values * counts / sizes.sum()
    falls = structure.harder * (values - 1)
    return lambda at: float((weights * norm.sf(at + falls)).sum())


def one_draw(
    structure: Structure, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and groups of the melanomas of one draw."""
    sizes = structure.sizes(rng)
    group = np.repeat(np.arange(len(sizes)), sizes)
    between = rng.standard_normal(len(sizes))[group] * np.sqrt(structure.alike)
    within = rng.standard_normal(len(group)) * np.sqrt(1 - structure.alike)
    return between + within - structure.harder * (sizes[group] - 1), group


def row(structure: Structure, *, repeats: int, sensitivity: float) -> str:
    """A row of the table: how often each threshold is there and reaches the wish."""
    truth = true_sensitivity(structure)
    limit = brentq(lambda at: truth(at) - sensitivity, -10, 10)
    rng = np.random.default_rng(1)
    found: dict[str, list[float]] = {"sure": [], "mean": []}
    for _ in range(repeats):
        score, group = one_draw(structure, rng)
        found["sure"].append(guaranteed_threshold(score, group, sensitivity=sensitivity))
        found["mean"].append(mean_threshold(score, group, sensitivity=sensitivity))
    cells = []
    for name in ("sure", "mean"):
        at = np.array(found[name])
        there = at[~np.isnan(at)]
        if not len(there):
            cells += ["0 %", "", ""]
            continue
        reached = np.mean([truth(each) for each in there[:400]])
        cells += [
            f"{100 * len(there) / repeats:.0f} %",
            f"{100 * np.mean(there <= limit):.1f} %",
            f"{reached:.3f}",
        ]
    return f"| {structure.name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table for 100 and for 20 melanomas."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--sensitivity", type=float, default=0.95)
    asked = parser.parse_args()
    for total in (400, 100, 20):
        print(f"\n{total} melanomas, {asked.sensitivity:.0%} asked for\n")
        print("| groups | sure: there | met | mean | on average: there | met | mean |")
        print("|---|---|---|---|---|---|---|")
        for structure in structures(total):
            print(row(structure, repeats=asked.repeats, sensitivity=asked.sensitivity))


if __name__ == "__main__":
    main()
