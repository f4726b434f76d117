"""Models of the service's answers, from which the OpenAPI document is generated."""

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
    """Digest of the model; it changes with its weights, calibration or thresholds."""
    engine: str
    """Library that computes the networks, such as `onnx`."""
    abstains: bool
    """Whether the model abstains from images that are too strange to it; if not, it also
    answers for images that look like nothing it learnt from."""


class Judged(_Answer):
    """The prediction for an image or for a lesion."""

    probability: float | None
    """Probability of melanoma, 0 to 1; null without a prediction."""
    logit: float | None
    """Log-odds of `probability`."""
    call: str
    """`melanoma` or `not melanoma`; empty without a threshold or a prediction."""
    could_be: str = ""
    """`melanoma`, `not melanoma` or `melanoma or not`: the classes that stay possible at
    90 % (prediction set); empty if the model has no prediction sets."""
    could_be_diagnoses: list[str] = Field(default_factory=list)
    """The diagnoses that stay possible at 90 %, melanoma first; empty if the model has no
    sets over diagnoses, or the list would leave out melanoma for a doubted image."""
    diagnoses: dict[str, float] = Field(default_factory=dict)
    """Probability of each diagnosis that the model distinguishes, with melanoma."""
    abstain: str = ""
    """`yes` if the image is out-of-distribution for the model, so that it abstains; else
    `no`, or empty if the model cannot abstain."""
    context: int | None = None
    """How many other lesions of the patient in the request the answer counts: 0 for an
    image without a lesion number; null for a model that takes each image by itself."""
    strangeness: float | None = None
    """Out-of-distribution score: above 1 the model abstains; null if it cannot."""
    reason: str
    """Why there is no probability, or why to doubt it; empty for most images."""


class ImageAnswer(Judged):
    """The prediction for one image."""

    image: int
    """Number of the image in the request, from 1."""
    sha256: str
    """SHA-256 of the image file that was sent."""
    width: int | None
    """Width and height of the whole upright image, in pixels; null if it was not
    decoded."""
    height: int | None
    patient: str = ""
    """Number of the patient, as in the request."""
    lesion: str = ""
    """Number of the lesion, as in the request."""
    metadata: str = ""
    """Which of age, sex and site the model used beside the image, or `none`; empty for a
    model that takes the image alone."""
    features: str | None = None
    """Features of the image, for `/v1/ducklings`: 16-bit floats in base64. Null if they
    were not asked for, or the model file gives none."""


class LesionAnswer(Judged):
    """The prediction for a lesion: the mean logit of its images, calibrated.

    Calibration and thresholds were chosen on single images, so nothing is guaranteed of the
    call of a lesion with several.
    """

    lesion: str
    patient: str = ""
    images: list[int]
    """Numbers of the lesion's images in the request, from 1."""
    n_images: int
    """Number of images in the mean, with those of earlier requests (`before`)."""
    memo: str | None = None
    """A note of the lesion for a further request, which as `before` answers for its images
    and those of this request together; null if it was not asked for."""


class Predictions(_Answer):
    """The answer to a request."""

    notice: str = NOTICE
    request: str
    """Id of the request, as in the log of the service."""
    model: ModelName
    meant_for: float | None
    """Share of melanoma that the model's own probabilities are meant for."""
    prevalence: float | None
    """Share of melanoma that the probabilities in this answer are meant for."""
    operating_point: str
    """Name of the threshold from which melanoma is called; empty if nothing is called."""
    images: list[ImageAnswer]
    lesions: list[LesionAnswer] = Field(default_factory=list)
    """One prediction per lesion, if the request named lesions."""


class OutlineAnswer(_Answer):
    """The outline of the lesion by segmentation."""

    found: str
    """`one lesion`, `several lesions` or `fills the picture`."""
    certainty: float
    """Agreement (Jaccard index) expected with an outline drawn by a person, 0 to 1."""
    others: int
    """Number of further lesions in the image."""
    cut_off: bool
    """Whether the lesion reaches the edge of the image."""
    area: float
    """Share of the image inside the outline."""
    polygon: list[list[float]]
    """Corners of the outline as (x, y), in shares of width and height, 0 to 1."""


class AbcdAnswer(_Answer):
    """ABCD measures of the lesion (Stolz 1994); null if the image does not allow one."""

    asymmetry: float | None
    """Number of the two axes about which shape or colours are asymmetric, 0 to 2."""
    shape_asymmetry: float | None
    """Share of the lesion's area without a mirror image, mean over both axes, 0 to 1."""
    color_asymmetry: float | None
    """Mean L*a*b* distance between mirrored points, mean over both axes."""
    border: float | None
    """Number of the eight segments of the lesion's border at which the pigment ends
    abruptly."""
    compactness: float | None
    """1 for a disc, smaller for an irregular border."""
    fractal_dimension: float | None
    """Box-counting dimension of the lesion's border: 1 for a smooth line, up to 2."""
    colors: float | None
    """Number of dermoscopic colours present, 1 to 6."""
    white: float | None
    """Share of the lesion that is white; the next five fields are other colours' shares."""
    red: float | None
    light_brown: float | None
    dark_brown: float | None
    blue_grey: float | None
    black: float | None
    diameter_pixels: float | None
    """The longest diameter, in pixels of the file."""
    width_pixels: float | None
    """Shortest distance between two parallel lines that enclose the lesion, in pixels of
    the file."""
    diameter_mm: float | None
    """The longest diameter in millimetres; null if the scale of the image is not known."""
    total_low: float | None
    """Total dermoscopy score if the lesion had the fewest dermoscopic structures, which are
    not counted in the image."""
    total_high: float | None
    """Total dermoscopy score if the lesion had the most dermoscopic structures."""
    present: list[str]
    """Names of the colours present."""
    verdict: str
    """Verdicts of the ABCD rule at both ends of the total score, in its words."""
    caution: str


