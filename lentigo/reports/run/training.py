"""Describe the training of each network of a run: a table row each, and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lentigo.config import Config, TrainConfig
from lentigo.models.calibration import WITHOUT_LABELS
from lentigo.reports.numbers import UNDEFINED, as_value, number, with_interval
from lentigo.words import count, counted, listed


@dataclass(frozen=True)
class Trained:
    """Training of one network: number of epochs, the epoch kept, and its validation AUC."""

    name: str
    epochs: str
    kept: str
    auc: str
    loss: str
    minutes: str
    judged: str = ""
    """AUC on the held-out images, with its interval; empty if a fold has one network."""


def trained(
    histories: Mapping[str, pd.DataFrame], members: Mapping[str, Any] | None = None
) -> list[Trained]:
    """Return a `Trained` for each network of `histories`, its name to one row per epoch.

    `members` has, by network name, the held-out AUC if a fold has several networks.
    """
    aucs = {name: as_value(found) for name, found in (members or {}).items()}
    return [
        replace(line, judged=with_interval(value) if value else "")
        for name, history in histories.items()
        if len(history)
        for line, value in [(_line(name, history), aucs.get(name))]
    ]


def sentence(config: Config, evaluation: Mapping[str, Any] | None = None) -> str:
    """Return sentences on the networks of a fold and their training.

    `evaluation` is that of the run: its calibration says what was done before the mean.
    """
    if not config.members:
        return f"The network is {_network(config)} (recipe {config.recipe})."
    networks = [f"member-{k} is {_network(each)}." for k, each in _numbered(config)]
    of = counted(len(networks), "network")
    answer = {
        "logits": f"The answer is the mean over {of}, {_before_the_mean(evaluation)}",
        "ranks": f"The answer is the mean over {of} of what their ranks among the "
        "validation images of the fold say",
        "soup": "The answer is that of one network, with the mean of the weights of those "
        f"of {of} that raise the AUC of the fold's validation images",
    }[config.combine]
    return f"{answer} (recipe {config.recipe}): {' '.join(networks)}"


def _before_the_mean(evaluation: Mapping[str, Any] | None) -> str:
    """Say whether the networks of an answer were calibrated before their mean."""
    methods = list(((evaluation or {}).get("calibration") or {}).get("methods") or [])
    without = sum(method in WITHOUT_LABELS for method in methods)
    where = "the validation images of its fold"
    if without == len(methods) and set(methods) == {"spread"}:
        return f"each brought to one spread on {where}, too few to calibrate it on"
    if methods and without == len(methods):
        return "none of them calibrated"
    of = f", except for {without:,} of {len(methods):,}" if without else ""
    return f"each calibrated on {where}{of}"


def refit_sentence(evaluation: Mapping[str, Any]) -> str:
    """Return sentences on the networks trained again on all rows; empty without any."""
    found = evaluation.get("refit")
    if not found:
        return ""
    epochs = listed([f"{each}" for each in found["epochs"]])
    several = "networks" if len(found["epochs"]) > 1 else "network"
    return (
        f"For new images the {several} learnt once more, from all "
        f"{counted(found['images'], 'image')} (refit/model), for as many epochs as the "
        f"folds chose ({epochs}). No number of this report judges that: all are of the "
        "models of the folds, on images that these did not see. Its calibration and "
        "thresholds were fitted on the same predictions."
    )


def _numbered(config: Config) -> Iterable[tuple[int, Config]]:
    return enumerate(config.of_members())


def _network(config: Config) -> str:
    model, training = config.model, config.training
    if model.weights is not None:
        start = f"starting from the weights in {model.weights.name}"
    elif model.pretrained:
        start = "starting from timm's pretrained weights"
    else:
        start = "starting from random weights"
    by_diagnosis = training.target == "diagnosis"
    output = "linear output for each diagnosis" if by_diagnosis else "linear output"
    head = f"one {output}"
    if model.hidden:
        head = f"a dense layer of {counted(model.hidden, 'unit')} and one {output}"
    size = f"{training.image_size} × {training.image_size} pixels"
    read_off = " The probability of melanoma is read off them." if by_diagnosis else ""
    return (
        f"{model.backbone} with {head}, {start}, on images of {size}."
        f"{read_off} {_learning(training)}"
    )


def _learning(training: TrainConfig) -> str:
    if training.method == "logistic":
        return "Only its output was fitted, by logistic regression on the frozen features"
    epochs = f"It learned for at most {counted(training.epochs, 'epoch')}"
    if training.frozen_epochs:
        epochs += f", the first {count(training.frozen_epochs)} with the backbone frozen"
    if training.frozen_stages:
        stages = counted(training.frozen_stages, "first stage")
        epochs += f", its stem and {stages} left as they were"
    if training.progressive < 1:
        epochs += (
            f", on images that grew from {100 * training.progressive:g} % of that size"
        )
    if training.swa:
        epochs += f", the weights of the last {100 * training.swa:g} % of epochs averaged"
    return f"{epochs}, by {training.optimizer}"


def _line(name: str, history: pd.DataFrame) -> Trained:
    kept = _kept(history)
    row: dict[Any, Any] = {} if kept is None else history.iloc[kept].to_dict()
    seconds = history["seconds"].sum() if "seconds" in history else float("nan")
    return Trained(
        name=name,
        epochs=count(len(history)),
        kept=count(row["epoch"]) if row else "not recorded",
        auc=_number(row.get("validation_auc")),
        loss=_number(row.get("validation_loss")),
        minutes=f"{seconds / 60:.1f}" if seconds == seconds else "not recorded",
    )


def _kept(history: pd.DataFrame) -> int | None:
    """The position of the best epoch: the last one marked as the best so far."""
    if "best" not in history:
        return None
    marked = np.flatnonzero(history["best"].astype("boolean").fillna(False))
    return int(marked[-1]) if len(marked) else None


def _number(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) else UNDEFINED
