"""The model folder: weights, and how to use them. Loading runs no code."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from lentigo.config import Config, ModelConfig
from lentigo.config.views import INPUT_VIEWS
from lentigo.errors import ModelError
from lentigo.files import digest, written_beside
from lentigo.json_files import write_json
from lentigo.models.description import (
    DESCRIPTION,
    FORMAT,
    WEIGHTS,
    Description,
    read_description,
)
from lentigo.models.network import BUILD_ERRORS, Classifier, build_from, build_model
from lentigo.models.torch_predictor import TorchPredictor
from lentigo.models.weights import Layout, misfits, read_layout, read_weights, some_names
from lentigo.notice import RESEARCH_ONLY

_INTENDED_USE = (
    f"{RESEARCH_ONLY} Do not use it to diagnose, to treat, or to decide whether somebody "
    "should see a doctor."
)


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Facts about a model from its training: data, prevalence, AUC, operating points."""

    logit_shift: float
    """What is subtracted from the network's logit so that it means a probability."""
    prevalence: float
    """Share of melanoma among the training images; the probabilities are meant for it."""
    training_images: int
    training_groups: int
    datasets: list[str]
    best_epoch: int
    validation_auc: float
    operating_points: list[dict[str, Any]] = field(default_factory=list)
    """Thresholds chosen on validation images, with what they find on held-out ones."""


def save_model_folder(
    network: nn.Module, folder: Path, *, card: ModelCard, config: Config
) -> None:
    """Write `model.safetensors` and `model.json` into `folder`."""
    weights = folder / WEIGHTS
    write_weights(network, weights)
    description = {
        "format": FORMAT,
        "backbone": config.model.backbone,
        "backbone_args": config.model.backbone_args,
        "hidden": config.model.hidden,
        "input": _input_spec(network, config),
        "classes": ["not melanoma", "melanoma"],
        "output": "logit of melanoma; subtract logit_shift, then the logistic function",
        **asdict(card),
        "recipe": config.recipe,
        "seed": config.seed,
        "weights_sha256": digest(weights),
        "versions": {name: metadata.version(name) for name in ("lentigo", "torch", "timm")},
        "licence": "that of the training images and of the starting weights",
        "intended_use": _INTENDED_USE,
    }
    # Last: a folder with a model.json is whole.
    write_json(folder / DESCRIPTION, description)


def write_weights(network: nn.Module, path: Path) -> None:
    """Write the weights of `network` as safetensors, whole or not at all."""
    state = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    with written_beside(path) as temporary:
        temporary.write_bytes(save(state, metadata={"format": "pt"}))


def load_model_folder(folder: Path) -> TorchPredictor:
    """Read back what `save_model_folder` wrote, ready for a CPU.

    Nothing is built before the description was checked and the header of the weights fits
    it, and nothing is believed before the bytes of the weights are those described.

    Raises:
        DatasetNotFoundError: there is no `model.json`.
        ModelError: the description or the weights are damaged or of a later format.
    """
    description = read_description(folder)
    imaging = description.input.imaging()
    network = _network(description, folder / WEIGHTS, view=imaging.view)
    network.eval().to(memory_format=torch.channels_last)
    _check_looks(network, folder, size=description.input.size)
    return TorchPredictor(
        network=network,
        store_size=imaging.size,
        fit=imaging.fit,
        max_pixels=imaging.max_pixels,
        image_size=description.input.size,
        view=imaging.view,
        mirror=description.input.mirror,
        logit_shift=description.logit_shift,
        operating_points=tuple(description.operating_points),
    )


def _network(
    description: Description, weights: Path, *, view: tuple[str, ...]
) -> Classifier:
    config, layout = description.model(), read_layout(weights)
    features = _features(layout)
    _check_fits(layout, config, weights, view=view, features=features)
    if digest(weights) != description.weights_sha256:
        raise ModelError(
            f"{weights} holds other weights than {DESCRIPTION} speaks of (their SHA-256 "
            "differs), so they were changed or damaged. Copy the folder again from where "
            "it came, or train again."
        )
    return build_from(read_weights(weights), config, view=view, features=features)


def _features(layout: dict[str, Layout]) -> int:
    """Return the input features of the head in stored weights; 1 where it has no head."""
    first = layout.get("head.1.weight")
    return max(first.shape[1], 1) if first and len(first.shape) == 2 else 1


def _check_fits(
    layout: dict[str, Layout],
    config: ModelConfig,
    weights: Path,
    *,
    view: tuple[str, ...],
    features: int,
) -> None:
    """Compare the header of the weights with an outline, which takes no memory."""
    channels = sum(INPUT_VIEWS[name] for name in view)
    if len(config.mean or ()) not in {3, channels} or len(config.std or ()) not in {
        3,
        channels,
    }:
        raise ModelError(
            f"{weights.parent / DESCRIPTION}: mean and std have one number a channel, and "
            f"{' + '.join(view)} has {channels}."
        )
    with torch.device("meta"):
        outline = build_model(config, view=view, initial=False, features=features)
    wanted = outline.state_dict()
    wrong = sorted(set(layout) ^ set(wanted)) or misfits(layout, wanted, exactly=True)
    if wrong:
        raise ModelError(
            f"{weights} does not fit {DESCRIPTION}: of {len(wanted):,} weights "
            f"{len(wrong):,} are missing, too many, or have another shape or type "
            f"({some_names(wrong)}). Copy the folder again from where it came."
        )


def _check_looks(network: Classifier, folder: Path, *, size: int) -> None:
    """Let the network look at a black image, as it will at others."""
    image = torch.zeros(1, network.channels, size, size, dtype=torch.uint8)
    try:
        with torch.inference_mode():
            shape = tuple(network(image).shape)
    except BUILD_ERRORS as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(
            f"{folder / DESCRIPTION}: its network takes no images of {size} pixels "
            f"({reason}). Train again with a size that it takes."
        ) from error
    if shape != (1,):
        raise ModelError(f"{folder / DESCRIPTION}: its network gives no logit an image.")


def _input_spec(network: nn.Module, config: Config) -> dict[str, Any]:
    if not isinstance(network, Classifier):
        raise TypeError(f"Only a Classifier can be saved, not a {type(network).__name__}.")
    return {
        "size": config.training.image_size,
        "channels": "RGB, 0 to 255, upright",
        "view": list(config.imaging.view),
        "mean": network.mean.flatten().tolist(),
        "std": network.std.flatten().tolist(),
        "store_size": config.imaging.size,
        "fit": config.imaging.fit,
        "max_pixels": config.imaging.max_pixels,
        "mirror": config.training.flip_predictions,
    }
