"""Write a model folder: the weights and their description (`model.json`, `card.md`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from lentigo.config import Config
from lentigo.files import written_beside
from lentigo.models.abstention import Abstention
from lentigo.models.calibration import Calibration
from lentigo.models.card_words import ENGLISH, INTENDED_USE
from lentigo.models.conformal import ConformalSets
from lentigo.models.context import Context
from lentigo.models.description import WEIGHTS, write_folder
from lentigo.models.index import INDEX, Index, write_index
from lentigo.models.network import Classifier
from lentigo.models.schema import FORMAT, Member

_OWN_PLACES = {"model": {"weights"}, "imaging": {"store"}, "training": {"teacher"}}
"""Settings with paths on the computer of the training, which are not published."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Facts about a model from its training: data, prevalence, AUC, operating points."""

    logit_shift: float
    """Number to subtract from the network's logit so that it means a probability."""
    prevalence: float
    """Share of melanoma that the probabilities are meant for: that of the images of the
    calibration or, without one, of the training images."""
    training_images: int
    """Number of training images; likewise their groups and melanomas."""
    training_groups: int
    archives: list[dict[str, str]]
    """Name, licence and citation of each data set of the training images."""
    best_epoch: int
    """Number, from 1, of the epoch of the training whose weights were kept."""
    validation_auc: float
    """AUC on the validation images in this epoch; it chose the epoch, so it is too high."""
    training_melanomas: int | None = None
    table_sha256: str | None = None
    """SHA-256 of the ids, groups and labels of the training images."""
    teacher_sha256: str | None = None
    """SHA-256 of the `model.json` of the model that taught the network, if one did."""
    name: str = "fold-0"
    """Name of the network."""
    calibration: Calibration = field(default_factory=Calibration)
    """Calibration of the network's logits, fitted on images that it did not learn from."""
    operating_points: list[dict[str, Any]] = field(default_factory=list)
    """Thresholds chosen on validation images, with their metrics on held-out images."""
    index: Index | None = None
    """Features of the training images; None if no index was wanted."""
    abstention: Abstention | None = None
    """The rule by which the network abstains, set on validation images."""
    conformal: ConformalSets | None = None
    """Limits of the prediction sets, set on images that it did not learn from."""
    context: Context | None = None
    """The change of the calibrated logit by a patient's other lesions; None if none."""


def save_model_folder(
    network: nn.Module,
    folder: Path,
    *,
    card: ModelCard,
    config: Config,
    whole: Config | None = None,
) -> None:
    """Write `model.safetensors`, `card.md` and `model.json` of one network to `folder`.

    `config` holds the settings of the network. `whole` holds those that `model.json` tells,
    if it is made of several networks; by default those of the network.
    """
    if not isinstance(network, Classifier):
        raise TypeError(f"Only a Classifier can be saved, not a {type(network).__name__}.")
    write_weights(network, folder / WEIGHTS)
    if card.index is not None:
        write_index(card.index, folder / INDEX)
    write_folder(
        folder,
        {
            "format": FORMAT,
            "members": [_member(network, card, config)],
            "classes": ["not melanoma", "melanoma"],
            "output": "logit of melanoma; subtract logit_shift, then the logistic function",
            "prevalence": card.prevalence,
            "conformal": card.conformal and card.conformal.model_dump(mode="json"),
            "context": [card.context.model_dump(mode="json")] if card.context else [],
            "operating_points": card.operating_points,
            "training": {
                "images": card.training_images,
                "groups": card.training_groups,
                "melanomas": card.training_melanomas,
                "archives": card.archives,
                "table_sha256": card.table_sha256,
                "teacher_sha256": card.teacher_sha256,
                "recipe": config.recipe,
                "seed": config.seed,
            },
            "settings": settings_to_tell(whole or config),
            "versions": {
                name: metadata.version(name) for name in ("lentigo", "torch", "timm")
            },
            "licence": ENGLISH["licence_ours"],
            "intended_use": INTENDED_USE,
        },
    )


def settings_to_tell(config: Config) -> dict[str, Any]:
    """Return the settings of a training without paths on the computer of the training."""
    told = config.model_dump(mode="json", exclude=_OWN_PLACES)
    places = {f"{part}.{name}" for part, names in _OWN_PLACES.items() for name in names}
    told["members"] = [
        {name: value for name, value in own.items() if name not in places}
        for own in told["members"]
    ]
    return told


def write_weights(network: nn.Module, path: Path) -> None:
    """Write the weights of `network` to `path` as safetensors, atomically."""
    state = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    with written_beside(path) as temporary:
        temporary.write_bytes(save(state, metadata={"format": "pt"}))


def member_of(network: Classifier, card: ModelCard, config: Config) -> Member:
    """Return the description of a network as `save_model_folder` writes it."""
    return Member.model_validate(_member(network, card, config))


def _member(network: Classifier, card: ModelCard, config: Config) -> dict[str, Any]:
    return {
        "name": card.name,
        "backbone": config.model.backbone,
        "backbone_args": config.model.backbone_args,
        "pooling": config.model.pooling,
        "hidden": config.model.hidden,
        "metadata": network.metadata and network.metadata.model_dump(mode="json"),
        "diagnoses": list(network.classes),
        "input": _input_spec(network, config),
        "logit_shift": card.logit_shift,
        "calibration": card.calibration.model_dump(mode="json"),
        "files": {"torch": WEIGHTS, **({"index": INDEX} if card.index else {})},
        "abstention": card.abstention and card.abstention.model_dump(mode="json"),
        "best_epoch": card.best_epoch,
        "validation_auc": _number(card.validation_auc),
        "cost": {"parameters": sum(each.numel() for each in network.parameters())},
    }


def _number(value: float) -> float | None:
    return value if value == value else None  # NaN is no number in JSON


def _input_spec(network: Classifier, config: Config) -> dict[str, Any]:
    return {
        "size": config.training.image_size,
        "channels": "RGB, 0 to 255, upright",
        "view": list(config.imaging.view),
        "mean": _values(network.mean),
        "std": _values(network.std),
        "store_size": config.imaging.size,
        "fit": config.imaging.fit,
        "max_pixels": config.imaging.max_pixels,
        "views": config.training.views,
    }


def _values(channels: torch.Tensor) -> list[float]:
    return [float(value) for value in channels.flatten().tolist()]
