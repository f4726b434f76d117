"""Read what a model folder says of itself (`model.json`); all of it is checked.

A folder comes from anybody. Its numbers are bounded as the settings of a training are, the
arguments of its network are those that settings may have, and of what it must not decide
(how large an image may be unpacked) it decides nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lentigo.config import ImagingConfig, ModelConfig
from lentigo.errors import (
    ConfigError,
    DatasetNotFoundError,
    ModelError,
    UnreadableFileError,
    mistake,
)
from lentigo.json_files import read_json_object
from lentigo.progress import log
from lentigo.run_layout import FIRST_FOLD, MODEL, FoldLayout, RunLayout
from lentigo.words import some

FORMAT = 1
DESCRIPTION, WEIGHTS = "model.json", "model.safetensors"
_LONGEST = 1_000_000
"""Bytes; ours have 2,000."""

Text = Annotated[str, Field(max_length=10_000)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Channels = Annotated[list[float], Field(min_length=1, max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class InputDescription(_Part):
    """The steps from an image to the network's input; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=32, le=1024)
    channels: Text = ""
    view: Annotated[list[Text], Field(min_length=1, max_length=32)] = ["rgb"]
    """Models older than the views know RGB alone."""
    mean: Channels
    std: Channels
    store_size: int = Field(ge=32, le=2048)
    fit: Literal["stretch", "crop", "pad"]
    max_pixels: int = Field(ge=1, le=10**12)
    mirror: bool

    def imaging(self) -> ImagingConfig:
        """The same as settings; a folder may lower the bound on pixels, never lift it."""
        most = ImagingConfig().max_pixels
        if self.max_pixels > most:
            log.info("Images of more than %d megapixels are refused.", most // 10**6)
        return ImagingConfig(
            size=self.store_size,
            fit=self.fit,
            max_pixels=min(self.max_pixels, most),
            view=tuple(self.view),
        )


class Description(_Part):
    """A model folder; what else a later version notes in it is let be."""

    format: int = Field(ge=1)
    backbone: Text
    backbone_args: dict[str, Any] = {}
    hidden: int = Field(ge=0, le=4096)
    input: InputDescription
    classes: Annotated[list[Text], Field(min_length=2, max_length=2)]
    output: Text = ""
    logit_shift: float = Field(ge=-100, le=100)
    weights_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    prevalence: Annotated[float, Field(ge=0, le=1)] | None = None
    training_images: Count | None = None
    training_groups: Count | None = None
    datasets: Annotated[list[Text], Field(max_length=10_000)] = []
    best_epoch: Count | None = None
    validation_auc: Annotated[float, Field(ge=0, le=1)] | None = None
    operating_points: Annotated[list[dict[str, Any]], Field(max_length=1000)] = []
    """Thresholds that were chosen on validation images."""

    @field_validator("classes")
    @classmethod
    def _the_second_is_melanoma(cls, given: list[str]) -> list[str]:
        if given[1] != "melanoma":
            raise ValueError("the second class is melanoma, whose probability is written")
        return given

    def model(self) -> ModelConfig:
        """The network as settings."""
        return ModelConfig(
            backbone=self.backbone,
            backbone_args=self.backbone_args,
            pretrained=False,
            hidden=self.hidden,
            mean=tuple(self.input.mean),
            std=tuple(self.input.std),
        )


def find_models(path: Path | str) -> list[Path]:
    """The model folders of a run folder (one a fold), or the one that was given.

    Raises `DatasetNotFoundError` where there is neither.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise DatasetNotFoundError(f"There is no run or model folder {folder}.")
    for place in (folder, FoldLayout(folder).model):
        if (place / DESCRIPTION).exists():
            return [place]
    models = [fold.model for fold in RunLayout(folder).folds()]
    found = [model for model in models if (model / DESCRIPTION).exists()]
    if not found:
        raise DatasetNotFoundError(
            f"{folder} holds no finished model: there is neither a {DESCRIPTION} nor a "
            f"{FIRST_FOLD}/{MODEL}. If its training was interrupted, go on with --resume."
        )
    return found


def read_description(folder: Path) -> Description:
    """Return what `folder` says of its model.

    Raises:
        DatasetNotFoundError: there is no `model.json`.
        ModelError: it is damaged, of a later format, or says what cannot be.
    """
    path = folder / DESCRIPTION
    if not path.exists():
        raise DatasetNotFoundError(
            f"{folder} is no model folder: it has no {DESCRIPTION}. Give a run folder of "
            f"'lentigo train', or the folder '{MODEL}' inside one."
        )
    try:
        content = read_json_object(path, most=_LONGEST)
        if type(found := content.get("format")) is int and found > FORMAT:
            raise ModelError(f"{path} was written by a later lentigo; upgrade to read it.")
        description = Description.model_validate(content)
        # Refused here what settings refuse: unknown views, arguments that open files …
        description.model()
        description.input.imaging()
    except UnreadableFileError as error:
        raise ModelError(str(error)) from error
    except ValidationError as error:
        raise _no_model(path, some([mistake(each) for each in error.errors()])) from error
    except ConfigError as error:
        raise _no_model(path, str(error).rstrip(".")) from error
    return description


def _no_model(path: Path, wrong: str) -> ModelError:
    return ModelError(
        f"{path} does not describe a model: {wrong}. Train again, or copy the folder again "
        "from where it came."
    )


def check_folder(folder: Path) -> None:
    """Refuse a model folder of which it shows without torch that it cannot be loaded.

    Raises what `read_description` raises, and `ModelError` where there are no weights.
    """
    read_description(folder)
    weights = folder / WEIGHTS
    if not weights.exists():
        raise ModelError(
            f"There is no weights file {weights}. Copy the folder again from where it came."
        )
