"""Losses, augmentations, encodings and costs of networks are those of the record.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from lentigo.config import AugmentConfig, TrainConfig
from lentigo.models.augment import augment, colour_matrix, erased, warp_matrix
from lentigo.models.calibration import (
    Beta,
    Isotonic,
    Map,
    NoCalibration,
    Platt,
    Spread,
    Temperature,
    probability,
    then_line,
)
from lentigo.models.cost import multiply_adds
from lentigo.models.losses import (
    auc_margin_loss,
    class_weights,
    distillation_loss,
    logit_shift,
    marginal_loss,
    prior_logit,
    weighted_bce,
)
from lentigo.models.metadata import MetadataEncoding, Patients, fields_of
from lentigo.models.network import build_model
from tests.cohorts import tiny_config
from tests.figures.tables import drawn_table
from tests.imaging.test_recorded import in_squares, lesion
from tests.record import OF_PIXELS, as_lines, check_recorded

LOGITS = torch.linspace(-3, 3, 12)
LABELS = torch.tensor([0.0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0])


def test_the_loss_of_one_logit() -> None:
    ways = product(
        ((1.0, 1.0), class_weights(0.1)), ((0.0, 0.5), (0.2, 0.5), (0.2, 0.1)),
        ((0.0, 0.0), (2.0, 0.0), (0.0, -1.5)),
    )  # fmt: skip
    lines = []
    for weights, (smoothing, towards), (focus, offset) in ways:
        found = weighted_bce(
            LOGITS, LABELS, weights=weights, smoothing=smoothing, towards=towards,
            focus=focus, offset=offset,
        )  # fmt: skip
        lines.append(f"{weights} {smoothing} {towards} {focus} {offset}: {found:.6g}")
    check_recorded("models/losses", "\n".join(lines) + "\n")


def test_the_loss_of_several_scores() -> None:
    scores = torch.stack([LOGITS, -LOGITS, LOGITS**2 / 4], dim=1)
    allowed = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=torch.bool)
    shares, labels = torch.tensor([0.2, 0.5, 0.3]), torch.arange(12) % 4
    ways = product(
        ((0.0, 0.0), (0.1, 0.0), (0.0, 2.0)), (None, shares), (None, shares.log())
    )
    lines = []
    for (smoothing, focus), towards, offset in ways:
        found = marginal_loss(
            scores, labels, allowed=allowed, smoothing=smoothing, focus=focus,
            towards=towards, offset=offset,
        )  # fmt: skip
        lines.append(f"{smoothing} {focus} {towards} {offset}: {found:.6g}")
    soft = torch.softmax(scores.flip(0), dim=1)
    for temperature in (1.0, 2.0):
        found = distillation_loss(scores, soft, temperature=temperature)
        lines.append(f"distillation {temperature}: {found:.6g}")
    check_recorded("models/losses-of-several", "\n".join(lines) + "\n")


def test_the_loss_of_a_margin_and_what_a_logit_is_shifted_by() -> None:
    lines = []
    for margin in (1.0, 0.5):
        both = auc_margin_loss(LOGITS, LABELS, margin=margin)
        alone = auc_margin_loss(LOGITS, torch.zeros(12), margin=margin)
        lines.append(f"margin {margin}: {both:.6g}, of one class {alone:.6g}")
    for imbalance in ("none", "bias", "class_weights", "oversample"):
        shift = logit_shift(TrainConfig(imbalance=imbalance), 0.1)
        lines.append(f"{imbalance}: {shift:.6g} {prior_logit(0.1):.6g}")
    check_recorded("models/shifts", "\n".join(lines) + "\n")


CHANGES = {
    "default": AugmentConfig(),
    "strong": AugmentConfig(
        rotate=180,
        scale=0.3,
        stretch=0.2,
        shift=0.1,
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=10,
        blur=2,
        erase=0.2,
        constancy=0.5,
    ),
    "drawn": AugmentConfig(hair=1.0, ruler=1.0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_augmentation(name: str) -> None:
    lines = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        image = augment(lesion("veiled"), CHANGES[name], size=96, rng=rng)
        lines.append(in_squares(image, 3))
        rng = np.random.default_rng(seed)
        matrix = warp_matrix(CHANGES[name], 192, 96, rng)
        lines += as_lines(np.asarray(matrix).ravel().tolist(), "warp")
        colours = colour_matrix(CHANGES[name], rng)
        lines += as_lines([] if colours is None else colours.ravel().tolist(), "colours")
        lines.append(in_squares(erased(lesion("plain"), 0.2, rng), 3))
    check_recorded(f"models/augmented-{name}", "\n".join(lines) + "\n", near=OF_PIXELS)


def test_calibrations() -> None:
    at = np.array([-700.0, -5, -1, 0, 0.5, 2, 9, 700])
    maps: dict[str, Map] = {
        "none": NoCalibration(), "temperature": Temperature(temperature=2.5),
        "platt": Platt(slope=0.7, intercept=-0.4), "spread": Spread(slope=2, intercept=1),
        "beta": Beta(a=0.8, b=1.2, c=0.3),
        "isotonic": Isotonic(knots=(-2.0, 0.0, 3.0), values=(-1.0, -0.5, 2.0)),
    }  # fmt: skip
    lines = list(as_lines(probability(at).tolist(), "probability"))
    for name, map_ in maps.items():
        lines += as_lines(map_.apply(at).tolist(), name)
        after = then_line(map_, 1.5, -0.25)
        lines += as_lines(after.apply(at).tolist(), f"  then a line, {after.method}")
    check_recorded("models/calibrations", "\n".join(lines) + "\n")


def test_patients_as_numbers() -> None:
    table = drawn_table(80, seed=2)
    lines = []
    for asked in ("none", "auto", "late", "film"):
        lines.append(f"{asked}: {fields_of(asked, table)}")
    half = table.assign(age=table["age"].where(np.arange(80) < 39))
    lines.append(f"fewer than half of the ages: {fields_of('auto', half)}")
    for fields in (("age", "sex", "site"), ("age",), ("sex", "site")):
        known = Patients.of_table(table).only(fields)
        found = MetadataEncoding.fitted(known, "late")
        lines += as_lines(found.model_dump(mode="json"), " ".join(fields))
        lines += as_lines(np.asarray(found.unknown, float).tolist(), "  unknown")
        for row in found.encode(known)[:6]:
            lines += as_lines([float(each) for each in row], "  row")
    check_recorded("models/patients", "\n".join(lines) + "\n")


@pytest.mark.parametrize("size", [32, 64])
def test_the_cost_of_a_network(size: int) -> None:
    model = build_model(tiny_config().model).eval()
    check_recorded(f"models/cost-{size}", f"{multiply_adds(model, size=size)}\n")
