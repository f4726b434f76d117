"""Read the label columns of one table together: melanoma, malignant and diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from lentigo.datasets.reading.label_siblings import (
    filled_by_others,
    other_answers,
    other_diagnoses,
)
from lentigo.datasets.reading.labels import read_label, says_malignant
from lentigo.datasets.reading.melanoma_sentences import told_in_sentences
from lentigo.datasets.reading.melanoma_words import share_of_diagnoses, unknown_diagnoses
from lentigo.datasets.reading.other_columns import compared_with_others, without_role
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.datasets.reading.word_map import refuse_words, translated
from lentigo.table_files.not_known import plain
from lentigo.words import counted, some


@dataclass(frozen=True)
class Labels:
    """The labels of one table."""

    table: pd.DataFrame
    """The columns diagnosis, melanoma and malignant; its rows are those of the source."""
    column: str | None
    """The column from which melanoma was read; None where the table has only a
    diagnosis."""
    notes: list[str]
    """Sentences on what was guessed, and on labels that contradict each other."""


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
    notes += more
    if "melanoma" not in chosen:
        table, more = _with_malignant(said, own)
        free = without_role(source, chosen)
        more += told_in_sentences(source, table["melanoma"], free, column=None)
        return Labels(table, None, [*notes, *more])
    taken = chosen["melanoma"]
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
    if malignancy:
        own = label if own.isna().all() else own
    else:
        notes = [*notes, *of_label] if beside else of_label
    if malignancy:
        settled = _settled_by_diagnoses(label, said, source, chosen)
    else:
        settled = _settled(label, said, chosen, malignancy=False)
        settled = settled if named else _with_others(settled, source, chosen)
    _refuse_open(source, settled.table["melanoma"], chosen, where=where)
    notes = [*notes, *settled.notes]
    if settled.column == taken:
        notes += _otherwise(source, settled.table["melanoma"], taken)
    label, told = compared_with_others(
        source,
        settled.table["melanoma"],
        chosen,
        column=settled.column or taken,
        where=where,
        named=named or named_diagnosis,
    )
    table, more = _with_malignant(settled.table.assign(melanoma=label), own)
    return Labels(table, settled.column, [*notes, *told, *more])


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
        if count := int(_differs(theirs["melanoma"], said["melanoma"]).sum()):
            notes.append(
                f"The column {name} says otherwise for {counted(count, 'image')}; "
                f"{chosen['diagnosis']} is used."
            )
    return source.drop(columns=dropped), notes


def _settled(
    label: pd.Series[Any],
    said: pd.DataFrame,
    chosen: Mapping[str, str],
    *,
    malignancy: bool,
) -> Labels:
    """Return the table of labels, the column they are read from, and notes.

    `label` is the content of the label column, `said` the diagnosis with melanoma and
    malignant as it implies them; `chosen` maps columns of a lesion table to columns of the
    source. With `malignancy` the label column means malignant.
    """
    taken, notes = chosen["melanoma"], list[str]()
    if chosen.get("diagnosis", taken) == taken:
        label = label.fillna(said["melanoma"])
    elif malignancy:
        label, notes = _by_diagnosis(label, said, chosen)
        taken = chosen["diagnosis"]
    else:
        label, notes = _beside_diagnosis(label, said, chosen)
    return Labels(said.assign(melanoma=label), taken, notes)


def _with_others(
    settled: Labels, source: pd.DataFrame, chosen: Mapping[str, str]
) -> Labels:
    """Fill labels that are still missing from further columns of the table."""
    label, notes = filled_by_others(
        settled.table["melanoma"], source, chosen, malignancy=False
    )
    table = settled.table.assign(melanoma=label)
    return replace(settled, table=table, notes=[*settled.notes, *notes])


def _settled_by_diagnoses(
    label: pd.Series[Any],
    said: pd.DataFrame,
    source: pd.DataFrame,
    chosen: Mapping[str, str],
) -> Labels:
    """Return what `_settled` does for a label column that means malignant.

    What the diagnosis leaves open is first read from further columns of diagnoses.
    """
    whole, notes = filled_by_others(said["melanoma"], source, chosen, malignancy=True)
    words = said["diagnosis"]
    for _, theirs in other_diagnoses(source, chosen):
        words = words.fillna(theirs["diagnosis"])
    filled = said.assign(melanoma=whole, diagnosis=words)
    settled = _settled(label, filled, chosen, malignancy=True)
    table = said.assign(melanoma=settled.table["melanoma"])
    return replace(settled, table=table, notes=[*notes, *settled.notes])


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
    diagnosis only by 1 for cancers that are not melanoma. `said` is as in `_settled`.
    """
    if said["melanoma"].isna().all():
        return False
    if key(column.name) in MALIGNANT_KEYS or says_malignant(column).any():
        return True
    differs = _differs(label, said["melanoma"])
    cancers = label.eq(True) & said["malignant"].eq(True)
    return (
        key(column.name) not in ABOUT_MELANOMA
        and bool(differs.any())
        and bool(cancers.fillna(False)[differs].all())
    )


