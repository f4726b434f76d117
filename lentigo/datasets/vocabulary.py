"""The words of the archives, mapped onto ours; a word that is not here is never guessed.

Each map goes from a word in lower case to ours. What an archive does not know (`unknown`,
`N/A`, an empty cell …) is missing; any other word without an entry is missing as well,
and is listed with its count in the notes of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lentigo.datasets.diagnoses import DIAGNOSES as DIAGNOSES
from lentigo.datasets.look_alikes import spelled_alike as spelled_alike
from lentigo.errors import some
from lentigo.visible import shortened

NOT_KNOWN = frozenset(
    {"", "-", "?", "na", "n/a", "nan", "none", "null", "unknown", "unk", "missing", "other",
     "not specified", "not reported", "not known", "undetermined", "indeterminate"}
)  # fmt: skip
"""Words by which an archive says that it does not know."""

SEX_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("female", "f", "woman", "w"), "female"),
    **dict.fromkeys(("male", "m", "man"), "male"),
}

# Hand and foot without a word on which side of them belong to the limb: that is how the
# ISIC archive itself carries HAM10000's sites over (ISIC 2019 training metadata).
SITE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("head/neck", "head", "neck", "face", "scalp", "ear", "nose", "lip", "cheek",
         "forehead", "chin", "eyelid", "head and neck", "head neck", "head & neck",
         "head neck face"),
        "head/neck",
    ),
    **dict.fromkeys(
        ("torso", "trunk", "back", "chest", "abdomen", "anterior torso", "posterior torso",
         "lateral torso", "anterior trunk", "posterior trunk", "lateral trunk", "buttocks",
         "shoulder", "upper back", "lower back", "belly"),
        "torso",
    ),
    **dict.fromkeys(
        ("upper extremity", "arm", "forearm", "hand", "upper arm", "upper limb",
         "upper limbs", "upper extremities", "elbow", "wrist"),
        "upper extremity",
    ),
    **dict.fromkeys(
        ("lower extremity", "leg", "thigh", "foot", "calf", "shin", "knee", "lower leg",
         "lower limb", "lower limbs", "lower extremities", "ankle"),
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
         "perianal region"),
        "oral/genital",
    ),
}  # fmt: skip

SKIN_WORDS: Mapping[str, str] = {
    word: str(number)
    for number, roman in enumerate(("i", "ii", "iii", "iv", "v", "vi"), start=1)
    for word in (str(number), f"{number}.0", roman, f"type {roman}", f"type {number}")
}
"""Skin types after Fitzpatrick, 1 to 6."""

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
"""How an image was taken; `tbp tile` is cut from a photograph of the whole body."""

YES_WORDS = frozenset({"1", "1.0", "true", "t", "yes", "y", "positive", "pos"})
NO_WORDS = frozenset({"0", "0.0", "false", "f", "no", "n", "negative", "neg"})
MELANOMA_WORDS = frozenset(word for word, meaning in DIAGNOSES.items() if meaning.melanoma)
MALIGNANT_WORDS = frozenset({"malignant", "cancer", "malign"})
BENIGN_WORDS = frozenset({"benign", "nonmelanoma", "non-melanoma", "not melanoma"})


def plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """The words of `column` in lower case, trimmed, `_` as space; not known is missing."""
    words = column.astype("string").str.strip().str.lower()
    words = words.str.replace("_", " ", regex=False)
    return words.mask(words.isin(NOT_KNOWN))


def known_ids(column: pd.Series[Any]) -> pd.Series[Any]:
    """The ids of patients or lesions as text, trimmed; not known is missing.

    Else all whom a table calls `unknown` would be one patient. A whole number that ends in
    `.0`, as spreadsheets write it beside an empty cell, is that number: 7.0 is 7. What else
    is in the column does not matter, so that an id is read alike in every file.
    """
    ids = column.astype("string").str.strip()
    ids = ids.mask(plain(ids).isna())
    return ids.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)


def map_words(
    column: pd.Series[Any], words: Mapping[str, str], *, name: str
) -> tuple[pd.Series[Any], list[str]]:
    """`column` in our words, and a sentence on the words that we do not have (if any)."""
    given = plain(column)
    mapped = given.map(words).astype("string")
    return mapped, unmapped(column[mapped.isna() & given.notna()], name=name)


def map_diagnoses(column: pd.Series[Any]) -> tuple[pd.DataFrame, list[str]]:
    """Columns diagnosis, melanoma and malignant from diagnosis words, and what is unmapped.

    A diagnosis that we do not know keeps its own word, but says nothing on melanoma.
    """
    given = plain(column)
    table = pd.DataFrame(
        {
            "diagnosis": given.map(_meanings("name")).astype("string"),
            "melanoma": given.map(_meanings("melanoma")).astype("boolean"),
            "malignant": given.map(_meanings("malignant")).astype("boolean"),
        }
    )
    strange = table["diagnosis"].isna() & given.notna()
    table["diagnosis"] = table["diagnosis"].fillna(
        column.astype("string").str.strip().where(strange)
    )
    return table, unmapped(column[strange], name="diagnosis")


def _meanings(field: str) -> dict[str, Any]:
    return {word: getattr(meaning, field) for word, meaning in DIAGNOSES.items()}


def unmapped(left: pd.Series[Any], *, name: str) -> list[str]:
    """One sentence on the words `left` over, most frequent first; [] without any."""
    if left.empty:
        return []
    counts = left.astype("string").str.strip().value_counts()
    words = [
        f"{shortened(str(word), at_most=80)!r} ({count:,})"
        for word, count in counts.items()
    ]
    what = (
        "diagnosis keeps the archive's own word, and melanoma stays open,"
        if name == "diagnosis"
        else f"{name} is missing"
    )
    return [f"{what} where the word is not in our vocabulary: {some(words, at_most=8)}."]
