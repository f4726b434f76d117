"""How often the interval of a repeated cross-validation holds the mean AUC of trainings.

    python benchmarks/repeats_coverage.py [--simulations 2000]

Images are ten normal features with unit spread, of which melanomas have another mean; a
model is a linear discriminant that learns its direction from the training folds, so that
its true AUC is known without a test set. What an interval should hold is the mean of that
over trainings on 4/5 of so many images, of which none was judged. Five folds.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.stats import norm, t

from lentigo.evaluation.discrimination import auc
from lentigo.evaluation.trained_anew import corrected_mean

FEATURES, FOLDS = 10, 5
SHIFT = np.full(FEATURES, 1.6 / np.sqrt(FEATURES))
Array = np.ndarray


def draw(melanomas: int, others: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return features (N, 10) and whether each is a melanoma, (N,)."""
    truth = np.arange(melanomas + others) < melanomas
    return rng.normal(size=(len(truth), FEATURES)) + truth[:, None] * SHIFT, truth


def direction(features: Array, truth: Array) -> Array:
    """Return the direction that a linear discriminant learns, (10,)."""
    means = [features[truth == side].mean(axis=0) for side in (True, False)]
    centred = features - np.where(truth[:, None], means[0], means[1])
    within = centred.T @ centred / (len(truth) - 2)
    return np.linalg.solve(within, means[0] - means[1])


def true_auc(learnt: Array) -> float:
    """Return the AUC of a direction on endlessly many images."""
    return float(norm.cdf(learnt @ SHIFT / (np.sqrt(2) * np.linalg.norm(learnt))))


def fold_aucs(features: Array, truth: Array, rng: np.random.Generator) -> list[float]:
    """Return the AUC of each of five folds, which are dealt by class."""
    fold = np.empty(len(truth), dtype=int)
    for side in (True, False):
        mine = np.flatnonzero(truth == side)
        fold[rng.permutation(mine)] = np.arange(len(mine)) % FOLDS
    found = []
    for number in range(FOLDS):
        out = fold == number
        learnt = direction(features[~out], truth[~out])
        found.append(float(auc(truth[out], features[out] @ learnt)))
    return found


def holds(aucs: list[float], images: int, wanted: float) -> tuple[bool, bool]:
    """Tell whether the plain and the corrected interval hold what they should."""
    count, mean = len(aucs), float(np.mean(aucs))
    half = t.ppf(0.975, count - 1) * np.std(aucs, ddof=1) / np.sqrt(count)
    judged = images / FOLDS
    corrected = corrected_mean(aucs, judged=judged, trained=images - judged)
    return abs(mean - wanted) <= half, corrected.low <= wanted <= corrected.high


def main() -> None:
    """Print a line for each size and number of repeats."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=2000)
    simulations = parser.parse_args().simulations
    for melanomas in (20, 100):
        others, rng = 4 * melanomas, np.random.default_rng(melanomas)
        learnt = (draw(melanomas * 4 // 5, others * 4 // 5, rng) for _ in range(4000))
        wanted = float(np.mean([true_auc(direction(*each)) for each in learnt]))
        for repeats in (1, 3, 10):
            found = []
            for _ in range(simulations):
                features, truth = draw(melanomas, others, rng)
                each = [fold_aucs(features, truth, rng) for _ in range(repeats)]
                aucs = [value for one in each for value in one]
                found.append(holds(aucs, len(truth), wanted))
            plain, corrected = 100 * np.mean(found, axis=0)
            print(
                f"{melanomas} melanomas of {melanomas + others}, {repeats} x {FOLDS}: "
                f"AUC {wanted:.3f}; plain {plain:.1f} %, corrected {corrected:.1f} %"
            )


if __name__ == "__main__":
    main()
