"""Columns whose names hold a remark, and columns that nobody took though they are needed.

A clinic writes `Geschlecht (m/w)`, `Alter (Jahre)` and `Melanom (ja/nein)`. Where a column
of patients is passed over, images of one patient are learnt from and judged, in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from shlex import quote

from lentigo.datasets.reading.column_names import (
    COLUMN_NAMES,
    is_about_others,
    is_proven,
    key,
)
from lentigo.datasets.reading.known_words import NO_WORDS, YES_WORDS
from lentigo.datasets.reading.spelling import fold

_REMARK = re.compile(
    r"(?P<name>[^(\[（]*[^(\[（\s])\s*[(\[（](?P<remark>[^()\[\]（）]*)[)\]）]"
)
_ANY_REMARK = frozenset({"sex", "skin_type"})
"""Columns of a lesion table whose names may hold any remark."""
_OTHER_UNITS = re.compile(
    r"months?|monate?n?|mois|mes|meses|mesi|weeks?|wochen?|days?|tagen?|tage|jours?|d[ií]as?|"
    r"giorni|mths?|个月|月|天"
)
"""Units of age that are no years, as whole words of a name."""
_AGES = frozenset({"age", "alter", "edad", "âge", "età", "idade", "年龄"})
_PEOPLE = re.compile(
    r"pat(ient\w*)?|patients?|patienten\w*|paciente|paziente|subject|person|proband\w*|患者\w*|"
    r"病人\w*|mrn|pid"
)
_OF_PEOPLE = re.compile(
    r"id|ids|nr|no|num|number|nummer|code|n|numero|key|pseudonym|kennung|mrn|pid|编号|号"
)
_OF_IDS = re.compile(
    r"intern\w*|local|lokal|[ps]?seudon[iy]m\w*|anon[iy]m\w*|hash\w*|coded|encoded|kodiert|"
    r"encrypted|verschlusselt|序号|代码"
)
"""Further words that say of a number what it is: other remarks, as in `Patient (m/w)` and
`Lesion (diameter)`, make something else of the column."""
_HOSPITALS = re.compile(
    r"hospital\w*|klinik\w*|clinic|cent(er|re|ro)|zentrum|krankenhaus|praxis|stud(y|ie)|医院|中心"
)
"""Words behind `Site` that make a hospital of it."""


def with_remark(ours: str, names: Iterable[str]) -> str | None:
    """Return the only one of `names` that is one for the column `ours` and a remark.

    In a label the remark has to be the answers (ja/nein) or histology, for a
    `Diagnose (klinisch)` is a suspicion. Of a patient or lesion it has to be what a number
    is called by. An age in other units than years is none, nor is that of a lesion or of
    a relative. None if there are several such names.
    """
    wanted = set(map(key, COLUMN_NAMES[ours]))
    found = [
        name
        for name in names
        if (there := _REMARK.fullmatch(str(name).strip()))
        and key(there["name"]) in wanted
        and _fits(ours, there["remark"])
    ]
    return found[0] if len(found) == 1 else None


def _fits(ours: str, remark: str) -> bool:
    if is_about_others(remark):
        return False
    if ours == "age":
        of_lesion = key(remark) in set(map(key, COLUMN_NAMES["lesion_id"]))
        return not _has_other_unit(remark) and not of_lesion
    if ours in {"patient_id", "lesion_id"}:
        words = _words(remark)
        numbered = any(_OF_PEOPLE.fullmatch(w) or _OF_IDS.fullmatch(w) for w in words)
        return numbered and not YES_WORDS & set(words)  # yes/no has a "no", too
    if ours == "site":
        return not any(map(_HOSPITALS.fullmatch, _words(remark)))
    if ours == "diagnosis":
        return is_proven(remark)
    if ours == "melanoma":
        answers = {fold(each) for each in re.split(r"[/|,;]", remark)}
        return is_proven(remark) or (
            bool(answers & YES_WORDS) and answers <= YES_WORDS | NO_WORDS
        )
    return ours in _ANY_REMARK


def not_taken(chosen: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Return sentences on columns that seem to hold patients or ages and were not chosen.

    `chosen` maps columns of a lesion table to those of another, of which `names` are all.
    Nothing is said of what is chosen.
    """
    left = [str(name) for name in names if name not in set(chosen.values())]
    said = []
    if "patient_id" not in chosen and (found := list(filter(_names_patients, left))):
        said.append(
            f"No column is read as the patient, though {found[0]} seems to name patients: "
            "without it, images of one patient may be learnt from and judged. If it does, "
            f"add --column patient_id={_quoted(found[0])} to the command."
        )
    if "age" not in chosen and (found := list(filter(_tells_age, left))):
        unit = (
            " An age is in years, so divide it."
            if _has_other_unit(found[0])
            else f" If so, add --column age={_quoted(found[0])} to the command."
        )
        said.append(
            f"No column is read as the age, though {found[0]} seems to hold ages.{unit}"
        )
    return said


def _quoted(name: str) -> str:
    return name if name.isidentifier() else quote(f" {name}").replace(" ", "", 1)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", fold(name)) if word]


def _names_patients(name: str) -> bool:
    """Tell whether a name has a word for a patient, and one for a number or no other."""
    words = _words(name)
    people = [word for word in words if _PEOPLE.fullmatch(word)]
    others = [word for word in words if word not in people]
    numbered = any(_OF_PEOPLE.fullmatch(word) for word in others)
    return bool(people) and (numbered or not others) and not is_about_others(name)


def _tells_age(name: str) -> bool:
    return bool(_AGES & set(_words(name))) and not is_about_others(name)


def _has_other_unit(name: str) -> bool:
    return any(_OTHER_UNITS.fullmatch(word) for word in _words(name))
