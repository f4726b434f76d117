"""What `coverage.py abstention` and `coverage.py stress` measure, and its true values."""

from __future__ import annotations

import numpy as np
from interval_coverage import Design, lesser, rates
from scipy.special import ndtri

from lentigo.evaluation.abstention import kept
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.stress import corrupted_error, relative_error
from lentigo.evaluation.sums import Sample


def true_gain(_design: Design) -> dict[str, float]:
    """Of images refused at random the others have the same AUC."""
    return {"gain of abstaining at random": 0.0}


def gain(_design: Design, sample: Sample, _: Sample) -> dict[str, Interval]:
    """The gain in AUC where 5 % of the images are refused, whatever they show."""
    seed = int(1e6 * sample.score[0])
    refused = np.random.default_rng(seed).random(len(sample.truth)) < 0.05
    groups = sample.group.astype(str).tolist()
    found = kept(sample.truth, sample.score, refused, groups, seed=seed).gain
    return {"gain of abstaining at random": found}


def true_errors(design: Design) -> dict[str, float]:
    """The balanced error of both models where 95 % are found, and its growth."""
    errors = [1 - rates(d, 0.95)["balanced_accuracy"] for d in (design, lesser(design))]
    return {"corrupted error": float(np.mean(errors)), "growth": errors[1] - errors[0]}


def errors_of(design: Design, sample: Sample, second: Sample) -> dict[str, Interval]:
    """The balanced error of the two as if they were two disturbances."""
    both = (sample, design.gap), (second, lesser(design).gap)
    cuts = [float(design.probability(np.array(gap + ndtri(0.05)))) for _, gap in both]
    pairs = zip(both, cuts, strict=True)
    wrong = np.stack([(s.score >= cut) != s.truth for (s, _), cut in pairs])
    found = sample.truth, sample.group
    return {
        "corrupted error": corrupted_error(wrong, *found),
        "growth": relative_error(wrong[1:], wrong[0], *found),
    }
