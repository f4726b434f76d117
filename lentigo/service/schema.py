"""The answers of the service, as its OpenAPI document describes them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from lentigo.models.facts import Measured
from lentigo.notice import NOTICE


class _Answer(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class ModelName(_Answer):
    """Which model answered."""

    name: str
    version: str
    """Digest of its description; it changes with its weights, calibration or thresholds."""
    engine: str


class Judged(_Answer):
    """What is said of an image or of a lesion."""

    probability: float | None
    """Probability of melanoma, 0 to 1; null where there is none."""
    logit: float | None
    """Log-odds of that probability."""
    call: str
    """`melanoma` or `not melanoma`; empty where nothing is called."""
    diagnoses: dict[str, float] = Field(default_factory=dict)
    """Probability of each diagnosis that the model tells apart, melanoma among them."""
    abstain: str = ""
    """`yes` for what is too strange to the model to be judged; empty where not known."""
    strangeness: float | None = None
    """How strange it is to the model; 1 is the limit, null where not known."""
    reason: str
    """Why there is no probability, or why it is to be doubted; empty for most."""


class ImageAnswer(Judged):
    """What is said of one image."""

    image: int
    """Its number in the request, from 1 on."""
    sha256: str
    """Digest of the bytes that were sent."""
    width: int | None
    height: int | None
    patient: str = ""
    """The number that the request gave."""
    lesion: str = ""


class LesionAnswer(Judged):
    """What is said of a lesion: the mean over its images, then calibrated."""

    lesion: str
    patient: str = ""
    images: list[int]
    """Numbers of its images in the request."""
    n_images: int
    """How many of them are in the mean."""


class Predictions(_Answer):
    """The answer to a request."""

    notice: str = NOTICE
    request: str
    """Id of the request, as in the log of the service."""
    model: ModelName
    meant_for: float | None
    """Share of melanoma that the model's own probabilities are meant for."""
    prevalence: float | None
    """Share of melanoma that these probabilities are meant for."""
    operating_point: str
    """By which threshold melanoma is called; empty for none."""
    images: list[ImageAnswer]
    lesions: list[LesionAnswer] = Field(default_factory=list)
    """One a lesion, where the request named lesions."""


class Point(_Answer):
    """A threshold that a model brings along."""

    name: str
    aim: str
    """What it was chosen for, as the end of a sentence."""
    threshold: float | None
    absent: str
    """Why there is no threshold; empty where there is one."""
    chosen_on: str
    held_out: dict[str, Measured]
    """Sensitivity, specificity and others on images that took no part in choosing it, each
    with its 95 % interval."""
    n_images: int | None
    """Images on which that was measured."""
    n_melanomas: int | None


class ModelFacts(ModelName):
    """One model that the service has."""

    networks: int
    prevalence: float | None
    diagnoses: list[str]
    operating_points: list[Point]
    intended_use: str


class Models(_Answer):
    """All models, the one that answers by default first."""

    notice: str = NOTICE
    models: list[ModelFacts]


class Health(_Answer):
    """Whether the service is there, or ready."""

    status: str


class ProblemDocument(BaseModel):
    """An error as RFC 9457 has it."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
