"""The generative model: patients, their lesions, the visible features, and the label.

A patient (age, sex, skin tone) has lesions; a lesion has a site and a hidden atypia, which
influences nine visible features. The probability of melanoma is a logistic function of
these features *alone*, and the label is one draw with this probability. So age, sex and
site help only through the visible features, and no model of the images can have a higher
AUC than this probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lentigo.errors import ConfigError

MODEL_VERSION = 1
"""Raised whenever the same seed would give another table or other pixels."""

FIELD_MM = 16.0
"""Width of the skin area that an image shows at zoom 1, in millimetres."""

PATTERNS = ("homogeneous", "reticular", "globular")


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """The appearance of one lesion, the same in every photograph.

    Shares are from 0 to 1.
    """

    asymmetry: float = 0.0
    """Asymmetry of outline and pigment: 0 is an ellipse of even colour."""
    border_irregularity: float = 0.0
    """Notches and an abrupt border: at 0 it is smooth and fades slowly."""
    blue_white_veil: float = 0.0
    """Blue-grey, ground-glass area; at 1 it covers half of the lesion."""
    black_area: float = 0.0
    """Black blotch; at 1 it covers 38 % of the lesion."""
    red_area: float = 0.0
    """Milky-red area; at 1 it covers 38 % of the lesion."""
    white_area: float = 0.0
    """Scar-like regression; at 1 it covers 28 % of the lesion."""
    atypical_network: float = 0.0
    """Thick, broken, wide-meshed pigment network."""
    irregular_globules: float = 0.0
    """Dark dots and globules of unequal size, most of them on one side."""
    diameter_mm: float = 6.0
    """Diameter of the disc with the lesion's area, 3 to 12 mm."""
    pattern: str = "homogeneous"
    """Pattern of the benign part of the lesion: homogeneous, reticular or globular."""
    pigment: float = 0.5
    """Darkness of the brown colour, 0 light to 1 dark; it is not a sign of melanoma."""
    skin_tone: float = 0.3
    """Tone of the skin around the lesion, 0 very fair to 1 very dark."""

    def __post_init__(self) -> None:
        _check_shares(self)
        if not 3 <= self.diameter_mm <= 12:
            raise ConfigError(
                f"diameter_mm is {self.diameter_mm}; give 3 to 12 millimetres."
            )
        if self.pattern not in PATTERNS:
            raise ConfigError(
                f"pattern is {self.pattern!r}; give one of {', '.join(PATTERNS)}."
            )


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """The settings of one photograph; none of them depends on the label."""

    view: int = 0
    """Number of the photograph of a lesion; another number gives other hairs and other
    noise."""
    rotation: float = 0.0
    """Rotation of the camera, in degrees."""
    zoom: float = 1.0
    """Magnification, from 0.8 to 1.25; above 1 the lesion looks larger."""
    shift_x: float = 0.0
    """How far the lesion is to the right of the image's centre, as a share of half the
    width."""
    shift_y: float = 0.0
    """How far the lesion is below the image's centre, as a share of half the height."""
    hair: float = 0.0
    """Amount of hair, from 0 (none) to 1 (dense)."""
    vignette: float = 0.0
    """Darkening at the corners, from 0 (none) to 1 (a black ring around a round image)."""
    uneven_light: float = 0.0
    """Unevenness of the light, from 0 (none) to 1 (one side much darker)."""
    warmth: float = 0.5
    """Colour of the light: 0 bluish, 0.5 neutral, 1 pinkish."""
    ruler: bool = False
    """Whether a ruler lies on the skin; likewise `sticker` and `bubbles` (of gel)."""
    sticker: bool = False
    bubbles: bool = False

    def __post_init__(self) -> None:
        _check_shares(self, except_for=("shift_x", "shift_y"))
        if not 0.8 <= self.zoom <= 1.25:
            raise ConfigError(f"zoom is {self.zoom}; give 0.8 to 1.25.")
        if max(abs(self.shift_x), abs(self.shift_y)) > 0.5:
            raise ConfigError("shift_x and shift_y lie between -0.5 and 0.5.")
        if self.view < 0:
            raise ConfigError(f"view is {self.view}; give 0 or more.")


