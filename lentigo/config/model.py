"""Settings of the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from lentigo.config.settings import Settings
from lentigo.timm_arguments import check_arguments, check_backbone

_Mean = Annotated[float, Field(ge=-1000, le=1000)]
_Std = Annotated[float, Field(ge=1e-6, le=1000)]


class ModelConfig(Settings):
    """The network: a timm backbone, global average pooling, and a head."""

    backbone: str = "legacy_xception"
    """A timm model name (`lentigo list backbones`)."""
    pretrained: bool = True
    """Start from timm's pretrained weights, which are downloaded once."""
    weights: Path | None = None
    """A safetensors file with other weights to start from. If it is named after a timm
    model, that model becomes the backbone, unless `backbone` was given too."""
    backbone_args: dict[str, Any] = Field(default_factory=dict)
    """Further arguments of the timm model, such as `pad_type: same` or `img_size: 224`;
    those that could open a file or a network connection are refused."""
    mean: tuple[_Mean, ...] | None = Field(default=None, min_length=1, max_length=64)
    """Value subtracted from each channel, which is first scaled to 0–1; by default the one
    that the weights expect. Three numbers serve all views in `imaging.view`: a view of
    three channels uses all three, a view of one channel uses their mean. Otherwise give one
    number per channel."""
    std: tuple[_Std, ...] | None = Field(default=None, min_length=1, max_length=64)
    """Value by which each channel is divided after `mean` is subtracted; three numbers or
    one per channel, as for `mean`."""
    pooling: Literal["average", "gem"] = "average"
    """How the features of all positions become one vector: their mean, as in timm, or their
    generalised mean with a learnt exponent (GeM)."""
    hidden: int = Field(default=0, ge=0, le=4096)
    """Units of a dense layer (ReLU) between pooling and output; 0 is a linear head."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the pooled features that are set to zero at random in training."""
    dropout_samples: int = Field(default=1, ge=1, le=64)
    """How many times dropout is drawn for each image in a step; the losses are averaged
    (multi-sample dropout)."""

    lora_rank: int = Field(default=0, ge=0, le=256)
    """With a rank above 0 the backbone, a transformer, stays frozen, and low-rank changes
    of its attention are learnt (LoRA); they are added to its weights before it is saved."""
    lora_alpha: float = Field(default=16.0, gt=0, le=1024)
    """The low-rank changes are multiplied by this number, divided by their rank."""

    metadata: Literal["none", "auto", "late", "film"] = "none"
    """Whether the network uses age, sex and site of the patient beside the image. A dense
    layer turns them into features: `late` appends these to the pooled image features,
    `film` scales and shifts the image features by them. Values may be missing. `auto` is
    `late` with those of the three that at least half of the images of each data set have,
    and `none` if there are none: where one data set lacks a field, that it is missing would
    tell the network which data set it is."""
    metadata_dropout: float = Field(default=0.3, ge=0, lt=1)
    """Share of the training images that are shown as if nothing was known of the patient,
    drawn anew in each epoch, so that the network learns to answer without."""

    context: bool = False
    """Whether an answer also counts the logits of the same patient's other lesions. What
    they add is fitted on the validation images once the networks of a fold are trained, and
    used only if it helps there; a patient with one lesion gets the networks' own answer."""

    @property
    def needs_metadata(self) -> bool:
        """Tell whether the network cannot be trained without age, sex and site."""
        return self.metadata not in {"none", "auto"}

    @field_validator("backbone")
    @classmethod
    def _backbone_is_a_name(cls, given: str) -> str:
        return check_backbone(given)

    @field_validator("backbone_args")
    @classmethod
    def _harmless_arguments(cls, given: dict[str, Any]) -> dict[str, Any]:
        return check_arguments(given)
