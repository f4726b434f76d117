"""Load a network of a model folder into torch: build it and load its weights."""

from __future__ import annotations

from pathlib import Path

import torch

from lentigo.config.views import INPUT_VIEWS
from lentigo.errors import ModelError
from lentigo.models.description import DESCRIPTION, checked_file, read_description
from lentigo.models.fusion import added_features
from lentigo.models.network import BUILD_ERRORS, Classifier, build_from, build_model
from lentigo.models.schema import Description, Member
from lentigo.models.torch_predictor import TorchPredictor
from lentigo.models.weights import Layout, misfits, read_layout, read_weights, some_names


def load_member(
    folder: Path, description: Description, member: Member, engine: str = "torch"
) -> TorchPredictor:
    """Load the network `member` of a model folder, on the CPU.

    First the header of the weights file is compared with `model.json`, then the SHA-256 of
    the file; only then is the network built.

    Raises `ModelError` if the file does not match, or if the network rejects a black image.
    """
    if member.files.torch is None:
        raise ModelError(f"{folder} has no file for the engine {engine}.")
    network = _network(folder, description, member)
    network.eval().to(memory_format=torch.channels_last)
    _check_looks(network, folder, size=member.input.size)
    return TorchPredictor.of(network, member)


def load_network(folder: Path) -> TorchPredictor:
    """Load the only network of a model folder; errors as in `load_member`."""
    description = read_description(folder)
    (member,) = description.members
    return load_member(folder, description, member)


def _network(folder: Path, description: Description, member: Member) -> Classifier:
    weights = folder / str(member.files.torch)
    layout = read_layout(weights)
    features = _features(layout, member)
    _check_fits(layout, member, weights, features=features)
    checked_file(folder, description, weights.name)
    view = tuple(member.input.imaging().view)
    return build_from(
        read_weights(weights),
        member.model(),
        view=view,
        features=features,
        classes=member.diagnoses,
        metadata=member.metadata,
    )


def _features(layout: dict[str, Layout], member: Member) -> int:
    """Return the number of image features in stored weights; 1 if there is no head."""
    first = layout.get("head.1.weight")
    taken = first.shape[1] if first and len(first.shape) == 2 else 1
    return max(taken - added_features(member.metadata), 1)


def _check_fits(
    layout: dict[str, Layout], member: Member, weights: Path, *, features: int
) -> None:
    """Raise `ModelError` if the header of the weights does not fit the described network.

    The network is built on torch's `meta` device, which takes no memory.
    """
    config, view = member.model(), member.input.imaging().view
    channels = sum(INPUT_VIEWS[name] for name in view)
    if {len(config.mean or ()), len(config.std or ())} - {3, channels}:
        raise ModelError(
            f"{weights.parent / DESCRIPTION}: mean and std have one number a channel, and "
            f"{' + '.join(view)} has {channels}."
        )
    with torch.device("meta"):
        outline = build_model(
            config, view=view, initial=False, features=features, classes=member.diagnoses,
            metadata=member.metadata,
        )  # fmt: skip
    wanted = outline.state_dict()
    wrong = sorted(set(layout) ^ set(wanted)) or misfits(layout, wanted, exactly=True)
    if wrong:
        raise ModelError(
            f"{weights} does not fit {DESCRIPTION}: of {len(wanted):,} weights "
            f"{len(wrong):,} are missing, too many, or have another shape or type "
            f"({some_names(wrong)}). Copy the folder again from where it came."
        )


def _check_looks(network: Classifier, folder: Path, *, size: int) -> None:
    """Raise `ModelError` if the network does not give one logit for a black image."""
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
