"""The hierarchy of diagnoses, and the words of archives for each of them.

It is a table, `diagnoses.csv`, with one row per word: the name of the diagnosis in lentigo,
the name of its parent in the hierarchy, whether it is melanoma, whether it is malignant
(`yes`, `no`, or empty where the word leaves it open), and the archive that uses the word,
or the language and the classification (`de: ICD-10-GM C43`, or `de: usage` for everyday
use).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from lentigo.datasets.reading.melanoma_stage import words_without_stage
from lentigo.datasets.reading.spelling import Words


class Diagnosis(NamedTuple):
    """A diagnosis: its name, melanoma or not, malignant or not (None: open), its parent."""

    name: str
    melanoma: bool | None
    malignant: bool | None
    parent: str = ""
    """The diagnosis of which it is a kind; empty at the top of the hierarchy."""


_ANSWERS = {"yes": True, "no": False, "": None}


def _rows() -> list[dict[str, str]]:
    text = (
        files("lentigo.datasets.reading")
        .joinpath("diagnoses.csv")
        .read_text(encoding="utf-8")
    )
    return list(csv.DictReader(text.splitlines()))


def _read() -> Iterator[tuple[str, Diagnosis]]:
    for row in _rows():
        melanoma, malignant = _ANSWERS[row["melanoma"]], _ANSWERS[row["malignant"]]
        yield row["word"], Diagnosis(row["name"], melanoma, malignant, row["parent"])


class DiagnosisWords(Words[Diagnosis]):
    """Words for diagnoses; behind one for melanoma, a stage or a thickness is ignored."""

    def find(self, word: str) -> Diagnosis | None:
        """Return the diagnosis of `word`, or None.

        Of several words set off by commas or brackets, each of which is melanoma, the last
        one counts: `malignes Melanom (SSM), pT1a` is a superficial spreading melanoma.
        """
        if (found := super().find(word)) is not None:
            return found
        parts = [super(DiagnosisWords, self).find(one) for one in words_without_stage(word)]
        said = [one for one in parts if one is not None and one.melanoma]
        return said[-1] if said and len(said) == len(parts) else None


DIAGNOSES: Words[Diagnosis] = DiagnosisWords(dict(_read()))
"""The diagnosis for each word; words are in lower case, with spaces for underscores."""

_BY_NAME = {meaning.name: meaning for meaning in DIAGNOSES.values()}


def lineage(name: str) -> list[str]:
    """Return the diagnosis `name`, its parent, and so on to the top of the hierarchy.

    A blue nevus is a nevus, a benign melanocytic lesion, and a melanocytic lesion. For a
    name that is not in the hierarchy, the result is that name alone.
    """
    names = [name]
    while parent := _BY_NAME[names[-1]].parent if names[-1] in _BY_NAME else "":
        names.append(parent)
    return names


def is_malignant(name: str) -> bool | None:
    """Tell if the diagnosis `name` is malignant; None where that is open or not known."""
    return _BY_NAME[name].malignant if name in _BY_NAME else None


def vocabulary_page() -> str:
    """Return the text of docs/vocabulary.md: the hierarchy of diagnoses, with all words."""
    words: dict[str, list[str]] = {}
    for row in _rows():
        if row["word"] != row["name"].lower():
            source = "" if row["source"] == "any" else f" ({row['source']})"
            words.setdefault(row["name"], []).append(f"{row['word']}{source}")
    lines = [_line(name, words.get(name, [])) for name in _in_order("")]
    return _HEAD + "\n".join(lines) + "\n"


def _in_order(parent: str) -> Iterator[str]:
    for name, meaning in _BY_NAME.items():
        if meaning.parent == parent:
            yield name
            yield from _in_order(name)


def _line(name: str, words: list[str]) -> str:
    meaning = _BY_NAME[name]
    answers = {
        (True, True): "melanoma",
        (False, True): "malignant",
        (False, False): "benign",
        (False, None): "no melanoma; malignant or not is open",
        (None, True): "malignant; melanoma or not is open",
        (None, None): "open",
    }
    indent = "  " * (len(lineage(name)) - 1)
    said = answers[meaning.melanoma, meaning.malignant]
    return f"{indent}- **{name}**: {said}" + (f" · {'; '.join(words)}" if words else "")


_HEAD = """# One vocabulary

