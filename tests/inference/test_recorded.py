"""Odd lesions, calibrations, contexts and limits of drawn numbers are those of the record.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.evaluation.conformal import fit_conformal
from lentigo.inference.abstention.fit import (
    gradient_hash,
    limit_of,
    share_of,
    weights_of,
)
from lentigo.inference.abstention.pictures import picture_signals
from lentigo.inference.calibrate import (
    Labelled,
    cross_validated,
    fit_calibration,
    grouped_folds,
)
from lentigo.inference.context import fit_context
from lentigo.inference.oddness import oddness
from lentigo.models.context import HALF, Context, People, inputs_of, others_of
from tests.imaging.test_recorded import pictures
from tests.record import OF_PIXELS, as_lines, check_recorded


def labelled(count: int = 400, *, slope: float = 2.0) -> Labelled:
    """Images of pairs, whose logits are too wide by `slope` and too low by 1."""
    rng = np.random.default_rng(9)
    honest = rng.normal(-1, 1.2, count)
    truth = rng.random(count) < 1 / (1 + np.exp(-honest))
    return Labelled(truth, slope * honest - 1, np.arange(count) // 2)


def people(count: int = 400) -> People:
    """Patients of four lesions, each photographed twice, and images of nobody."""
    patient = np.arange(count) // 8
    patient[-20:] = -1
    return People(patient, np.arange(count) // 2)


@pytest.mark.parametrize("slope", [0.3, 1.0, 3.0])
def test_a_calibration(slope: float) -> None:
    images = labelled(slope=slope)
    found = fit_calibration(images, fitted_on="drawn images")
    lines = list(as_lines(found.model_dump(mode="json")))
    lines += as_lines(found.apply(np.linspace(-8, 8, 17)).tolist(), "applied")
    for name, losses in cross_validated(images).items():
        lines.append(f"{name}: {losses.mean():.6g} {losses.std():.6g}")
    check_recorded(f"inference/calibration-{slope}", "\n".join(lines) + "\n")


def test_folds_of_groups() -> None:
    lines = [
        f"{len(rest)} {len(left)} {left[:12].tolist()}"
        for rest, left in grouped_folds(labelled(60))
    ]
    check_recorded("inference/folds", "\n".join(lines) + "\n")


def test_odd_lesions() -> None:
    rng = np.random.default_rng(3)
    patient = np.repeat(np.arange(12), [1, 2, 3, 4, 5, 6, 7, 8, 3, 3, 20, 30])
    features = rng.normal(size=(len(patient), 24)) + rng.normal(size=(12, 24))[patient]
    features[40] += 4
    found = oddness(features, patient)
    check_recorded("inference/oddness", "\n".join(f"{each:.5g}" for each in found) + "\n")


def test_what_other_lesions_tell() -> None:
    images, who = labelled(), people()
    others = others_of(images.logits, who)
    lines = [f"half trust at {HALF:g}"]
    for name in ("count", "mean", "variance"):
        lines += as_lines(getattr(others, name)[::16].tolist(), name)
    inputs = inputs_of(images.logits, others, 1.5)
    for number, row in enumerate(np.atleast_2d(inputs).T):
        lines += as_lines(row[::16].tolist(), f"input {number}")
    own = Labelled(images.truth, images.logits + 2 * np.sin(who.patient), images.group)
    found = fit_context(own, who, fitted_on="drawn images")
    if isinstance(found.context, Context):
        lines += as_lines(found.context.model_dump(mode="json"))
        lines += as_lines(found.context.apply(own.logits, who)[::16].tolist(), "applied")
    lines += as_lines(found.logits[::16].tolist(), "logits")
    lines.append(f"gain {found.gain}")
    check_recorded("inference/context", "\n".join(lines) + "\n")


def test_limits_of_strangeness() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(size=300)
    names = [f"g{number // 3}" for number in range(300)]
    weights = weights_of(names)
    lines = [
        f"most {most}: {limit_of(score, weights, most=most)}" for most in (0.05, 0.1, 0.3)
    ]
    for count in (100, 129, 132, 135, 138, 180):
        part = weights_of(names[:count])
        lines.append(f"{count}: {limit_of(score[:count], part)}")
    lines.append(f"share {share_of(score > 1, weights):.6g}")
    check_recorded("inference/limits", "\n".join(lines) + "\n")


def test_signals_of_pictures() -> None:
    lines: list[str] = []
    for name, image in pictures().items():
        for side in (64, 128):
            signals, kind = picture_signals(image, side=side)
            lines += as_lines([float(each) for each in signals], f"{name} {side}")
        lines.append(f"  {kind}, {bin(gradient_hash(image)).count('1')} bits")
    check_recorded("inference/pictures", "\n".join(lines) + "\n", near=OF_PIXELS)


def test_sets_that_hold_the_truth() -> None:
    rng = np.random.default_rng(8)
    truth = rng.choice(3, 200)
    shares = rng.dirichlet(np.ones(3), 200) + np.eye(3)[truth]
    shares /= shares.sum(axis=1, keepdims=True)
    names = [f"g{number // 2}" for number in range(200)]
    lines: list[str] = []
    for missed in (0.05, 0.1, 0.3):
        found = fit_conformal(shares, truth, names, missed=missed)
        lines += as_lines(found.least.tolist(), f"missed {missed}")
        lines.append(f"  {found.sets(shares).mean(axis=0)}")
    check_recorded("inference/sets", "\n".join(lines) + "\n")