def _by_diagnosis(
    label: pd.Series[Any], said: pd.DataFrame, chosen: Mapping[str, str]
) -> tuple[pd.Series[Any], list[str]]:
    """Return melanoma or not as the diagnosis implies it, and notes on other images.

    Where the diagnosis leaves it open, and the label says benign, it is not melanoma. The
    arguments are those of `_settled`; the label column means malignant.
    """
    settled = said["melanoma"].mask(said["melanoma"].isna() & label.eq(False), False)
    name, diagnosis = chosen["melanoma"], chosen["diagnosis"]
    notes = [
        f"The column {name} says malignant, not melanoma, which is read from {diagnosis}."
    ]
    others = (label.eq(True) & settled.eq(False)).fillna(False)
    if count := int(others.sum()):
        notes.append(
            f"{counted(count, 'image')} that {name} calls malignant "
            f"{'is' if count == 1 else 'are'} no melanoma by the diagnosis "
            f"({_listed(said.loc[others, 'diagnosis'])})."
        )
    if count := int((label.eq(True) & settled.isna()).fillna(False).sum()):
        notes.append(
            f"{counted(count, 'image')} that {name} calls malignant without a diagnosis "
            f"that says whether it is melanoma: no label. --column melanoma={name} takes "
            "every malignant one for a melanoma."
        )
    return settled, notes


def _beside_diagnosis(
    label: pd.Series[Any], said: pd.DataFrame, chosen: Mapping[str, str]
) -> tuple[pd.Series[Any], list[str]]:
    """Return the label, where missing as the diagnosis implies it, and notes.

    A note counts labels that contradict the diagnosis; these are kept. The arguments are
    those of `_settled`.
    """
    name, diagnosis = chosen["melanoma"], chosen["diagnosis"]
    filled = label.fillna(said["melanoma"])
    notes = []
    if count := int((label.isna() & filled.notna()).sum()):
        notes.append(
            f"The column {name} says nothing for {counted(count, 'image')} whose label is "
            f"read from {diagnosis}."
        )
    differs = _differs(label, said["melanoma"])
    if count := int(differs.sum()):
        words = _listed(said.loc[differs, "diagnosis"])
        notes.append(
            f"The diagnosis contradicts the column {name} for {counted(count, 'image')} "
            f"({words}); {name} is used. --column melanoma={diagnosis} takes the diagnosis."
        )
    return filled, notes


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


def _with_malignant(
    table: pd.DataFrame, own: pd.Series[Any]
) -> tuple[pd.DataFrame, list[str]]:
    """Fill in missing `malignant` from `own`, the table's column; also return notes.

    It is also true for each melanoma where both are missing. Notes count contradictions.
    """
    differs = _differs(table["malignant"], own)
    malignant = table["malignant"].fillna(own)
    known = (malignant.isna() & table["melanoma"].eq(True)).fillna(False)
    notes = []
    if count := int(differs.sum()):
        notes.append(
            f"The table's own word on malignancy contradicts the diagnosis for "
            f"{counted(count, 'image')} ({_listed(table.loc[differs, 'diagnosis'])}); the "
            "diagnosis is believed."
        )
    filled = malignant.mask(known, True)
    if count := int((table["melanoma"].eq(True) & filled.eq(False)).fillna(False).sum()):
        notes.append(f"{counted(count, 'image')} called melanoma and not malignant.")
    return table.assign(malignant=filled), notes


def _differs(one: pd.Series[Any], other: pd.Series[Any]) -> pd.Series[bool]:
    return (one != other).fillna(False).astype(bool)


def _listed(words: pd.Series[Any]) -> str:
    counts = words.value_counts()
    return some([f"{word} ({count:,})" for word, count in counts.items()])