Every archive has words of its own. They are mapped by one table,
[`lentigo/datasets/reading/diagnoses.csv`](../lentigo/datasets/reading/diagnoses.csv);
this page is written from it by `make docs`. A word that is not in the table is never
guessed: where the label of an image hangs on it, the table is refused, with each such word
and its count. Say what they mean with `--map 'diagnosis:Melanom=melanoma,NZN=nevus'`, or
fill in the table that `--write-map words.csv` writes and give it as `--map words.csv`; or
go on with `--unknown missing`, which leaves these images without a label and counts them.
In Python:
`lentigo.read_table(..., map={"Melanom": "melanoma"}, unknown="missing")`.

Not told apart are upper and lower case, accents, ß and ss, ä and ae, spaces, underscores
and hyphens, tumor and tumour, an s of the plural, and a full stop or comma at the end.
Behind a word for melanoma a stage, a level of Clark or a thickness is ignored (`Melanom,
pT1a`, `SSM 0,4 mm`), and two such words make one (`malignes Melanom (SSM)`). Anything else
makes another word: `no melanoma`, `V.a. Melanom`, `Z.n. Melanom` and `melanoma?` are not
understood. Nor are `MM`, which may be a myeloma, and `NM` and `NMM`, which may be nodular
or no melanoma.

What is derived:

- `melanoma` is yes for melanoma and all that stands below it in the tree, melanoma in situ
  (lentigo maligna among it) and metastases of melanoma included. It is open for melanocytic
  lesions of which no more is said or that lie between nevus and melanoma (atypical Spitz
  tumor, MELTUMP, and the melanocytomas of the WHO, pigmented epithelioid melanocytoma among
  them), and for a collision with a malignant lesion. Such images have no label, and their
  number is said; where an archive itself calls one benign, it is no melanoma.
- `malignant` is yes for melanoma and for every branch that is called malignant.
- `malignant` is missing where the word leaves it open: HAM10000's `akiec` is actinic
  keratosis and carcinoma in situ in one. Actinic keratosis itself counts as benign, as a
  precursor.
- Below `indeterminate` the archive does not decide between benign and malignant, and
  neither do we: `malignant` is missing for all of it but actinic keratosis.
- Where an archive also says itself whether a lesion is malignant, that answer fills what
  the diagnosis leaves open. Where the two contradict each other, the diagnosis is believed,
  and the notes say how often.
- Further columns are compared with the label. A column of diagnoses, by its name (`final
  diagnosis`, `Histologischer Befund`, `ICD10`) or because half of its filled cells are
  diagnoses, may not name a melanoma where the label says none, nor hold words behind which
  one may be: the table is refused until the words are mapped or `--column melanoma=NAME`
  says which column is believed. A name that speaks of history, of a suspicion or of
  somebody's answer (`Verdachtsdiagnose`, `family history`) is only told. So is a sentence
  in any other column that tells of a melanoma (`Bemerkung`: "V.a. malignes Melanom"), with
  the number of images; it is never a label. What is denied, past or said of a relative ("no
  evidence of melanoma", "Z.n. Melanom") is no such sentence.
- Words such as dysplastic, atypical or Clark nevus lead to nevus: the archives use them for
  the same lesions.

The words are those of the ISIC Archive's own list of diagnoses (all levels of
`isic-metadata` 4.12), HAM10000, ISIC 2016 to 2024, BCN20000, MILK10k, PAD-UFES-20, PH²,
derm7pt, Fitzpatrick17k (all 114 labels) and DDI (all 78), the codes of ICD-10 (C43, D03,
D22 …), ICD-11 and ICD-O-3, and common words of German, Spanish, French, Italian, Portuguese
and Chinese.

Sexes, sites (the six of SIIM-ISIC 2020), skin types (Fitzpatrick 1 to 6) and modalities are
mapped in
[`lentigo/datasets/reading/vocabulary.py`](../lentigo/datasets/reading/vocabulary.py), and
in the other languages, with yes and no, in
[`lentigo/datasets/reading/words.csv`](../lentigo/datasets/reading/words.csv). The side of
the body beside a site is ignored (`Rücken re.`, `left arm`, `左上臂`).

## The tree of diagnoses

Behind the dot stand further words, with the archive that uses them; or with their language
(de, es, fr, it, pt, zh, or en) and the title or guideline that has them: ICD-10 and its
national editions (ICD-10-GM, ICD-10-CM, CIE-10, CIM-10, CID-10), ICD-11, ICD-O-3, WHO 2023
(the WHO classification of skin tumours, fifth edition), or AWMF with the number of the
German guideline. `usage` is a word of everyday use that was taken from no list.

"""
