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
from lentigo.datasets.reading.known_words import NO_WORDS, SEX_WORDS, YES_WORDS
from lentigo.datasets.reading.spelling import fold, without_accents

_REMARK = re.compile(
    r"(?P<name>[^(\[（]*[^(\[（\s])\s*[(\[（](?P<remark>[^()\[\]（）]*)[)\]）]"
)
_OF_SEX = re.compile(
    r"\d+|[a-zäöü]|code[ds]?|kodiert|at|birth|bei|geburt|biolog\w*|legal|self|reported|"
    r"reg\w*|patient\w*|pa[cz]iente\w*|diverse?|intersex|x|unk|unknown|na|n/a|男|女|患者"
)
"""Words that may stand in brackets behind sex, beside those for a sex: codes, and that it
is the patient's. Any other may be of somebody else, as in `Sex (partner)`."""
_OF_AGE = re.compile(
    r"y|yrs?|years?|j|jahren?|ans?|annees?|anos?|anni|岁|年|周岁|in|en|em|at|on|bei|beim|al|"
    r"alla|au|zum|a|la|of|the|der|del|de|du|time|zeitpunkt|approx\w*|round\w*|gerundet|"
    r"exact|ca|diagn\w*|imag\w*|imagen|photo\w*|foto\w*|aufnahme|visit\w*|visita|besuch|"
    r"exci\w*|exz\w*|biops\w*|exam\w*|inclusion|einschluss|enrol\w*|baseline|surgery|op|"
    r"patient\w*|pa[cz]iente\w*|dermosc\w*|\d+|拍摄|诊断|就诊|时"
)
"""Words that may stand in brackets behind age: years, and the time of it."""
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
    r"id|ids|nr|no|num|number|nummer|code|codigo|código|codice|n|numero|key|pseudonym|kennung|mrn|pid|编号|号"
)
_OF_IDS = re.compile(
    r"intern\w*|local|lokal|[ps]?seudon[iy]m\w*|anon[iy]m\w*|hash\w*|coded|encoded|kodiert|"
    r"encrypted|verschlusselt|序号|代码"
)
"""Further words that say of a number what it is: other remarks, as in `Patient (m/w)` and
`Lesion (diameter)`, make something else of the column."""
_RECORDS = re.compile(
    r"mrn|nhc|ipp|urn|ur|ssn|nhs|cpf|prontuario|pseudon[iy]m\w*|"
    r"akte|akten(nummer|nr|zeichen|id)|fall(nummer|nr|id|kennung)|"
    r"participant\w*|participante|partecipante|pt|utente|soggetto|sujeto|sujeito|sujet|"
    r"assistito|volunteer|subj|病历号|病案号|住院号|门诊号|登记号|就诊卡号|身份证号|受试者\w*"
)
"""Words by which hospitals and studies number people, each enough for a name."""
_NUMBERED_RECORDS = re.compile(
    r"record|chart|hospital|health|medical|case|study|client|dossier|processo|proceso|"
    r"historia|cartella|expediente|klinik|fall"
)
"""Words that name people's numbers with a word for a number, or for a clinic, beside."""
_OF_RECORDS = re.compile(r"clinic[ao]|clinique|medical|medico|hospital|health")
_LINKS = frozenset({"de", "di", "du", "do", "der", "des", "of", "the", "la", "el", "il"})
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
        plain = _words(without_accents(fold(remark)))
        return not _has_other_unit(remark) and all(map(_OF_AGE.fullmatch, plain))
    if ours == "sex":
        return all(SEX_WORDS.find(w) or _OF_SEX.fullmatch(w) for w in _words(remark))
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
    return ours == "skin_type"


def not_taken(chosen: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Return sentences on columns that seem to hold what is needed and were not chosen.

    What is needed is the patient, the age and the sex.

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
            else " If they are the patient's at the time of the image, add --column "
            f"age={_quoted(found[0])} to the command."
        )
        said.append(
            f"No column is read as the age, though {found[0]} seems to hold ages.{unit}"
        )
    if "sex" not in chosen and (found := list(filter(_tells_sex, left))):
        said.append(
            f"No column is read as the sex, for {found[0]} may be somebody else's. If it "
            f"is the patient's, add --column sex={_quoted(found[0])} to the command."
        )
    return said


def _quoted(name: str) -> str:
    return name if name.isidentifier() else quote(f" {name}").replace(" ", "", 1)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", fold(name)) if word]


def _names_patients(name: str) -> bool:
    """Tell whether a name has a word for a patient, and one for a number or no other.

    A word for the records of a hospital or study is one for a patient, too.
    """
    words = _words(name)
    if _names_records(_words(without_accents(fold(name)))):
        return not is_about_others(re.sub(r"(?i)histori", "", without_accents(name)))
    people = [word for word in words if _PEOPLE.fullmatch(word)]
    others = [word for word in words if word not in people]
    numbered = any(_OF_PEOPLE.fullmatch(word) for word in others)
    return bool(people) and (numbered or not others) and not is_about_others(name)


def _names_records(words: list[str]) -> bool:
    """Tell whether the words of a name, without accents, are of people's records."""
    rest = [word for word in words if word not in _LINKS]
    numbers = [word for word in rest if _OF_PEOPLE.fullmatch(word)]
    others = [word for word in rest if word not in numbers]
    if any(map(_RECORDS.fullmatch, rest)):
        return all(_RECORDS.fullmatch(w) or _OF_PEOPLE.fullmatch(w) for w in rest)
    beside = numbers or any(map(_OF_RECORDS.fullmatch, others))
    either = (_NUMBERED_RECORDS.fullmatch(w) or _OF_RECORDS.fullmatch(w) for w in others)
    there = any(map(_NUMBERED_RECORDS.fullmatch, others))
    return there and bool(beside) and len(rest) > 1 and all(either)


def _tells_age(name: str) -> bool:
    return bool(_AGES & set(_words(name))) and not is_about_others(name)


def _tells_sex(name: str) -> bool:
    there = _REMARK.fullmatch(name.strip())
    wanted = set(map(key, COLUMN_NAMES["sex"]))
    return bool(there) and key(there["name"]) in wanted  # type: ignore[index]


def _has_other_unit(name: str) -> bool:
    return any(_OTHER_UNITS.fullmatch(word) for word in _words(name))
