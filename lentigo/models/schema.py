"""The allowed content of `model.json` in a model folder (format 2), checked on reading.

A folder may come from anybody. So its numbers have the same bounds as the settings of a
training, the arguments of its network are those that settings may have, its files must lie
in the folder itself, and it cannot raise the limit on the pixels of an image.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from lentigo.config import ImagingConfig, ModelConfig
from lentigo.models.abstention import Abstention
from lentigo.models.calibration import Calibration
from lentigo.models.conformal import ConformalSets
from lentigo.models.context import Context
from lentigo.models.facts import Count, Fact, Share, Text
from lentigo.models.metadata import MetadataEncoding
from lentigo.progress import log

FORMAT = 2

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,80}(\.[a-z0-9]{1,12}){1,2}$")
]
"""Name of a file that lies in the model folder itself, in no folder below."""
Channels = Annotated[list[float], Field(min_length=1, max_length=64)]


class InputDescription(Fact):
    """The steps from an image to the network's input."""

    size: int = Field(ge=32, le=1024)
    """Side of the square that the network sees, in pixels."""
    channels: Text = ""
    """In words, the channels and values of the image before `view`, such as "RGB, 0 to
    255"."""
    view: Annotated[list[Text], Field(min_length=1, max_length=32)] = Field(
        default_factory=lambda: ["rgb"]
    )
    """Views stacked as channels; see `ImagingConfig.view`."""
    mean: Channels
    std: Channels
    """Standard deviation of each channel, scaled to 0–1; `mean` holds the means."""
    store_size: int = Field(ge=32, le=2048)
    """Side of the square that a file is first brought to, in pixels."""
    fit: Literal["stretch", "crop", "pad"]
    """How a rectangular image becomes square; see `ImagingConfig.fit`."""
    max_pixels: int = Field(ge=1, le=10**12)
    """A file of more pixels is refused."""
    views: Literal[1, 2, 8]
    """Over how many views of the image an answer is the mean: 2 with its mirror image, 8
    also turned. Older folders say `mirror`, false or true, for 1 or 2."""

    @model_validator(mode="before")
    @classmethod
    def _mirror_is_two_views(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("mirror"), bool):
            return given
        kept = {name: value for name, value in given.items() if name != "mirror"}
        return {"views": 2 if given["mirror"] else 1, **kept}

    def imaging(self) -> ImagingConfig:
        """Return the steps as settings; `max_pixels` may lower our limit, not raise it."""
        most = ImagingConfig().max_pixels
        if self.max_pixels > most:
            log.info("Images of more than %d megapixels are refused.", most // 10**6)
        return ImagingConfig(
            size=self.store_size,
            fit=self.fit,
            max_pixels=min(self.max_pixels, most),
            view=tuple(self.view),
        )


class MemberFiles(Fact):
    """Files of one network for several engines; at least one of them is given."""

    torch: FileName | None = None
    """Weights as safetensors."""
    onnx: FileName | None = None
    """The whole network as ONNX: `images` (N, C, S, S) `uint8`, and with a metadata
    encoding `metadata` (N, M) `float32`, to logits (N,). Where it tells diagnoses apart,
    also to the logarithm of the share of each of the others among what is no melanoma,
    (N, D)."""
    onnx_int8: FileName | None = None
    """The ONNX network in 8-bit whole numbers, whose logits differ a little."""
    index: FileName | None = None
    """Features of the training images, without the images; see `models.index`."""

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not any((self.torch, self.onnx, self.onnx_int8)):
            raise ValueError("a member has no file")
        return self


class Cost(Fact):
    """Cost of one pass of the network over one image."""

    parameters: Count
    """Number of the network's weights."""
    multiply_adds: Count | None = None
    """Multiplications, each with an addition, of one pass over one image."""
    images_a_second: Annotated[
        dict[Text, Annotated[float, Field(ge=0, le=1e9)]], Field(max_length=64)
    ] = Field(default_factory=dict)
    """Speed by engine and cores (`onnx, 1 core`) on the machine of the export."""


class Member(Fact):
    """One network of a model folder."""

    name: Text
    """Name of the network, such as `fold-0`."""
    backbone: Text
    """A timm model name."""
    backbone_args: dict[str, Any] = Field(default_factory=dict)
    """Further arguments for timm's builder of the backbone."""
    pooling: Literal["average", "gem"] = "average"
    """How the features of all places become one row; see `ModelConfig.pooling`."""
    hidden: int = Field(ge=0, le=4096)
    """Units of the dense layer before the last one; 0 for no such layer."""
    metadata: MetadataEncoding | None = None
    """How age, sex and site become numbers, and how the network takes them; None where it
    takes the image alone."""
    diagnoses: Annotated[list[Text], Field(max_length=1000)] = Field(default_factory=list)
    """The classes that its last layer tells apart, melanoma among them; none where it
    gives one logit of melanoma."""
    input: InputDescription
    logit_shift: float = Field(ge=-100, le=100)
    """Number subtracted from the network's logit before it becomes a probability."""
    calibration: Calibration = Calibration()
    """Calibration of the network's own logits, after the shift."""
    files: MemberFiles
    best_epoch: Count | None = None
    """Number, from 1, of the epoch of the training whose weights were kept."""
    validation_auc: Share | None = None
    """AUC on the validation images in this epoch; it chose the epoch, so it is too high."""
    cost: Cost | None = None
    abstention: Abstention | None = None
    """The rule by which the network abstains; None in folders without an index."""

    @field_validator("diagnoses")
    @classmethod
    def _melanoma_and_others(cls, given: list[str]) -> list[str]:
        twice = len(set(given)) < len(given)
        if given and (twice or len(given) < 2 or "melanoma" not in given):
            raise ValueError("melanoma is one of several diagnoses, each named once")
        return given

    @property
    def others(self) -> tuple[str, ...]:
        """The diagnoses beside melanoma."""
        return tuple(name for name in self.diagnoses if name != "melanoma")

    def model(self) -> ModelConfig:
        """Return the network as settings, without timm's weights."""
        return ModelConfig(
            backbone=self.backbone,
            backbone_args=self.backbone_args,
            pretrained=False,
            pooling=self.pooling,
            hidden=self.hidden,
            metadata="none" if self.metadata is None else self.metadata.fusion,
            mean=tuple(self.input.mean),
            std=tuple(self.input.std),
        )


class Archive(Fact):
    """A data set of the training, with its licence and citation."""

    name: Text
    licence: Text = ""
    citation: Text = ""


class Training(Fact):
    """Data, recipe and seed with which the members were trained."""

    images: Count | None = None
    """Number of training images; `melanomas`: melanomas among them."""
    groups: Count | None = None
    """Number of groups (patients, lesions or single images) that no split divides."""
    melanomas: Count | None = None
    archives: Annotated[list[Archive], Field(max_length=10_000)] = Field(
        default_factory=list
    )
    """The data sets of the training images."""
    table_sha256: Sha256 | None = None
    """Digest of the ids, groups and labels; see `lentigo.training.run`."""
    teacher_sha256: Sha256 | None = None
    """Digest of the `model.json` of the model that taught this one (`training.teacher`)."""
    recipe: Text = ""
    seed: int | None = None


class FileFacts(Fact):
    """Digest and size by which a file of the model folder is checked."""

    sha256: Sha256
    """SHA-256 of the bytes of the file, as 64 hexadecimal digits."""
    bytes: Annotated[int, Field(ge=0, le=2**40)] | None = None
    """Size of the file in bytes; None where it was not recorded."""


class Description(Fact):
    """A model folder: one or several networks, whose mean logit is the result."""

    format: Literal[2]
    members: Annotated[list[Member], Field(min_length=1, max_length=100)]
    classes: Annotated[list[Text], Field(min_length=2, max_length=2)]
    """The two classes: any other lesion, and melanoma."""
    output: Text = ""
    """In words, what a network's output is and how it becomes a probability."""
    prevalence: Share | None = None
    """Share of melanoma that the probabilities are meant for."""
    calibration: Calibration = Calibration()
    """Calibration of the members' mean logit, after that of each member."""
    context: Annotated[list[Context], Field(max_length=100)] = Field(default_factory=list)
    """The change of the mean logit by a patient's other lesions, before `calibration`: one
    entry for the first `members` networks, one for the next, …; empty if none."""
    abstention: Abstention | None = None
    """The rule by which the members together abstain: the limit of their mean
    out-of-distribution score, and of their disagreement; None if no images set it."""
    conformal: ConformalSets | None = None
    """Limits of the prediction sets; None where no image was predicted without it."""
    operating_points: Annotated[list[dict[str, Any]], Field(max_length=1000)] = Field(
        default_factory=list
    )
    """Thresholds that were chosen on validation images."""
    training: Training = Training()
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the training."""
    versions: Annotated[dict[Text, Text], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Name of a library → its version at the training."""
    licence: Text = ""
    intended_use: Text = ""
    files: Annotated[dict[FileName, FileFacts], Field(max_length=1000)]
    """Name of each file of the folder → its digest and size."""

    @field_validator("classes")
    @classmethod
    def _the_second_is_melanoma(cls, given: list[str]) -> list[str]:
        if given[1] != "melanoma":
            raise ValueError("the second class is melanoma, whose probability is written")
        return given

    @model_validator(mode="after")
    def _context_is_of_each_member(self) -> Self:
        told = sum(each.members for each in self.context)
        if self.context and told != len(self.members):
            raise ValueError(f"context is of {told} networks, not of {len(self.members)}")
        return self

    @model_validator(mode="after")
    def _each_network_has_its_own_file(self) -> Self:
        # One file named a hundred times would be read, and kept in memory, as often.
        given = [each.files for each in self.members]
        names = [n for f in given for n in (f.torch, f.onnx, f.onnx_int8) if n is not None]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is the file of several networks")
        return self

    @model_validator(mode="after")
    def _each_file_is_known(self) -> Self:
        for member in self.members:
            for name in member.files.model_dump().values():
                if name is not None and name not in self.files:
                    raise ValueError(f"files says nothing of {name}")
        return self
