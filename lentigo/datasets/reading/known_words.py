"""The words of archives and clinics for sexes, sites, labels and so on.

Those of other languages than English are in `words.csv`, each with its source.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from importlib.resources import files

from lentigo.datasets.reading.diagnoses import DIAGNOSES
from lentigo.datasets.reading.spelling import Words, fold, joined


def _of_languages(kind: str) -> dict[str, str]:
    """Return the rows of `words.csv` of one kind, as word → meaning."""
    text = (
        files("lentigo.datasets.reading").joinpath("words.csv").read_text(encoding="utf-8")
    )
    rows = csv.DictReader(text.splitlines())
    return {row["word"]: row["meaning"] for row in rows if row["kind"] == kind}


SEX_WORDS: Words[str] = Words(
    {
        **dict.fromkeys(("female", "f", "woman", "women", "girl", "w"), "female"),
        **dict.fromkeys(("male", "m", "man", "men", "boy"), "male"),
        **_of_languages("sex"),
    }
)
"""Words for the sexes, without the letter `h` (homme, hombre, homem): see
`_without_doubt`."""

# Parts that no archive lists stand where ICD-O-3 has them: C44.3 and C44.4 head and neck,
# C44.5 trunk (groin, axilla, breast), C44.6 arm, C44.7 leg with the hip.
# Hand and foot without a word on which side of them belong to the limb: that is how the
# ISIC archive itself carries HAM10000's sites over (ISIC 2019 training metadata).
_SITE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("head/neck", "head", "neck", "face", "scalp", "ear", "nose", "lip", "cheek",
         "forehead", "chin", "eyelid", "temple", "nape", "head and neck", "head neck",
         "head & neck", "head neck face"),
        "head/neck",
    ),
    **dict.fromkeys(
        ("torso", "trunk", "back", "chest", "abdomen", "anterior torso", "posterior torso",
         "lateral torso", "anterior trunk", "posterior trunk", "lateral trunk", "buttocks",
         "shoulder", "upper back", "lower back", "belly", "buttock", "flank", "groin",
         "axilla", "armpit", "breast", "scapula", "lumbar"),
        "torso",
    ),
    **dict.fromkeys(
        ("upper extremity", "arm", "forearm", "hand", "upper arm", "upper limb",
         "upper limbs", "upper extremities", "elbow", "wrist", "finger", "fingers",
         "thumb", "dorsum of hand"),
        "upper extremity",
    ),
    **dict.fromkeys(
        ("lower extremity", "leg", "thigh", "foot", "calf", "shin", "knee", "lower leg",
         "lower limb", "lower limbs", "lower extremities", "ankle",
         "hip", "toe", "heel", "dorsum of foot"),
        "lower extremity",
    ),
    **dict.fromkeys(
        ("palms/soles", "acral", "palm", "palms", "sole", "soles", "palms and soles",
         "palm of hand", "sole of foot", "acral palms or soles"),
        "palms/soles",
    ),
    **dict.fromkeys(
        ("oral/genital", "genital", "genitals", "oral", "genital areas", "mucosa",
         "oral and genital", "oral or genital", "anogenital region", "genital region",
         "perianal region", "vulva", "penis", "scrotum"),
        "oral/genital",
    ),
}  # fmt: skip


class SiteWords(Words[str]):
    """Words for sites, in which a side of the body is ignored: `Rücken re.`, `left arm`."""

    def find(self, word: str) -> str | None:
        """Return the site of `word`, also without words for left and right; else None."""
        if (found := super().find(word)) is not None:
            return found
        parts = [part for part in re.split(r"[\s,()/]+", fold(word)) if part not in _SIDES]
        without = " ".join(part for part in parts if part)
        if without[:1] in {"左", "右"}:  # written without a space
            without = without[1:]
        return super().find(without) if without != fold(word) else None


_SIDES = frozenset(_of_languages("side"))
SITE_WORDS: Words[str] = SiteWords({**_of_languages("site"), **_SITE_WORDS})

SKIN_WORDS: Mapping[str, str] = {
    word: str(number)
    for number, roman in enumerate(("i", "ii", "iii", "iv", "v", "vi"), start=1)
    for word in (str(number), f"{number}.0", roman, f"type {roman}", f"type {number}")
}
"""Words for the skin types of Fitzpatrick, 1 to 6."""

MODALITY_WORDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("dermoscopy", "dermoscopic", "dermatoscopic", "dermatoscopy"), "dermoscopy"
    ),
    **dict.fromkeys(
        ("clinical", "clinical: close-up", "clinical: overview", "close-up", "overview",
         "macroscopic", "smartphone", "tbp tile: close-up", "tbp tile: overview"),
        "clinical",
    ),
    **dict.fromkeys(("confocal", "rcm: tile", "rcm: mosaic"), "confocal"),
    **dict.fromkeys(("histology", "histopathology"), "histology"),
}  # fmt: skip
"""Words for the kind of image; a `tbp tile` is cut from a photograph of the whole body."""

_YES_OR_NO = _of_languages("yes/no")
_MALIGNANT_OR_BENIGN = _of_languages("benign/malignant")


def _meaning(words: Mapping[str, str], meaning: str) -> set[str]:
    return {word for word, theirs in words.items() if theirs == meaning}


YES_WORDS = frozenset(
    {"1", "1.0", "1,0", "true", "t", "yes", "y", "positive", "pos"}
    | _meaning(_YES_OR_NO, "yes")
)
NO_WORDS = frozenset(
    {"0", "0.0", "0,0", "false", "f", "no", "n", "negative", "neg"}
    | _meaning(_YES_OR_NO, "no")
)
MALIGNANT_WORDS = frozenset(
    {"malignant", "cancer", "malign"} | _meaning(_MALIGNANT_OR_BENIGN, "malignant")
)
BENIGN_WORDS = frozenset({"benign"} | _meaning(_MALIGNANT_OR_BENIGN, "benign"))
NOT_MELANOMA_WORDS = frozenset({"nonmelanoma", "non-melanoma", "not melanoma"})


class LabelWords(Words[bool]):
    """Words of labels; with a stage behind them, those for melanoma are understood, too."""

    def find(self, word: str) -> bool | None:
        """Return whether `word` means melanoma; None where it is not known."""
        found = super().find(word)
        if found is None and (diagnosis := DIAGNOSES.find(word)) is not None:
            return diagnosis.melanoma
        return found


LABEL_WORDS: Words[bool] = LabelWords(
    {
        word: meaning.melanoma
        for word, meaning in DIAGNOSES.items()
        if meaning.melanoma is not None
    }
    | dict.fromkeys(YES_WORDS | MALIGNANT_WORDS, True)
    | dict.fromkeys(NO_WORDS | BENIGN_WORDS | NOT_MELANOMA_WORDS, False)
)
"""For each word of a label column, whether it means melanoma."""
MALIGNANT: Words[bool] = Words(
    dict.fromkeys(MALIGNANT_WORDS, True) | dict.fromkeys(BENIGN_WORDS, False)
)
"""Words that tell only whether a lesion is malignant."""
YES_NO: Words[bool] = Words(dict.fromkeys(YES_WORDS, True) | dict.fromkeys(NO_WORDS, False))
"""Words that answer a question without saying which one."""
NOT_MELANOMA: Words[bool] = Words(dict.fromkeys(BENIGN_WORDS | NOT_MELANOMA_WORDS, False))
"""Words that are no diagnosis, and yet say that a lesion is no melanoma."""


LABELS: Words[object] = joined(
    (DIAGNOSES, LABEL_WORDS,
     {meaning.name.lower(): meaning for meaning in DIAGNOSES.values()})
)  # fmt: skip
"""Every word for a label or diagnosis."""
ALL_WORDS: Words[object] = joined(
    (LABELS, SEX_WORDS, SITE_WORDS, SKIN_WORDS, MODALITY_WORDS)
)
"""Every word to which an unknown word may be mapped."""