HARMLESS_MM = 6.0
"""Diameters up to this one do not raise the probability of melanoma."""

INTERCEPT = -5.0

WEIGHTS: Mapping[str, float] = {
    "blue_white_veil": 1.8,
    "black_area": 1.5,
    "asymmetry": 0.9,
    "border_irregularity": 0.9,
    "red_area": 0.7,
    "white_area": 0.7,
    "diameter_mm": 0.1,
    "atypical_network": 0.4,
    "irregular_globules": 0.4,
}
"""Effect of each visible feature on the log-odds of melanoma; for the diameter, per mm
above `HARMLESS_MM`."""

FEATURES = tuple(WEIGHTS)

NUISANCES = ("hair", "ruler", "vignette", "sticker", "bubbles", "uneven_light", "warmth")


def probability(lesion: Lesion) -> float:
    """Return the model's probability that `lesion` is a melanoma."""
    values = {name: getattr(lesion, name) for name in FEATURES}
    values["diameter_mm"] = max(0.0, lesion.diameter_mm - HARMLESS_MM)
    logit = INTERCEPT + sum(weight * values[name] for name, weight in WEIGHTS.items())
    return 1.0 / (1.0 + math.exp(-logit))


@dataclass(frozen=True)
class Patient:
    """A patient; `age` is in steps of 5 years, as archives give it."""

    age: int
    sex: str
    """"female" or "male"."""
    skin_tone: float
    """Tone of the skin, 0 very fair to 1 very dark."""
    skin_type: int
    """Fitzpatrick skin type that fits the tone, 1 to 6."""
    tendency: float
    """Patient effect: a shift of the log-odds of atypia for all lesions of the patient."""


SITE_SHARES: Mapping[str, tuple[float, float]] = {
    "torso": (0.40, 0.60),
    "lower extremity": (0.33, 0.16),
    "upper extremity": (0.16, 0.14),
    "head/neck": (0.08, 0.08),
    "palms/soles": (0.02, 0.015),
    "oral/genital": (0.01, 0.005),
}
"""Share of lesions at each site, in women and in men."""

SITE_EFFECT: Mapping[str, float] = {
    "torso": 0.0,
    "lower extremity": -0.4,
    "upper extremity": 0.1,
    "head/neck": 0.9,
    "palms/soles": 0.3,
    "oral/genital": 0.6,
}
"""Effect of the site on the log-odds of an atypical lesion."""

AGE_EFFECT = 0.85
"""Effect of 20 years of age, counted from 50, on the log-odds of an atypical lesion."""

MALE_EFFECT = 0.5

ATYPICAL_INTERCEPT = -2.4

MISSING = {"age": 0.04, "sex": 0.03, "site": 0.05}
"""Share of patients (for site: of lesions) whose value is missing, completely at random."""


def draw_patient(rng: np.random.Generator) -> Patient:
    """Return a random patient."""
    age = int(5 * round(_within(rng.normal(50, 17), 10, 90) / 5))
    tone = _within(rng.beta(1.6, 3.6) + rng.normal(0, 0.02), 0, 1)
    return Patient(
        age=age,
        sex="female" if rng.random() < 0.5 else "male",
        skin_tone=round(tone, 4),
        skin_type=min(6, 1 + int(tone * 7)),
        tendency=float(rng.normal(0, 0.4)),
    )


def draw_site(patient: Patient, rng: np.random.Generator) -> str:
    """Return a random site for a lesion of `patient`."""
    column = 0 if patient.sex == "female" else 1
    shares = np.array([pair[column] for pair in SITE_SHARES.values()])
    return list(SITE_SHARES)[int(rng.choice(len(shares), p=shares / shares.sum()))]


