"""How often the interval of nested cross-validation holds the loss of the whole model.

    python benchmarks/nested_coverage.py [--simulations 1000]

Images are normal features with unit spread, of which melanomas have another mean; a model
is a linear discriminant, whose true losses are known without a test set. What an interval
should hold is the loss of the model that learnt from all images of its sample. Five folds,
and images that each are a group.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy.special import expit

from lentigo.evaluation.calibration import log_losses, squared_errors
from lentigo.evaluation.nested import Block, NestedLoss, nested_loss

FOLDS = 5
Array = np.ndarray
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
LOSSES = {
    "brier": squared_errors,
    "log_loss": log_losses,
    "error_rate": lambda truth, score: ((score >= 0.5) != truth).astype(float),
}


def draw(
    melanomas: int, others: int, features: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return features (N, features) and whether each is a melanoma, (N,)."""
    truth = np.arange(melanomas + others) < melanomas
    shift = 1.6 / np.sqrt(features)
    return rng.normal(size=(len(truth), features)) + truth[:, None] * shift, truth


def learn(features: Array, truth: Array) -> tuple[Array, float]:
    """Return the direction and the offset of the logit of a linear discriminant."""
    means = [features[truth == side].mean(axis=0) for side in (True, False)]
    centred = features - np.where(truth[:, None], means[0], means[1])
    within = centred.T @ centred / (len(truth) - 2)
    learnt = np.linalg.solve(within, means[0] - means[1])
    share = truth.mean()
    return learnt, float(np.log(share / (1 - share)) - learnt @ (means[0] + means[1]) / 2)


def true_losses(learnt: Array, offset: float, share: float) -> dict[str, float]:
    """Return the losses on endlessly many images, `share` of them melanomas."""
    spread, shift = np.linalg.norm(learnt), 1.6 / np.sqrt(len(learnt))
    found = dict.fromkeys(LOSSES, 0.0)
    for side, part in ((True, share), (False, 1 - share)):
        score = expit(offset + side * shift * learnt.sum() + spread * NODES)
        for name, loss in LOSSES.items():
            mean = loss(np.full(len(score), side), score) @ WEIGHTS / WEIGHTS.sum()
            found[name] += part * float(mean)
    return found


def scores(features: Array, truth: Array, fold: Array) -> dict[tuple[int, int], Array]:
    """Return the answers for all images of each model, by the folds it leaves out."""
    found = {}
    pairs = [*((each, each) for each in range(FOLDS)), *combinations(range(FOLDS), 2)]
    for one, other in pairs:
        kept = (fold != one) & (fold != other)
        learnt, offset = learn(features[kept], truth[kept])
        found[one, other] = found[other, one] = expit(features @ learnt + offset)
    return found


def blocks(
    features: Array, truth: Array, rng: np.random.Generator
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Deal five folds by class; yield truth and answers of each, outer and inner."""
    fold = np.empty(len(truth), dtype=int)
    for side in (True, False):
        mine = np.flatnonzero(truth == side)
        fold[rng.permutation(mine)] = np.arange(len(mine)) % FOLDS
    said = scores(features, truth, fold)
    for outer in range(FOLDS):
        own = fold == outer
        inner = np.empty(len(truth))
        for other in range(FOLDS):
            inner[fold == other] = said[outer, other][fold == other]
        yield truth[own], inner[own], truth[~own], inner[~own]


def judged(
    features: Array, truth: Array, repeats: int, rng: np.random.Generator
) -> dict[str, NestedLoss]:
    """Return each loss by nested cross-validation, with so many repeats."""
    dealt = [each for _ in range(repeats) for each in blocks(features, truth, rng)]
    found = {}
    for name, loss in LOSSES.items():
        own = [
            Block(loss(t, s), np.arange(len(t)) + 1000 * place, loss(others, inner))
            for place, (t, s, others, inner) in enumerate(dealt)
        ]
        found[name] = nested_loss(name, own, repeats=repeats)
    return found


def main() -> None:
    """Print a line for each size, number of features, number of repeats, and loss."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--repeats", default="1,10")
    simulations = parser.parse_args().simulations
    counts = [int(each) for each in parser.parse_args().repeats.split(",")]
    for melanomas, features in ((20, 10), (20, 40), (100, 10)):
        others, rng = 4 * melanomas, np.random.default_rng(melanomas + features)
        for repeats in counts:
            held: dict[str, list[tuple[bool, bool, float]]] = {n: [] for n in LOSSES}
            for _ in range(simulations):
                sample, truth = draw(melanomas, others, features, rng)
                wanted = true_losses(*learn(sample, truth), 0.2)
                for name, each in judged(sample, truth, repeats, rng).items():
                    inside = (
                        i.low <= wanted[name] <= i.high for i in (each.plain, each.nested)
                    )
                    held[name].append((*inside, each.inflation))
            for name, rows in held.items():
                plain, nested, times = np.mean(rows, axis=0)
                print(
                    f"{melanomas} of {melanomas + others}, {features} features, {repeats} "
                    f"x {FOLDS}, {name}: plain {100 * plain:.1f} %, nested "
                    f"{100 * nested:.1f} %, {times:.2f} times as wide",
                    flush=True,
                )


if __name__ == "__main__":
    main()
