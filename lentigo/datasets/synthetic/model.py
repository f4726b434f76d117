"""The generative model: patients, their lesions, what is seen of them, and the label.

A patient (age, sex, skin tone) has lesions; a lesion has a site and a hidden atypia; the
atypia shows in nine visible features; the probability of melanoma is a logistic function of
those features *alone*, and the label is one draw from it. So age, sex and site help only
through what can be seen, and no reader of the images can beat the AUC of that probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lentigo.errors import ConfigError

MODEL_VERSION = 1
"""Rises whenever the same seed would give another table or other pixels."""

FIELD_MM = 16.0
"""Width of skin that an image shows at zoom 1, in millimetres."""

PATTERNS = ("homogeneous", "reticular", "globular")


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """Appearance of one lesion, the same in every photograph; shares are from 0 to 1."""

    asymmetry: float = 0.0
    """Lopsided outline and pigment: 0 is an ellipse of even colour."""
    border_irregularity: float = 0.0
    """Notches and an abrupt edge: 0 is smooth and fading."""
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
    """Dark dots and globules of unequal size, crowded to one side."""
    diameter_mm: float = 6.0
    """Diameter of the disc with the lesion's area, 3 to 12 mm."""
    pattern: str = "homogeneous"
    """What the harmless part shows: homogeneous, reticular or globular."""
    pigment: float = 0.5
    """Darkness of the harmless brown, 0 light to 1 dark; no sign of melanoma."""
    skin_tone: float = 0.3
    """Tone of the skin around, 0 very fair to 1 very dark."""

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
    """How one photograph was taken; nothing here depends on the label."""

    view: int = 0
    """Another number is another photograph: other hairs, other grain."""
    rotation: float = 0.0
    """Degrees by which the camera is turned."""
    zoom: float = 1.0
    """Above 1 the lesion looks larger; 0.8 to 1.25."""
    shift_x: float = 0.0
    """How far the lesion lies right of the middle, as a share of half the width."""
    shift_y: float = 0.0
    """How far the lesion lies below the middle, as a share of half the height."""
    hair: float = 0.0
    """0 none, 1 thick fur."""
    vignette: float = 0.0
    """0 none, 1 a black ring around a round picture."""
    uneven_light: float = 0.0
    """0 even, 1 one side much darker."""
    warmth: float = 0.5
    """Colour of the light: 0 bluish, 0.5 neutral, 1 pinkish."""
    ruler: bool = False
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
"""A diameter up to here is no sign of melanoma."""

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
"""What each visible feature adds to the log-odds of melanoma; diameter per mm above
`HARMLESS_MM`."""

FEATURES = tuple(WEIGHTS)

NUISANCES = ("hair", "ruler", "vignette", "sticker", "bubbles", "uneven_light", "warmth")


def probability(lesion: Lesion) -> float:
    """The model's probability that `lesion` is a melanoma."""
    values = {name: getattr(lesion, name) for name in FEATURES}
    values["diameter_mm"] = max(0.0, lesion.diameter_mm - HARMLESS_MM)
    logit = INTERCEPT + sum(weight * values[name] for name, weight in WEIGHTS.items())
    return 1.0 / (1.0 + math.exp(-logit))


@dataclass(frozen=True)
class Patient:
    """Patient who has the lesions; `age` in steps of 5, as archives give it."""

    age: int
    sex: str
    skin_tone: float
    skin_type: int
    tendency: float
    """Shift of the log-odds of an atypical lesion that all lesions of the patient share."""


SITE_SHARES: Mapping[str, tuple[float, float]] = {
    "torso": (0.40, 0.60),
    "lower extremity": (0.33, 0.16),
    "upper extremity": (0.16, 0.14),
    "head/neck": (0.08, 0.08),
    "palms/soles": (0.02, 0.015),
    "oral/genital": (0.01, 0.005),
}
"""How lesions spread over the body, in women and in men."""

SITE_EFFECT: Mapping[str, float] = {
    "torso": 0.0,
    "lower extremity": -0.4,
    "upper extremity": 0.1,
    "head/neck": 0.9,
    "palms/soles": 0.3,
    "oral/genital": 0.6,
}
"""What the site adds to the log-odds of an atypical lesion."""

AGE_EFFECT = 0.85
"""Added to the log-odds of an atypical lesion for 20 years above 50."""

MALE_EFFECT = 0.5

ATYPICAL_INTERCEPT = -2.4

MISSING = {"age": 0.04, "sex": 0.03, "site": 0.05}
"""Share of patients (site: of lesions) whose entry is lost, whatever its value."""


def draw_patient(rng: np.random.Generator) -> Patient:
    """Return one person at random."""
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
    """Return where on the body a lesion of `patient` sits."""
    column = 0 if patient.sex == "female" else 1
    shares = np.array([pair[column] for pair in SITE_SHARES.values()])
    return list(SITE_SHARES)[int(rng.choice(len(shares), p=shares / shares.sum()))]


def draw_atypia(patient: Patient, site: str, rng: np.random.Generator) -> float:
    """The hidden atypia of a lesion, 0 to 1: most are near 0, an atypical one near 0.7."""
    logit = ATYPICAL_INTERCEPT + AGE_EFFECT * (patient.age - 50) / 20 + SITE_EFFECT[site]
    logit += patient.tendency + (MALE_EFFECT if patient.sex == "male" else 0.0)
    atypical = rng.random() < 1.0 / (1.0 + math.exp(-logit))
    return float(rng.beta(8, 2.4) if atypical else rng.beta(1.4, 11))


def draw_visible(atypia: float, skin_tone: float, rng: np.random.Generator) -> Lesion:
    """The visible lesion: every feature follows the atypia, each with its own noise."""

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
    """Return how the camera is held and what lies in its way; blind to the lesion."""

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
    """The `Lesion` that a row of the table describes."""
    return Lesion(**{field.name: row[field.name] for field in fields(Lesion)})


def photograph_of(row: Mapping[str, Any]) -> Photograph:
    """The `Photograph` that a row of the table describes."""
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
