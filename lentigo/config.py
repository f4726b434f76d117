"""Frozen, typed settings of every stage, refused at birth if senseless.

A run is described by one `Config`. `lentigo.recipes` holds named ones; `--set a.b=c` on
the command line and `with_settings` in Python change single fields; `config.yaml` in a
run folder is the one that was used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from lentigo.errors import (
    ConfigError,
    DatasetNotFoundError,
    UnreadableFileError,
    mistake,
    unknown_name,
)
from lentigo.files import read_bytes
from lentigo.run_layout import CONFIG
from lentigo.timm_arguments import check_arguments, check_backbone
from lentigo.visible import shortened

INPUT_VIEWS: Mapping[str, int] = {
    "rgb": 3,
    "gray": 1,
    "hls": 3,
    "hsv": 3,
    "lab": 3,
    "gaussian_blur": 3,
    "hsv_blur": 3,
    "local_mean": 3,
    "hsv_local_mean": 3,
    "clahe": 3,
    "shades_of_gray": 3,
    "max_rgb": 3,
    "dullrazor": 3,
    "crop_frame": 3,
    "melanin": 1,
    "haemoglobin": 1,
}
"""Channels of each view that a network can be shown; `lentigo.imaging.views` makes them."""


class _Settings(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, given: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if isinstance(given, bool) and field.annotation is not bool:
            raise ValueError("true and false are no value for it")
        return given


class SplitConfig(_Settings):
    """How lesions are divided; a group (patient, else lesion) is never on both sides."""

    folds: int | None = Field(default=None, ge=2, le=100)
    """Parts that the groups are dealt into; one part is held out to judge a model. By
    default as many as `--folds` holds out, and 5 where that is one."""
    validation: float = Field(default=0.125, gt=0, lt=0.5)
    """Share of what is not held out that chooses the best epoch."""
    near_duplicates: bool = True
    """Merge the groups of near-identical images (found by hash, confirmed on pixels)."""

    def parts(self, held_out: int = 1) -> int:
        """Into how many parts the groups are dealt when `held_out` of them are held out."""
        return self.folds or (held_out if held_out > 1 else 5)


class ImagingConfig(_Settings):
    """How image files become the pixel store."""

    size: int = Field(default=256, ge=32, le=2048)
    """Side of the stored square, in pixels."""
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    """How a rectangle becomes a square: `stretch` keeps all of the lesion but not its
    proportions, `crop` keeps the middle, `pad` adds black."""
    max_pixels: int = Field(default=100_000_000, ge=1, le=250_000_000)
    """Larger images (width times height) are refused before they are decoded."""
    store: Path | None = None
    """Folder of the pixel store; by default `pixels` in the run folder. Share one between
    runs to decode the images only once."""
    workers: int = Field(default=0, ge=0, le=1024)
    """Processes that decode; 0 means one a core."""
    shard_mb: int = Field(default=4000, ge=100, le=100_000)
    """Largest file of the pixel store, in MB; a larger store is several files of at most
    this size, which FAT disks and most object stores take whole."""
    view: tuple[str, ...] = ("rgb",)
    """What the network is shown of each image, one name or several that are stacked as
    channels (`lentigo list views`). Made of the augmented image, so the store stays RGB."""

    @field_validator("view", mode="before")
    @classmethod
    def _known_views(cls, given: Any) -> tuple[str, ...]:
        names = (given,) if isinstance(given, str) else given
        listed = isinstance(names, list | tuple) and len(names) > 0
        if not listed or not all(isinstance(name, str) for name in names):
            raise ValueError("give the name of a view, or a list of names")
        views = tuple(name.strip().lower().replace("-", "_") for name in names)
        for name, view in zip(names, views, strict=True):
            if view not in INPUT_VIEWS:
                raise ValueError(str(unknown_name("view", name, INPUT_VIEWS)).rstrip("."))
        if len(set(views)) < len(views):
            raise ValueError("the same view twice tells the network nothing more")
        return views


_Mean = Annotated[float, Field(ge=-1000, le=1000)]
_Std = Annotated[float, Field(ge=1e-6, le=1000)]


class ModelConfig(_Settings):
    """The network: a timm backbone, global average pooling, and a head of one logit."""

    backbone: str = "legacy_xception"
    """A timm model name (`lentigo list backbones`)."""
    pretrained: bool = True
    """Start from timm's own weights, which are fetched once from their hub."""
    weights: Path | None = None
    """A safetensors file to start from instead. If it is named after a timm model, that
    model becomes the backbone, unless `backbone` was given too."""
    backbone_args: dict[str, Any] = Field(default_factory=dict)
    """More arguments for the timm model, such as `pad_type: same` or `img_size: 224`; those
    that could open a file or the network are refused."""
    mean: tuple[_Mean, ...] | None = Field(default=None, min_length=1, max_length=64)
    """Subtracted from each channel scaled to 0–1; by default what the weights expect. Of
    three numbers, each view in `imaging.view` of three channels takes all, one of a single
    channel their mean; otherwise give one number a channel."""
    std: tuple[_Std, ...] | None = Field(default=None, min_length=1, max_length=64)
    """Divides each channel afterwards; as `mean`."""
    hidden: int = Field(default=0, ge=0, le=4096)
    """Units of the dense (ReLU) layer between pooling and output; 0 is a linear head."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the pooled features dropped while training."""

    @field_validator("backbone")
    @classmethod
    def _backbone_is_a_name(cls, given: str) -> str:
        return check_backbone(given)

    @field_validator("backbone_args")
    @classmethod
    def _harmless_arguments(cls, given: dict[str, Any]) -> dict[str, Any]:
        return check_arguments(given)


