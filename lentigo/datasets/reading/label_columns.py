"""Read the label columns of one table together: melanoma, malignant and diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import (
    ABOUT_MELANOMA,
    MALIGNANT_KEYS,
    header,
    is_hearsay,
    key,
)
from lentigo.datasets.reading.known_words import MALIGNANT, NOT_MELANOMA
from lentigo.datasets.reading.label_conflicts import (
    column_conflicts,
    refuse_conflicts,
)
from lentigo.datasets.reading.label_settling import (
    Labels,
    differing,
    settled_beside,
    settled_by_diagnoses,
    with_malignant,
    with_others,
)
from lentigo.datasets.reading.label_siblings import other_answers, other_diagnoses
from lentigo.datasets.reading.labels import read_label, says_malignant
from lentigo.datasets.reading.melanoma_sentences import told_in_sentences
from lentigo.datasets.reading.melanoma_words import share_of_diagnoses, unknown_diagnoses
from lentigo.datasets.reading.other_columns import compared_with_others, without_role
from lentigo.datasets.reading.vocabulary import map_diagnoses, without_open
from lentigo.datasets.reading.word_map import refuse_words, translated
from lentigo.table_files.not_known import plain
from lentigo.words import counted


def read_labels(
    source: pd.DataFrame,
    chosen: Mapping[str, str],
    *,
    where: str,
    named: bool = False,
    named_diagnosis: bool = False,
) -> Labels:
    """Read the columns diagnosis, melanoma and malignant of `source` together.

    `chosen` maps columns of a lesion table to columns of `source`; `where` names the table
    in messages. A label column that tells malignant or benign gives way to the diagnosis,
    or to a column of diagnoses without a known name (`_with_told_diagnosis`); its "benign"
    counts only where the diagnosis leaves melanoma open. Where no diagnosis says whether it
    is melanoma, malignant is taken to mean melanoma. Any other label column takes
    precedence over the diagnosis, which fills in missing labels. `named` tells that the
    user chose the label column: then it is the label even if it tells malignant, and
    contradictions are only noted. If only malignancy is contradicted (a carcinoma called
    benign, or no column melanoma in `chosen`), the diagnosis is believed, with a note.
    `named_diagnosis` tells that the user chose the diagnosis: then other columns of
    diagnoses say nothing, and notes count where they differ.
    Columns without a role are compared, too (`compared_with_others`).

    Raises `UnknownWordsError` for an unknown word in the columns melanoma or malignant, or
    in the diagnosis of an image without another label (if `chosen` has melanoma), unless
    the user goes on without them, and `ColumnError` where one of the first two holds words
    but no label or, unless `named`, the label column contradicts another one.
    """
    if not named and not named_diagnosis:
        chosen = _with_told_diagnosis(source, chosen, where=where)
    said, notes = _diagnosed(source, chosen)
    if named_diagnosis:
        source, more = _without_other_diagnoses(source, chosen, said)
        notes += more
    own, more = _own_malignant(source, chosen, where=where)
    first = Labels(said, None, [*notes, *more])
    if "melanoma" in chosen:
        believed = named or named_diagnosis
        found, own = _with_label(source, chosen, first, own, where=where, named=named)
        label, told = compared_with_others(
            source,
            found.table["melanoma"],
            chosen,
            column=found.column or chosen["melanoma"],
            where=where,
            named=believed,
        )
        table, more = with_malignant(found.table.assign(melanoma=label), own)
        last = [*told, *more]
    else:
        found = first
        table, more = with_malignant(said, own)
        free = without_role(source, chosen)
        last = [*more, *told_in_sentences(source, table["melanoma"], free, column=None)]
    notes = _of_open(found.notes, said, table["melanoma"])
    return Labels(table, found.column, [*notes, *last])


def _with_label(
    source: pd.DataFrame,
    chosen: Mapping[str, str],
    first: Labels,
    own: pd.Series[Any],
    *,
    where: str,
    named: bool,
) -> tuple[Labels, pd.Series[Any]]:
    """Return what the label column says beside the diagnosis, and the malignancy.

    `first` is what the diagnosis says, `own` the column malignant; the other arguments are
    those of `read_labels`.
    """
    taken, said = chosen["melanoma"], first.table
    beside = chosen.get("diagnosis", taken) != taken
    same = "diagnosis" in chosen and not beside
    label, of_label = read_label(source[taken], source=where, diagnoses=same)
    malignancy = beside and not named and _asks_malignancy(source[taken], label, said)
    if not named:
        found = column_conflicts(
            source, chosen, label=label, said=said, own=own, malignancy=malignancy
        )
        image = chosen.get("image_id")
        refuse_conflicts(source, found, where=where, image=image, advice=_ADVICE)
    notes = first.notes
    if malignancy:
        own = label if own.isna().all() else own
        settled = settled_by_diagnoses(label, said, source, chosen)
    else:
        notes = [*notes, *of_label] if beside else of_label
        settled = settled_beside(label, said, chosen, malignancy=False)
        settled = settled if named else with_others(settled, source, chosen)
    _refuse_open(source, settled.table["melanoma"], chosen, where=where)
    notes = [*notes, *settled.notes]
    if settled.column == taken:
        notes += _otherwise(source, settled.table["melanoma"], taken)
    return replace(settled, notes=notes), own


def _of_open(notes: list[str], said: pd.DataFrame, label: pd.Series[Any]) -> list[str]:
    """Return notes without the claim that melanoma stays open, where it does for no row."""
    unknown = said["diagnosis"].notna() & said["melanoma"].isna()
    return notes if label[unknown].isna().any() else without_open(notes)


def _with_told_diagnosis(
    source: pd.DataFrame, chosen: Mapping[str, str], *, where: str
) -> Mapping[str, str]:
    """Return `chosen` with a column of diagnoses that no known name tells, if one helps.

    It helps beside a label that means malignant: its cells are diagnoses, and say of every
    malignant image whether it is melanoma (`disease`, `diagnosis_3`).
    """
    taken, own = chosen.get("melanoma"), chosen.get("diagnosis")
    if taken is None or own == taken or key(taken) in ABOUT_MELANOMA:
        return chosen
    if own is not None and plain(source[own]).notna().any():
        return chosen
    label = read_label(source[taken], source=where)[0]
    best, most = None, 0
    for name in without_role(source, chosen):
        if is_hearsay(header(name)) or share_of_diagnoses(source[name]) < 0.5:
            continue
        said = _with_benign(map_diagnoses(source[name])[0])
        told = said["melanoma"].notna()
        all_told = told[label.eq(True).fillna(False).astype(bool)].all()
        if all_told and told.sum() >= most and _asks_malignancy(source[taken], label, said):
            best, most = name, int(told.sum())  # of equal ones the last: it tells more
    return chosen if best is None else {**chosen, "diagnosis": best}


def _without_other_diagnoses(
    source: pd.DataFrame, chosen: Mapping[str, str], said: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Return `source` without columns of diagnoses that are not in `chosen`, and notes.

    The notes count the images of which they say otherwise than `said`, the diagnosis.
    """
    used, notes, dropped = set(chosen.values()), [], []
    for name, theirs in other_diagnoses(source, chosen):
        if name in used:
            continue
        dropped.append(name)
        if count := int(differing(theirs["melanoma"], said["melanoma"]).sum()):
            notes.append(
                f"The column {name} says otherwise for {counted(count, 'image')}; "
                f"{chosen['diagnosis']} is used."
            )
    return source.drop(columns=dropped), notes


