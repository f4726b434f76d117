"""The files of `--weights`, from which the networks of a run start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lentigo.config import Config
from lentigo.errors import DatasetNotFoundError, ModelError
from lentigo.words import some


def check_weights(file: Path) -> None:
    """Raise an error if starting weights are a folder, or are not there."""
    if file.is_dir():
        inside = sorted(each.name for each in file.glob("*.safetensors"))
        raise ModelError(
            f"The weights {file} are a folder; give one of its files"
            + (f": {some(inside)}." if inside else ", as .safetensors.")
        )
    if not file.exists():
        raise DatasetNotFoundError(f"There is no weights file {file}.")


def without_backbones(config: Config) -> list[dict[str, Any]]:
    """Return the members of `config`, each without a backbone of its own."""
    return [
        {name: value for name, value in own.items() if name != "model.backbone"}
        for own in config.members
    ]


def each_from_its_own(config: Config, weights: list[Path]) -> list[dict[str, Any]]:
    """Return the members of `config`, at least one per file of weights, each with its file.

    If there are more members than files, the files are used again from the first.
    """
    members = [dict(own) for own in config.members]
    members += [{} for _ in range(len(weights) - len(members))]
    return [
        {**own, "model.weights": str(weights[number % len(weights)].resolve())}
        for number, own in enumerate(members)
    ]
