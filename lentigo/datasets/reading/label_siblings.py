"""Further columns of a table that answer the question of its label column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import (
    DIAGNOSIS_KEYS,
    LABEL_KEYS,
    header,
    key,
)
from lentigo.datasets.reading.known_words import LABEL_WORDS, MALIGNANT
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.datasets.reading.word_map import translated
from lentigo.table_files.each_value import each_value
from lentigo.table_files.not_known import plain
from lentigo.words import counted


def other_answers(source: pd.DataFrame, taken: str) -> Iterator[tuple[str, pd.Series[Any]]]:
    """Yield name and answers of other columns that ask the same question as `taken`.

    An answer is missing where the cell is empty or not understood. A column of other
    numbers than 0 and 1 is left out: it numbers classes, or something else. "Malignant"
    beside a column of melanomas is no answer, since it may be another cancer.
    """
    for name in source.columns:
        one, other = header(name), header(taken)
        same = one == other or {key(one), key(other)} <= LABEL_KEYS
        if name == taken or not same:
            continue
        words = plain(translated(source[name], name="melanoma"))
        numbers = pd.to_numeric(words, errors="coerce")
        if not numbers.dropna().isin([0, 1]).all():
            continue
        answer = each_value(words, _answer)
        if answer.notna().any():
            yield str(name), answer


def _answer(words: pd.Series[Any]) -> pd.Series[Any]:
    numbers = pd.to_numeric(words, errors="coerce")
    answer = LABEL_WORDS.of(words).astype("boolean")
    answer = answer.mask(MALIGNANT.of(words).eq(True).fillna(False).astype(bool))
    answer = answer.mask(numbers.eq(0).fillna(False), False)
    return answer.mask(numbers.eq(1).fillna(False), True)


def other_diagnoses(
    source: pd.DataFrame, chosen: Mapping[str, str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield name and content of the columns of diagnoses that are not in `chosen`.

    The content is that of `map_diagnoses`, with missing values for words that are no
    diagnosis. `chosen` maps columns of a lesion table to columns of `source`.
    """
    used = {chosen.get("diagnosis"), chosen.get("melanoma")}
    for name in source.columns:
        if name in used or key(header(name)) not in DIAGNOSIS_KEYS:
            continue
        theirs = map_diagnoses(source[name])[0]
        if theirs["melanoma"].notna().any():
            yield str(name), theirs


def filled_by_others(
    label: pd.Series[Any],
    source: pd.DataFrame,
    chosen: Mapping[str, str],
    *,
    malignancy: bool,
) -> tuple[pd.Series[Any], list[str]]:
    """Return `label`, where missing as further columns say, and notes on these images.

    `chosen` maps columns of a lesion table to columns of `source`; it must have melanoma.
    With `malignancy` this column means malignant, as others may, `label` is that of the
    diagnosis, and only diagnoses count.
    """
    notes, taken = [], chosen["diagnosis" if malignancy else "melanoma"]
    answers = [] if malignancy else list(other_answers(source, taken))
    said = [(name, theirs["melanoma"]) for name, theirs in other_diagnoses(source, chosen)]
    for name, answer in [*answers, *said]:
        found = label.isna() & answer.notna()
        if count := int(found.sum()):
            notes.append(
                f"The column {taken} says nothing for {counted(count, 'image')} whose "
                f"label is read from {name}."
            )
        label = label.fillna(answer)
    return label, notes