_ADVICE = "say which is believed: --column melanoma={first} or --column melanoma={other}"


def _otherwise(source: pd.DataFrame, label: pd.Series[Any], chosen: str) -> list[str]:
    """Return sentences on other columns whose answers differ from `label`.

    `chosen` is the name of the column in `source` that `label` was read from.
    """
    notes = []
    for name, answer in other_answers(source, chosen):
        if count := int((answer != label).sum()):
            notes.append(
                f"The column {name} says otherwise for "
                f"{counted(count, 'image')}; {chosen} is used."
            )
    return notes


def _diagnosed(
    source: pd.DataFrame, chosen: Mapping[str, str]
) -> tuple[pd.DataFrame, list[str]]:
    if "diagnosis" in chosen:
        said, notes = map_diagnoses(source[chosen["diagnosis"]])
        return _with_benign(said), notes
    types = {"diagnosis": "string", **dict.fromkeys(_BOOLEAN, "boolean")}
    return pd.DataFrame(
        {name: pd.Series(pd.NA, source.index, dtype) for name, dtype in types.items()}
    ), []


def _with_benign(said: pd.DataFrame) -> pd.DataFrame:
    """Fill melanoma, and malignant, where the diagnosis is only called benign."""
    words = plain(said["diagnosis"])
    benign = MALIGNANT.of(words).eq(False).fillna(False)
    not_melanoma = NOT_MELANOMA.of(words).eq(False).fillna(False)
    return said.assign(
        melanoma=said["melanoma"].mask(said["melanoma"].isna() & not_melanoma, False),
        malignant=said["malignant"].mask(said["malignant"].isna() & benign, False),
    )


_BOOLEAN = ("melanoma", "malignant")


def _own_malignant(
    source: pd.DataFrame, chosen: Mapping[str, str], *, where: str
) -> tuple[pd.Series[Any], list[str]]:
    if "malignant" not in chosen:
        return pd.Series(pd.NA, index=source.index, dtype="boolean"), []
    return read_label(source[chosen["malignant"]], source=where, name="malignant")


def _asks_malignancy(
    column: pd.Series[Any], label: pd.Series[Any], said: pd.DataFrame
) -> bool:
    """Tell whether a label column, beside diagnoses, means malignant and not melanoma.

    It does if its name or its words say malignant, or if its `label` contradicts the
    diagnosis only by 1 for cancers that are not melanoma. `said` is as in `settled_beside`.
    """
    if said["melanoma"].isna().all():
        return False
    if key(column.name) in MALIGNANT_KEYS or says_malignant(column).any():
        return True
    differs = differing(label, said["melanoma"])
    cancers = label.eq(True) & said["malignant"].eq(True)
    return (
        key(column.name) not in ABOUT_MELANOMA
        and bool(differs.any())
        and bool(cancers.fillna(False)[differs].all())
    )


def _refuse_open(
    source: pd.DataFrame, label: pd.Series[Any], chosen: Mapping[str, str], *, where: str
) -> None:
    """Raise `UnknownWordsError` for unknown diagnoses of images without another label.

    `chosen` maps columns of a lesion table to columns of `source`, which `where` names.
    """
    if "diagnosis" in chosen:
        words = translated(source[chosen["diagnosis"]], name="diagnosis")
        strange = words[label.isna() & unknown_diagnoses(words)]
        refuse_words(strange, name=chosen["diagnosis"], source=where)
