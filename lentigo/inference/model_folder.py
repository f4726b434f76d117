"""The model folder: weights, and how to use them. Loading runs no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import save
from torch import nn

from lentigo.config import Config, ImagingConfig, ModelConfig
from lentigo.errors import DatasetNotFoundError, ModelError, some
from lentigo.files import digest, read_json, write_json, written_beside
from lentigo.imaging.resize import Fit
from lentigo.modeling.backbone import Classifier, build_model, read_weights

FORMAT = 1
NOTICE = (
    "Research software, not a medical device. Do not use it to diagnose, to treat, or to "
    "decide whether somebody should see a doctor."
)


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What training tells about a model."""

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


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A network with the way its images have to be prepared."""

    network: Classifier
    store_size: int
    """Side of the square that a file is first brought to, in pixels."""
    fit: Fit
    """How a rectangle becomes that square; see `ImagingConfig.fit`."""
    max_pixels: int
    image_size: int
    """Side of the square that the network sees, in pixels."""
    view: tuple[str, ...]
    """What it is shown of that square; see `ImagingConfig.view`."""
    mirror: bool
    logit_shift: float
    operating_points: tuple[Mapping[str, Any], ...] = ()
    """Thresholds chosen on validation images, with what they find on held-out ones."""


def save_model_folder(
    network: nn.Module, folder: Path, *, card: ModelCard, config: Config
) -> None:
    """Write `model.safetensors` and `model.json` into `folder`."""
    weights = folder / "model.safetensors"
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
        "intended_use": NOTICE,
    }
    # Last: a folder with a model.json is whole.
    write_json(folder / "model.json", description)


def write_weights(network: nn.Module, path: Path) -> None:
    """Write the weights of `network` as safetensors, whole or not at all."""
    state = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    with written_beside(path) as temporary:
        temporary.write_bytes(save(state, metadata={"format": "pt"}))


def load_model_folder(folder: Path) -> LoadedModel:
    """Read back what `save_model_folder` wrote, ready for a CPU.

    Raises:
        DatasetNotFoundError: there is no `model.json`.
        ModelError: the description or the weights are damaged or of a later format.
    """
    path = folder / "model.json"
    if not path.is_file():
        raise DatasetNotFoundError(
            f"{folder} is no model folder: it has no model.json. Give a run folder of "
            "'lentigo train', or the folder 'model' inside one."
        )
    try:
        description = read_json(path)
        if description["format"] > FORMAT:
            raise ModelError(f"{path} was written by a later lentigo; upgrade to read it.")
        return _build(description, folder)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise ModelError(
            f"{path} is damaged ({type(error).__name__}: {error}). Train again, or copy "
            "the folder again from where it came."
        ) from error


def _build(description: dict[str, Any], folder: Path) -> LoadedModel:
    spec = description["input"]
    config = ModelConfig(
        backbone=description["backbone"],
        backbone_args=description["backbone_args"],
        hidden=description["hidden"],
        mean=tuple(spec["mean"]),
        std=tuple(spec["std"]),
    )
    # Models older than the views know RGB alone.
    imaging = ImagingConfig(view=spec.get("view", "rgb"))
    network = build_model(config, view=imaging.view, initial=False)
    state = read_weights(folder / "model.safetensors")
    wrong = set(state) ^ set(network.state_dict())
    if wrong:
        raise ModelError(
            f"{folder}/model.safetensors does not fit model.json: {some(sorted(wrong))}."
        )
    network.load_state_dict(state)
    network.eval().to(memory_format=torch.channels_last)
    return LoadedModel(
        network=network,
        store_size=int(spec["store_size"]),
        fit=spec["fit"],
        max_pixels=int(spec["max_pixels"]),
        image_size=int(spec["size"]),
        view=imaging.view,
        mirror=bool(spec["mirror"]),
        logit_shift=float(description["logit_shift"]),
        # Models older than the thresholds have none.
        operating_points=tuple(description.get("operating_points", ())),
    )


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
