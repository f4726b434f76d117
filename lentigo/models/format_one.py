"""Convert the description (`model.json`) of a model folder from format 1 to format 2.

A folder of format 1 held one network, as torch weights only.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from lentigo.models.facts import Count, Share, Text
from lentigo.models.schema import Archive, InputDescription, Sha256

WEIGHTS = "model.safetensors"


class _FormatOne(BaseModel):
    """The fields of format 1; other fields in the file are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)

    format: int = Field(ge=1, le=1)
    backbone: Text
    backbone_args: dict[str, Any] = {}
    hidden: int = Field(ge=0, le=4096)
    input: InputDescription
    classes: Annotated[list[Text], Field(min_length=2, max_length=2)]
    output: Text = ""
    logit_shift: float = Field(ge=-100, le=100)
    weights_sha256: Sha256
    prevalence: Share | None = None
    training_images: Count | None = None
    training_groups: Count | None = None
    datasets: Annotated[list[Text], Field(max_length=10_000)] = []
    best_epoch: Count | None = None
    validation_auc: Share | None = None
    operating_points: Annotated[list[dict[str, Any]], Field(max_length=1000)] = []
    recipe: Text = ""
    seed: int | None = None
    versions: Annotated[dict[Text, Text], Field(max_length=100)] = {}
    licence: Text = ""
    intended_use: Text = ""


def as_format_two(content: dict[str, Any]) -> dict[str, Any]:
    """Return the description `content`, of format 1, in format 2.

    Raises `pydantic.ValidationError` if `content` is no valid description of format 1.
    """
    old = _FormatOne.model_validate(content)
    return {
        "format": 2,
        "members": [
            {
                "name": "fold-0",
                "backbone": old.backbone,
                "backbone_args": old.backbone_args,
                "hidden": old.hidden,
                "input": old.input.model_dump(),
                "logit_shift": old.logit_shift,
                "files": {"torch": WEIGHTS},
                "best_epoch": old.best_epoch,
                "validation_auc": old.validation_auc,
            }
        ],
        "classes": old.classes,
        "output": old.output,
        "prevalence": old.prevalence,
        "operating_points": old.operating_points,
        "training": {
            "images": old.training_images,
            "groups": old.training_groups,
            "archives": [Archive(name=name).model_dump() for name in old.datasets],
            "recipe": old.recipe,
            "seed": old.seed,
        },
        "versions": old.versions,
        "licence": old.licence,
        "intended_use": old.intended_use,
        "files": {WEIGHTS: {"sha256": old.weights_sha256}},
    }
