"""Rates, sides, shares and scales of a training are those of the record.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lentigo.config import RatesConfig, TrainConfig
from lentigo.models.network import build_model
from lentigo.training.balance import cells_of, class_shares, prior_shift
from lentigo.training.rates import advice, rates_of, smoothed
from lentigo.training.schedule import (
    build_optimizer,
    epoch_length,
    first_averaged,
    first_settled,
    image_side,
    layer_scales,
    learning_rate,
)
from lentigo.training.spread import of_one_distribution, of_one_spread
from lentigo.training.targets import Label, allowed_classes, diagnosis_classes, target_of
from tests.cohorts import tiny_config
from tests.figures.tables import drawn_table
from tests.record import as_lines, check_recorded

PLANS: dict[str, dict[str, Any]] = {
    "constant": {"schedule": "constant"},
    "exponential": {"schedule": "exponential", "decay_epochs": 4.0},
    "cosine": {"schedule": "cosine", "warmup": 0.2},
    "cosine-averaged": {"schedule": "cosine", "swa": 0.3, "swa_rate": 0.4},
    "frozen": {"schedule": "cosine", "frozen_epochs": 2, "progressive": 0.5},
    "averaged": {"schedule": "exponential", "swa": 0.25},
}


def plan(name: str) -> TrainConfig:
    return TrainConfig(epochs=8, image_size=224, learning_rate=0.01, **PLANS[name])


@pytest.mark.parametrize("name", PLANS)
def test_the_rate_and_the_side_of_each_epoch(name: str) -> None:
    config = plan(name)
    rates = [learning_rate(config, step, steps_per_epoch=5) for step in range(0, 40, 2)]
    lines = [
        f"rates {' '.join(f'{each:.5g}' for each in rates)}",
        f"sides {[image_side(config, epoch) for epoch in range(8)]}",
        f"averaged from {first_averaged(config)}, settled from {first_settled(config)}",
        f"images {[epoch_length(config, count) for count in (1, 100, 10_000)]}",
    ]
    check_recorded(f"training/plan-{name}", "\n".join(lines) + "\n")


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("more", [{}, {"backbone_rate": 0.1, "weight_decay": 0.05}])
def test_the_groups_of_an_optimizer(optimizer: Any, more: dict[str, float]) -> None:
    model = build_model(tiny_config().model)
    config = TrainConfig(optimizer=optimizer, **more)  # type: ignore[arg-type]
    found = build_optimizer(model, config)
    told = ("lr", "rate", "weight_decay", "momentum", "nesterov", "betas", "eps")
    lines = [type(found).__name__]
    for group in found.param_groups:
        sizes = sum(each.numel() for each in group["params"])
        facts = {key: group[key] for key in told if key in group}
        lines.append(f"{len(group['params'])} of {sizes} numbers: {facts}")
    name = f"{optimizer}{'-more' if more else ''}"
    check_recorded(f"training/optimizer-{name}", "\n".join(lines) + "\n")


def test_the_rates_of_layers_fall_towards_the_image() -> None:
    model = build_model(tiny_config().model)
    for decay in (1.0, 0.5):
        scales = [f"{scale:.5g}" for _, scale in layer_scales(model.backbone, decay)]
        check_recorded(f"training/layers-{decay}", "\n".join(scales) + "\n")


def test_shares_of_classes_and_the_shift_that_drawing_makes() -> None:
    rng = np.random.default_rng(5)
    labels, archives = rng.choice(4, 300, p=[0.5, 0.3, 0.15, 0.05]), rng.choice(2, 300)
    allowed = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
    counts = np.bincount(labels, minlength=4).astype(float)
    lines = [*as_lines(class_shares(counts, allowed).tolist(), "shares")]
    for balance in ("none", "class", "archive", "class_and_archive"):
        for power in (0.5, 1.0):
            config = TrainConfig(balance=balance, balance_power=power)
            cells = cells_of(labels, archives, config)
            if cells is None:
                lines.append(f"{balance} {power}: none")
                continue
            lines += as_lines(
                np.asarray(cells.shares, float).tolist(), f"{balance} {power}"
            )
            lines += as_lines(cells.weights[:40].tolist(), "  weights")
            shift = prior_shift(labels, archives, allowed, cells.weights)
            lines += as_lines(shift.tolist(), "  shift")
    check_recorded("training/balance", "\n".join(lines) + "\n")


def test_the_advice_of_a_range_test() -> None:
    rates = rates_of(RatesConfig())
    lines = [f"{len(rates)} rates {rates[0]:.5g} to {rates[-1]:.5g}"]
    place = np.linspace(0, 1, len(rates))
    for name, losses in {
        "valley": 0.7 - 0.3 * np.exp(-(((place - 0.6) / 0.2) ** 2)),
        "flat": np.full(len(rates), 0.7),
        "rising": 0.7 + place,
        "noisy": 0.7 - 0.1 * place + 0.05 * np.sin(40 * place),
    }.items():
        lines += as_lines(smoothed(losses.tolist())[::8].tolist(), name)
        lines += as_lines(asdict(advice(rates.tolist(), losses.tolist())), "  advice")
    check_recorded("training/rates", "\n".join(lines) + "\n")


def test_networks_are_brought_to_one_spread_and_one_distribution() -> None:
    rng = np.random.default_rng(2)
    logits = [rng.normal(k, 1 + k, 30).round(1) for k in range(3)]
    lines: list[str] = []
    for way in (of_one_spread, of_one_distribution):
        for each, found in zip(logits, way(logits), strict=True):
            beyond = np.array([-20.0, *each[:6], 20.0])
            lines += as_lines(found.apply(beyond).tolist(), way.__name__)
            lines.append(f"  {found.map.method}, {found.fitted_on!r}")
    check_recorded("training/spread", "\n".join(lines) + "\n")


def test_classes_of_diagnoses_and_what_a_label_allows() -> None:
    names = ["melanoma", "nevus", "blue nevus", "basal cell carcinoma", "dermatofibroma"]
    rows = [
        Label(name, name == "melanoma", name in {"melanoma", "basal cell carcinoma"})
        for name, count in zip(names, (20, 60, 4, 15, 1), strict=True)
        for _ in range(count)
    ]
    rows += [Label(None, None, True), Label(None, False, False), Label(None, False, None)]
    lines: list[str] = []
    for rare in (0.0, 0.05, 0.2):
        classes = diagnosis_classes(rows, rare=rare)
        lines.append(f"rare {rare}: {classes}")
        for row in dict.fromkeys(rows):
            lines.append(f"  {tuple(row)}: {allowed_classes(row, classes)}")
    table = drawn_table(120, melanomas=0.2)
    for target in ("melanoma", "diagnosis"):
        config = TrainConfig(target=target)
        found = target_of(table, np.arange(120) < 100, config)
        counts = pd.Series(found.labels).value_counts().sort_index().to_dict()
        lines.append(f"{target}: {found.classes} {counts} {found.allowed.tolist()}")
    check_recorded("training/targets", "\n".join(lines) + "\n")


def test_a_network_that_is_made_twice_is_the_same() -> None:
    torch.manual_seed(0)
    one = build_model(tiny_config().model)
    torch.manual_seed(0)
    two = build_model(tiny_config().model)
    assert all(
        torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True)
    )