class AugmentConfig(_Settings):
    """How a training image is varied: one warp and one colour change."""

    flip: bool = True
    """Mirror left–right half of the time (and top–bottom, if `rotate` is on)."""
    rotate: float = Field(default=0.0, ge=0, le=180)
    """Largest rotation either way, in degrees."""
    scale: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative zoom either way: 0.2 is 1/1.2 to 1.2 times."""
    stretch: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of the proportions."""
    shift: float = Field(default=0.0, ge=0, lt=1)
    """Largest shift, as a share of the side."""
    brightness: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of brightness."""
    contrast: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of contrast."""
    saturation: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of saturation."""
    hue: float = Field(default=0.0, ge=0, le=180)
    """Largest turn of the hue, in degrees."""
    blur: float = Field(default=0.0, ge=0, le=20)
    """Largest standard deviation of a Gaussian blur, in pixels; a third of the time."""


class TrainConfig(_Settings):
    """How the network learns."""

    method: Literal["gradient", "logistic"] = "gradient"
    """`gradient` trains by back-propagation; `logistic` fits only a logistic head on the
    features of the untouched backbone."""
    image_size: int = Field(default=256, ge=32, le=1024)
    """Side of the square that the network sees, in pixels."""
    epochs: int = Field(default=5, ge=1, le=100_000)
    """Most epochs of training, the frozen ones included."""
    frozen_epochs: int = Field(default=0, ge=0)
    """Epochs in which only the head learns."""
    epoch_images: int | None = Field(default=None, ge=2, le=10**9)
    """Draw at most so many images an epoch (in passes over the whole set); by default, and
    in a smaller set, each one once."""
    batch_size: int = Field(default=32, ge=2, le=65_536)
    """Images a step, over all devices together."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    """Kind of optimiser."""
    learning_rate: float = Field(default=1e-3, gt=0, le=10_000)
    """Highest learning rate of the head."""
    backbone_rate: float = Field(default=1.0, gt=0, le=1)
    """Learning rate of the backbone as a share of the head's."""
    weight_decay: float = Field(default=0.0, ge=0, le=100)
    """Decoupled weight decay (for `adamw`) or L2 penalty (for the others)."""
    schedule: Literal["constant", "exponential", "cosine"] = "cosine"
    """`exponential` divides the rate by ten every `decay_epochs`; `cosine` warms up and
    falls to zero at the last step."""
    decay_epochs: float = Field(default=20.0, ge=1e-3, le=1e6)
    """Epochs in which the exponential schedule divides the rate by ten."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the cosine schedule warms up."""
    imbalance: Literal["none", "bias", "class_weights", "oversample"] = "bias"
    """What is done about the rarity of melanoma: start the output bias at its share
    (`bias`), weigh the classes alike in the loss, or draw the classes alike. The shift
    that the last two put into the output is taken out again afterwards."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """How far a label is pulled from 0 or 1."""
    average: float = Field(default=0.0, ge=0, lt=1)
    """Decay of a moving average of the weights, which is then what is judged and kept;
    0 keeps none."""
    patience: int = Field(default=0, ge=0)
    """Stop when the validation AUC has not risen for so many epochs; 0 never stops."""
    monitor: Literal["auc", "loss"] = "auc"
    """What on the validation images says which epoch is the best one."""
    flip_predictions: bool = True
    """Judge the mean over the image and its mirror image."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Kind of device."""
    devices: int = Field(default=1, ge=1, le=1024)
    """Devices on each node."""
    nodes: int = Field(default=1, ge=1, le=10_000)
    """Machines; start the same command on each with torchrun."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Arithmetic; `auto` tries a few steps and takes the faster one."""
    workers: int | None = Field(default=None, ge=0, le=1024)
    """Processes that prepare batches; by default none on a CPU, at most 8 on a GPU."""

    @model_validator(mode="after")
    def _frozen_within_epochs(self) -> Self:
        if self.frozen_epochs > self.epochs:
            raise ValueError(
                f"frozen_epochs is {self.frozen_epochs}, more than the {self.epochs} epochs"
            )
        if self.patience >= self.epochs:
            raise ValueError(
                f"patience {self.patience} can never stop a run of {self.epochs} epochs; "
                "give fewer, or 0 for no early stopping"
            )
        return self


