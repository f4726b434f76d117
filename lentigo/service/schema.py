"""The answers of the service, as its OpenAPI document describes them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from lentigo.models.facts import Measured
from lentigo.notice import NOTICE

CAUTION = (
    "A map shows which places changed the answer of the model. It does not say that the "
    "answer is right, or why a lesion is what it is."
)


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
    could_be: str = ""
    """`melanoma`, `not melanoma` or `melanoma or not`: the answers that stay possible at
    90 %; empty where the model does not tell them."""
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
    metadata: str = ""
    """Which of age, sex and site the model took beside the image, or `none`; empty of a
    model that takes the image alone."""
    features: str | None = None
    """Features of the image, for `/v1/ducklings`: numbers of 16 bits in base64. Null where
    they were not asked for, or the model's file gives none."""


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


class OutlineAnswer(_Answer):
    """The outline found of the lesion."""

    found: str
    """`one lesion`, `several lesions` or `fills the picture`."""
    certainty: float
    """Agreement (Jaccard index) expected with an outline drawn by a person, 0 to 1."""
    others: int
    """Further lesions in the picture."""
    cut_off: bool
    """Whether the picture cuts the lesion off."""
    area: float
    """Share of the picture inside it."""
    polygon: list[list[float]]
    """Its corners as (x, y), in shares of width and height."""


class AbcdAnswer(_Answer):
    """Measures of the lesion (Stolz 1994); null where the picture does not allow one."""

    asymmetry: float | None
    """Axes, of two, about which shape or colours differ: 0 to 2."""
    shape_asymmetry: float | None
    color_asymmetry: float | None
    border: float | None
    """Segments, of eight, in which the pigment ends abruptly."""
    compactness: float | None
    """1 for a disc, smaller for an irregular border."""
    fractal_dimension: float | None
    colors: float | None
    """Dermoscopic colours present, 1 to 6."""
    white: float | None
    """Share of the lesion of this colour; so for the five that follow."""
    red: float | None
    light_brown: float | None
    dark_brown: float | None
    blue_grey: float | None
    black: float | None
    diameter_pixels: float | None
    """The longest diameter, in pixels of the file."""
    width_pixels: float | None
    diameter_mm: float | None
    total_low: float | None
    """Total score with the fewest structures, which are not counted."""
    total_high: float | None
    """Total score with the most structures."""
    present: list[str]
    """Names of the colours present."""
    verdict: str
    """What the range of the total score leaves open, in the words of the rule."""
    caution: str


class SimilarCase(_Answer):
    """A training image that resembles the image, of another patient."""

    rank: int
    id: str
    """Id of the image where the run is at hand, else its digest."""
    diagnosis: str | None
    melanoma: bool | None
    distance: float
    """0 is the same picture, 2 the opposite."""


class MapAnswer(_Answer):
    """A map of what the model used, and how far it may be believed."""

    method: str
    says_nothing: bool
    """Whether the map is the same with shuffled weights, or the same everywhere."""
    checked: bool
    """Whether it could be compared with shuffled weights, which needs torch."""
    likeness: float | None
    """Rank correlation with the map of shuffled weights; from 0.5 on it says nothing."""
    deletion: float | None
    """Mean probability while the hottest places are blurred first: small is faithful."""
    insertion: float | None
    """Mean probability while the hottest places are shown first: large is faithful."""
    lesion: float | None
    """Share of the heat inside the outline of the lesion."""
    lesion_area: float | None
    """Share of the image inside it: what an even map would have."""
    hair: float | None
    ruler: float | None
    ink: float | None
    frame: float | None
    overlay: str
    """The map over the image as the network sees it: PNG in base64."""
    map: str
    """The map alone, black to white: PNG in base64."""


class ExplainedImage(Judged):
    """What is said of one image, and why."""

    image: int
    """Its number in the request, from 1 on."""
    sha256: str
    width: int | None
    height: int | None
    maps: list[MapAnswer] = Field(default_factory=list)
    outline: OutlineAnswer | None = None
    abcd: AbcdAnswer | None = None
    similar: list[SimilarCase] = Field(default_factory=list)
    missing: dict[str, str] = Field(default_factory=dict)
    """What is not there, and why: `lesion`, `cases`, `shuffled` (the check of the maps), or
    a method."""


class Explanations(_Answer):
    """The answer to a request for explanations."""

    notice: str = NOTICE
    caution: str = CAUTION
    request: str
    """Id of the request, as in the log of the service."""
    model: ModelName
    images: list[ExplainedImage]


class OddLesion(_Answer):
    """How far a lesion is from the other lesions of its patient."""

    patient: str
    lesion: str
    oddness: float | None
    """About 1 is usual; null for a patient with fewer than three lesions."""
    rank: int | None
    """1 for the lesion that differs most from the patient's others."""
    lesions: int
    """Lesions of the patient that were compared."""


class Ducklings(_Answer):
    """The odd one among each patient's lesions."""

    notice: str = NOTICE
    lesions: list[OddLesion]
    """In the order in which they were first named."""


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
