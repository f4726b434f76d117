"""Check the fields of a request: data of the patient, and options of the prediction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from lentigo.inference.decide import AUTO
from lentigo.service.memo import BEFORE_FIELD, MEMO_FIELD
from lentigo.service.problems import wrong_field
from lentigo.service.upload import FIELDS, Upload
from lentigo.visible import visible

SEXES = ("female", "male")
SITES = (
    "head/neck", "anterior torso", "posterior torso", "lateral torso", "torso",
    "upper extremity", "lower extremity", "palms/soles", "oral/genital",
)  # fmt: skip
"""Places on the body, in the words of the ISIC Archive."""
_LONGEST_ID = 64
_OLDEST = 120


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The checked fields of a request, without its images."""

    model: str = ""
    """`NAME` or `NAME@VERSION`; empty for the first model."""
    age: float | None = None
    sex: str = ""
    site: str = ""
    patients: tuple[str, ...] = ()
    """Patient id of each image; empty if not given."""
    lesions: tuple[str, ...] = ()
    """Lesion id of each image; empty if not given. Images of one lesion also get a common
    prediction."""
    prevalence: float | None = None
    operating_point: str = AUTO
    features: bool = False
    """Whether the answer is to hold the features of each image."""
    memo: bool = False
    """Whether the answer is to hold a note of each lesion, for a further request."""
    before: tuple[str, ...] = ()
    """The notes of images in earlier requests, one a lesion; empty without such."""

    @cached_property
    def lesion_keys(self) -> tuple[str, ...]:
        """Return one word per image, the same for images of one lesion; empty if no ids.

        Clinics number lesions from 1 for each patient, so lesion "1" of two patients is two
        lesions.
        """
        pairs = list(zip(self.patients or self.lesions, self.lesions, strict=False))
        numbers = {each: str(n) for n, each in enumerate(dict.fromkeys(pairs), start=1)}
        return tuple(numbers[each] for each in pairs)

    @property
    def our_site(self) -> str:
        """Return the site in the words of lesion tables, where all torso sites are one."""
        return "torso" if self.site.endswith("torso") else self.site

    def ids(self, place: int) -> tuple[str, str]:
        """Return the patient id and the lesion id of an image; each is "" if not given."""
        return (
            self.patients[place] if self.patients else "",
            self.lesions[place] if self.lesions else "",
        )


def asked(upload: Upload) -> Asked:
    """Return the checked fields of a request.

    Raises `ProblemError` (422) for an unknown field, or a wrong value.
    """
    for name in upload.fields:
        if name not in FIELDS:
            raise wrong_field(name, f"There is no such field. Known: {', '.join(FIELDS)}.")
    found = Asked(
        model=_one(upload, "model"),
        age=_number(upload, "age", 0, _OLDEST),
        sex=_word(upload, "sex", SEXES),
        site=_word(upload, "site", SITES),
        patients=_ids(upload, "patient"),
        lesions=_ids(upload, "lesion"),
        prevalence=_share(upload),
        operating_point=_one(upload, "operating_point") or AUTO,
        features=_word(upload, "features", ("yes", "no")) == "yes",
        memo=_word(upload, MEMO_FIELD, ("yes", "no")) == "yes",
        before=tuple(each for each in upload.fields.get(BEFORE_FIELD, []) if each),
    )
    if found.before and upload.files and not found.lesions:
        raise wrong_field(BEFORE_FIELD, "It goes with the number of a lesion.")
    return found


def is_id(value: str) -> bool:
    """Tell whether `value` may be the id of a patient or lesion.

    It has 1 to 64 letters. None of them is invisible, or turns the order of those around
    it: two ids would look the same to who reads the answer.
    """
    return 0 < len(value) <= _LONGEST_ID and visible(value) == value


def _one(upload: Upload, name: str) -> str:
    values = [each for each in upload.fields.get(name, []) if each]
    if len(values) > 1:
        raise wrong_field(name, "It was given more than once.")
    return values[0] if values else ""


def _number(upload: Upload, name: str, low: float, high: float) -> float | None:
    text = _one(upload, name)
    if not text:
        return None
    try:
        value = math.nan if "_" in text else float(text)  # Python reads 1_0 as 10
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise wrong_field(name, f"It is a number from {low:g} to {high:g}.")
    return value


def _share(upload: Upload) -> float | None:
    value = _number(upload, "prevalence", 0, 1)
    if value is not None and not 0 < value < 1:
        raise wrong_field("prevalence", "It is a share above 0 and below 1, such as 0.02.")
    return value


def _word(upload: Upload, name: str, known: tuple[str, ...]) -> str:
    text = _one(upload, name).lower()
    if text and text not in known:
        raise wrong_field(name, f"It is one of: {', '.join(known)}.")
    return text


def _ids(upload: Upload, name: str) -> tuple[str, ...]:
    """Return one id per image; a single id is taken for all images."""
    values = upload.fields.get(name, [])
    if not all(values):
        raise wrong_field(
            name, f"Value {values.index('') + 1} of {len(values)} is empty; give each one."
        )
    if not all(is_id(value) for value in values):
        raise wrong_field(name, "It has 1 to 64 letters, all of them visible.")
    if len(values) == 1:
        return (values[0],) * len(upload.files)
    if values and len(values) != len(upload.files):
        raise wrong_field(
            name, f"Give it once, or once an image: {len(upload.files)}, not {len(values)}."
        )
    return tuple(values)