def draw_atypia(patient: Patient, site: str, rng: np.random.Generator) -> float:
    """Return a random value, 0 to 1, of the hidden atypia of a lesion.

    It is around 0.1 in most lesions, around 0.8 in atypical ones, which are more frequent
    with age, in men and on some sites.
    """
    logit = ATYPICAL_INTERCEPT + AGE_EFFECT * (patient.age - 50) / 20 + SITE_EFFECT[site]
    logit += patient.tendency + (MALE_EFFECT if patient.sex == "male" else 0.0)
    atypical = rng.random() < 1.0 / (1.0 + math.exp(-logit))
    return float(rng.beta(8, 2.4) if atypical else rng.beta(1.4, 11))


def draw_visible(atypia: float, skin_tone: float, rng: np.random.Generator) -> Lesion:
    """Return a lesion whose features follow `atypia`, each with random noise of its own."""

    def seen(start: float, spread: float) -> float:
        value = (atypia + spread * rng.standard_normal() - start) / (1 - start)
        return round(_within(value, 0, 1), 4)

    return Lesion(
        asymmetry=seen(0.25, 0.1),
        border_irregularity=seen(0.25, 0.1),
        blue_white_veil=seen(0.3, 0.1),
        black_area=seen(0.3, 0.1),
        red_area=seen(0.35, 0.15),
        white_area=seen(0.35, 0.15),
        atypical_network=seen(0.3, 0.15),
        irregular_globules=seen(0.3, 0.15),
        diameter_mm=round(_within(4.4 + 5 * atypia + rng.normal(0, 0.9), 3, 12), 2),
        pattern=PATTERNS[int(rng.choice(3, p=[0.4, 0.4, 0.2]))],
        pigment=round(float(rng.random()), 4),
        skin_tone=skin_tone,
    )


def draw_photograph(view: int, rng: np.random.Generator) -> Photograph:
    """Return random settings of a photograph, which do not depend on the lesion."""

    def some_of(share: float, shape: tuple[float, float]) -> float:
        present = rng.random() < share
        return round(float(rng.beta(*shape)), 4) if present else 0.0

    return Photograph(
        view=view,
        rotation=round(float(rng.uniform(0, 360)), 2),
        zoom=round(float(rng.uniform(0.92, 1.1)), 4),
        shift_x=round(_within(rng.normal(0, 0.06), -0.15, 0.15), 4),
        shift_y=round(_within(rng.normal(0, 0.06), -0.15, 0.15), 4),
        hair=some_of(0.35, (1.3, 2.5)),
        vignette=some_of(0.40, (2.0, 1.5)),
        uneven_light=round(float(rng.beta(1.5, 3.5)), 4),
        warmth=round(float(rng.beta(2.5, 2.5)), 4),
        ruler=bool(rng.random() < 0.15),
        sticker=bool(rng.random() < 0.08),
        bubbles=bool(rng.random() < 0.15),
    )


def lesion_of(row: Mapping[str, Any]) -> Lesion:
    """Return the `Lesion` that a row of the table describes."""
    return Lesion(**{field.name: row[field.name] for field in fields(Lesion)})


def photograph_of(row: Mapping[str, Any]) -> Photograph:
    """Return the `Photograph` that a row of the table describes."""
    return Photograph(**{field.name: row[field.name] for field in fields(Photograph)})


def _within(value: float, low: float, high: float) -> float:
    return min(max(float(value), low), high)


def _check_shares(
    settings: Lesion | Photograph, *, except_for: tuple[str, ...] = ()
) -> None:
    unbounded = {"diameter_mm", "rotation", "zoom", "view", "pattern", *except_for}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if field.name not in unbounded and not 0 <= value <= 1:
            raise ConfigError(f"{field.name} is {value}; give a share between 0 and 1.")