class SimilarCase(_Answer):
    """A training image of another patient that resembles the image."""

    rank: int
    """1 for the most similar image."""
    id: str
    """Id of the training image if the service has its run, else a digest of the id."""
    diagnosis: str | None
    melanoma: bool | None
    distance: float
    """Distance of the features: 0 for equal, 2 for opposite ones."""


class MapAnswer(_Answer):
    """A heat map of what the model used, and measures of its faithfulness."""

    method: str
    """Name of the method that drew the map."""
    says_nothing: bool
    """Whether the map explains nothing: it is like that of a network with shuffled weights,
    or the same everywhere."""
    checked: bool
    """Whether the map was compared with that of shuffled weights, which needs torch."""
    likeness: float | None
    """Rank correlation with the map of shuffled weights; from 0.5 on the map explains
    nothing."""
    deletion: float | None
    """Mean probability while the image is blurred, hottest places first: small for a
    faithful map."""
    insertion: float | None
    """Mean probability while a blurred image is sharpened, hottest places first: large for
    a faithful map."""
    lesion: float | None
    """Share of the heat inside the outline of the lesion."""
    lesion_area: float | None
    """Share of the image inside the outline, which is `lesion` for a uniform map."""
    hair: float | None
    """Share of the heat on hair; null if hair was not looked for, and likewise the next
    three."""
    ruler: float | None
    """Share of the heat on a ruler."""
    ink: float | None
    """Share of the heat on ink."""
    frame: float | None
    """Share of the heat on the frame of the dermoscope."""
    overlay: str
    """The map drawn over the square that the network gets: PNG in base64."""
    map: str
    """The map alone, from black (0) to white (1): PNG in base64."""


class ExplainedImage(Judged):
    """The prediction for one image, and its explanation."""

    image: int
    """Number of the image in the request, from 1."""
    sha256: str
    width: int | None
    height: int | None
    explained: bool = True
    """False for an image that could not be read, or that `explain` does not name."""
    maps: list[MapAnswer] = Field(default_factory=list)
    outline: OutlineAnswer | None = None
    abcd: AbcdAnswer | None = None
    similar: list[SimilarCase] = Field(default_factory=list)
    missing: dict[str, str] = Field(default_factory=dict)
    """By missing part, the reason: `lesion`, `cases`, `shuffled` (the check of the maps),
    or a method."""


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
    """Difference from the patient's other lesions: about 1 is usual; null for a patient
    with fewer than three lesions."""
    rank: int | None
    """Rank by oddness among the patient's lesions: 1 for the one that differs most."""
    lesions: int
    """Number of the patient's lesions that were compared."""


class Ducklings(_Answer):
    """The odd one among each patient's lesions."""

    notice: str = NOTICE
    lesions: list[OddLesion]
    """The lesions, in the order in which the request first named them."""


class Point(_Answer):
    """A threshold that is stored with a model."""

    name: str
    aim: str
    """The aim of the threshold, as the end of a sentence."""
    threshold: float | None
    absent: str
    """Why there is no threshold; empty where there is one."""
    chosen_on: str
    """In words, the images on which the threshold was chosen."""
    held_out: dict[str, Measured]
    """Sensitivity, specificity and others on images that did not choose the threshold, each
    with its 95 % interval."""
    n_images: int | None
    """Number of the images behind `held_out`."""
    n_melanomas: int | None
    """Number of melanomas among these images."""


class ModelFacts(ModelName):
    """One model of the service."""

    networks: int
    """Number of networks whose mean logit is the result."""
    prevalence: float | None
    """Share of melanoma that the model's own probabilities are meant for; null if
    unknown."""
    diagnoses: list[str]
    """Diagnoses that the model distinguishes, melanoma among them; empty if it does not."""
    metadata: list[str] = Field(default_factory=list)
    """Which of age, sex and site the model takes beside the image; empty for none."""
    operating_points: list[Point]
    unread_operating_points: list[str] = Field(default_factory=list)
    """Names of operating points of the model folder that cannot be read; no melanoma is
    called by them."""
    intended_use: str


class Models(_Answer):
    """All models of the service; the first is the default."""

    notice: str = NOTICE
    models: list[ModelFacts]


class Health(_Answer):
    """Whether the service runs, or is ready to answer."""

    status: str
    """`alive` or `ready`."""


class ProblemDocument(BaseModel):
    """An error as a problem document (RFC 9457)."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