class EvaluationConfig(_Settings):
    """How predictions are judged."""

    threshold: float = Field(default=0.5, ge=0, le=1)
    """Call melanoma from this probability upwards."""
    repeats: int = Field(default=2000, ge=10, le=1_000_000)
    """Resamples of whole groups behind each interval."""
    baseline: tuple[str, ...] = ("age", "sex", "site")
    """Columns that the metadata-only baseline may use."""


class AuditConfig(_Settings):
    """How a set of images is looked through (`lentigo audit`)."""

    by: str | None = None
    """Column that says which side of a split an image is on; by default the first
    of `role`, `split`, `part`, `fold` … that divides them."""
    allow: tuple[str, ...] = ()
    """Checks (`lentigo list checks`) whose refusals are shown but do not count."""
    pixels: Path | None = None
    """Pixel store to look at, built if it is not there; by default `pixels` in the folder
    of the audit."""
    images: Path | None = None
    """Folder of the images of CSVs, by default where each lies."""
    keep: tuple[str, ...] = ()
    """Columns that the table of the audit keeps, beside those that lentigo knows."""
    columns: dict[str, str] = {}
    """Columns of CSVs, by our name, that are not guessed (`melanoma`: `target`)."""
    size: int = Field(default=256, ge=64, le=1024)
    """Side of the squares that are looked at, in pixels."""
    workers: int = Field(default=0, ge=0, le=1024)
    """Processes that decode and measure; 0 means one a core."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of the resampling behind the intervals."""


class Config(_Settings):
    """One run, whole."""

    recipe: str = "custom"
    """The recipe that this run started from."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of the split, the initial weights, the order and the augmentation."""
    split: SplitConfig = SplitConfig()
    imaging: ImagingConfig = ImagingConfig()
    model: ModelConfig = ModelConfig()
    augment: AugmentConfig = AugmentConfig()
    training: TrainConfig = TrainConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _logistic_head_is_linear(self) -> Self:
        if self.training.method == "logistic" and self.model.hidden:
            raise ValueError("training.method logistic needs a linear head: model.hidden=0")
        return self

    def to_yaml(self) -> str:
        """The settings as YAML, readable by `read_config`."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def with_settings(config: Config, settings: Mapping[str, Any]) -> Config:
    """A copy of `config` with `{"training.epochs": 3}`-like settings changed.

    Raises `ConfigError` for a field that does not exist (naming the nearest one) or a
    value that makes no sense.
    """
    tree = config.model_dump()
    for name, value in settings.items():
        _put(tree, name, value)
    return build_config(tree)


def build_config(tree: Mapping[str, Any]) -> Config:
    """A `Config` from a nested mapping, or a `ConfigError` that names every bad field."""
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        faults = [mistake(item) for item in error.errors()]
        more = f"; and {len(faults) - 5:,} more" if len(faults) > 5 else ""
        raise ConfigError("; ".join(faults[:5]) + more + ".") from None


def parse_settings(assignments: Sequence[str]) -> dict[str, Any]:
    """`["training.epochs=3"]` as `{"training.epochs": 3}`; values are read as YAML."""
    settings: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ConfigError(
                f"--set {assignment!r} has no '='; write it as --set training.epochs=3."
            )
        try:
            settings[name.strip()] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):  # also what looks like a date and is none
            settings[name.strip()] = value
        except RecursionError:
            raise ConfigError(f"--set {name.strip()} is nested too deeply.") from None
    return settings


def read_config(path: Path) -> Config:
    """The `Config` in a YAML file, such as a run folder's `config.yaml`."""
    if not path.is_file():
        raise DatasetNotFoundError(f"There is no settings file {path}.")
    try:
        tree = yaml.safe_load(read_bytes(path, most=1_000_000).decode("utf-8"))
    except UnreadableFileError as error:
        raise ConfigError(str(error)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]  # told over several lines
        raise ConfigError(f"{path} is not readable as YAML: {reason}.") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} holds no settings; see {CONFIG} in any run folder.")
    return build_config(tree)


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    *sections, field = name.split(".")
    place: Any = tree
    for section in sections:
        place = place.get(section) if isinstance(place, dict) else None
    # Arguments of the backbone are timm's to know; every other field is ours.
    free = sections[-1:] == ["backbone_args"]
    if not isinstance(place, dict) or (field not in place and not free):
        known = list(_fields(tree))
        near = " or ".join(get_close_matches(name, known, n=3, cutoff=0.5))
        hint = f"Did you mean {near}?" if near else f"Known: {', '.join(known)}."
        raise ConfigError(f"There is no setting called {shortened(name)!r}. {hint}")
    place[field] = value


def _fields(tree: Mapping[str, Any], prefix: str = "") -> list[str]:
    names = []
    for key, value in tree.items():
        nested = isinstance(value, dict) and key != "backbone_args"
        names += _fields(value, f"{prefix}{key}.") if nested else [prefix + key]
    return names
