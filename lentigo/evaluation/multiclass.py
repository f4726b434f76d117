"""Metrics of several diagnoses: balanced accuracy, AUC of each against the rest, top-k.

Columns of predictions and truth are matched by name, whatever their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from lentigo.datasets.reading.diagnoses import DIAGNOSES, lineage
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, group_sums
from lentigo.evaluation.joining import OF_TRUTH
from lentigo.evaluation.true_diagnoses import NO_DIAGNOSIS, diagnosis_words, is_one_hot
from lentigo.tables import DIAGNOSIS_COLUMNS, ROUNDING
from lentigo.words import counted, some, verb

_FEWEST = 3
"""The smallest number of diagnoses judged as several; two are melanoma and the rest."""
_ROUNDED = 0.005
"""Probabilities that were rounded to two digits are wrong by up to this."""


@dataclass(frozen=True)
class Diagnoses:
    """True and called diagnosis of each of N images, (N,) indices into `names`."""

    names: tuple[str, ...]
    truth: IntArray
    called: IntArray
    score: FloatArray | None = None
    """The probability of each diagnosis, (N, classes); None where not known."""
    rows: BoolArray | None = None
    """True for the judged images that are among these N, False for the others; None where
    these are all the judged images."""

    def of(self, group: IntArray) -> IntArray:
        """Return these images' entries of `group`, the groups of all judged images."""
        return group if self.rows is None else group[self.rows]


@dataclass(frozen=True)
class Classes:
    """The mean recall over the classes that images truly have, from sums over images."""

    diagnoses: Diagnoses
    group: IntArray
    """The group of each image of `diagnoses`, an integer from 0."""
    groups: int

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """Count images of each class, then those called rightly: (2 × classes, groups)."""
        truth, count = self.diagnoses.truth, len(self.diagnoses.names)
        right = self.diagnoses.called == truth
        row = np.concatenate([truth, count + truth[right]])
        group = np.concatenate([self.group, self.group[right]])
        return group_sums(row, group, np.ones(len(row)), shape=(2 * count, self.groups))

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return the mean recall, (R,), from the sums of R resamples, (R, 2 × classes)."""
        there, right = np.split(sums, 2, axis=1)
        recall = np.divide(right, there, out=np.zeros(there.shape), where=there > 0)
        present = (there > 0).sum(axis=1)
        return {"multiclass_balanced_accuracy": recall.sum(axis=1) / present}


def balanced_accuracy(truth: IntArray, called: IntArray) -> float:
    """The mean over classes of the share of images called rightly.

    `truth` and `called` are (N,) class indices. A class that no image truly has does not
    count. NaN without images.
    """
    classes = np.unique(truth)
    if not len(classes):
        return float("nan")
    return float(np.mean([(called[truth == c] == c).mean() for c in classes]))


def among_likeliest(score: FloatArray, truth: IntArray, number: int) -> BoolArray:
    """Tell whether each image's true diagnosis is among the `number` most probable: (N,).

    `score` is (N, classes), `truth` (N,) class indices. A true diagnosis that ties with
    others for the last place does not count as among them.
    """
    own = np.take_along_axis(score, truth[:, np.newaxis], axis=1)
    return np.asarray((score >= own).sum(axis=1) <= number)


def find_diagnoses(table: pd.DataFrame) -> tuple[Diagnoses | None, list[str]]:
    """Find the diagnoses that predictions and truth share by name, in any column order.

    `table` comes from `match`: columns of the predictions, and of the truth with
    `OF_TRUTH`. Case and a leading `p_` or `probability_` do not matter. The truth has
    columns of 0 and 1, or one column of words, which may be synonyms (`nv`, nevus) or
    subtypes (blue nevus). The most probable class is called (`likeliest`). None where fewer
    than three diagnoses are shared, or, with columns of 0 and 1, an image has none or
    several of them or lacks a score; the sentences say which were matched, or why they were
    not.
    """
    pairs = _shared_columns(table)
    if len(pairs) < _FEWEST:
        return _by_words(table)
    truth = table[[theirs for _, theirs in pairs.values()]].to_numpy(np.float64)
    score = table[[ours for ours, _ in pairs.values()]].to_numpy(np.float64)
    odd = (truth.sum(axis=1) != 1) | np.isnan(score).any(axis=1)
    if odd.any():
        return None, [
            f"Balanced accuracy over {some(list(pairs), at_most=12)} is left out: "
            f"{counted(int(odd.sum()), 'image')} of none or several of these, or "
            f"without a score: "
            f"{some(table.loc[odd, 'image_id'].tolist())}."
        ]
    if outside := _outside(score, list(pairs)):
        return None, [outside]
    diagnoses = Diagnoses(tuple(pairs), truth.argmax(axis=1), likeliest(score), score=score)
    note = f"Classes are matched by name: {some(list(pairs), at_most=12)}."
    compared = {ours for ours, _ in pairs.values()}
    others = [ours for _, ours in _predicted(table) if ours not in compared]
    beside = table[others].to_numpy(np.float64)
    return diagnoses, [note, *_on_sums(score, beside), *_on_ties(diagnoses)]


def _outside(score: FloatArray, names: list[str]) -> str:
    """Return why classes are not compared, if a column is on another scale; else empty.

    `score` is (N, classes), without NaN.
    """
    odd = np.flatnonzero(((score < -ROUNDING) | (score > 1 + ROUNDING)).any(axis=0))
    if not len(odd):
        return ""
    which, own = [names[place] for place in odd], score[:, odd]
    return (
        f"Balanced accuracy over {some(names, at_most=12)} is left out: {some(which)} "
        f"{verb(len(which), 'holds', 'hold')} numbers outside 0–1 ({own.min():.3g} to "
        f"{own.max():.3g}), which cannot be compared with the probability of melanoma."
    )


def _on_sums(score: FloatArray, beside: FloatArray | None = None) -> list[str]:
    """Return a sentence if probabilities, (N, classes), do not add up to 1; else none.

    They may do so together with `beside`, (N, others), those of the predicted classes that
    the truth lacks.
    """
    sums = score.sum(axis=1)
    off = ~_is_whole(score)
    if beside is not None:
        off &= ~_is_whole(np.hstack([score, beside]))
    if not off.any():
        return []
    return [
        f"The probabilities of these classes add up to {sums.min():.3g} to "
        f"{sums.max():.3g}, and not to 1 in {int(off.sum()):,} of "
        f"{counted(len(sums), 'image')}; the likeliest class is called all the same."
    ]


def _is_whole(score: FloatArray) -> BoolArray:
    """Tell whether the probabilities of each image, (N, classes), add up to 1: (N,)."""
    return np.asarray(np.abs(score.sum(axis=1) - 1) <= _ROUNDED * score.shape[1] + 1e-9)


def likeliest(score: FloatArray) -> IntArray:
    """Return the most probable class of each image, (N,); −1 where several tie for it.

    `score` is (N, classes). Of tied classes none is called, as ISIC scores; the order of
    the columns would decide otherwise.
    """
    highest = score == score.max(axis=1, keepdims=True)
    return np.where(highest.sum(axis=1) == 1, highest.argmax(axis=1), -1)


def _on_ties(diagnoses: Diagnoses) -> list[str]:
    tied = int((diagnoses.called < 0).sum())
    if not tied:
        return []
    return [
        f"{counted(tied, 'image')} of {len(diagnoses.called):,} "
        f"{verb(tied, 'has', 'have')} several diagnoses of the highest probability: none "
        "of them is called, which counts as wrong."
    ]


def _by_words(table: pd.DataFrame) -> tuple[Diagnoses | None, list[str]]:
    """Find the diagnoses from a truth column of words and one probability column each."""
    words = diagnosis_words(table)
    columns = dict(_predicted(table)) if words is not None else {}
    if words is None or len(columns) < _FEWEST:
        return None, []
    names = list(columns)
    place = {str(word): _place(str(word), names) for word in words.unique()}
    truth = np.array([place[str(word)] for word in words], dtype=np.intp)
    score = table[list(columns.values())].to_numpy(np.float64)
    rows = (truth >= 0) & ~np.isnan(score).any(axis=1)
    if len(np.unique(truth[rows])) < 2:
        return None, []
    lost = int((~rows).sum())
    notes = [f"Classes are matched by name: {some(names, at_most=12)}.", *_strange(table)]
    if lost:
        other = sorted(set(words[truth < 0]) - {NO_DIAGNOSIS})
        which = f" ({some(other)})" if other else ""
        notes.append(
            f"{counted(lost, 'image')} of another diagnosis{which}, of none, or without a "
            "score are left out where several diagnoses are judged at once."
        )
    judged = score[rows]
    found = Diagnoses(tuple(names), truth[rows], likeliest(judged), score=judged, rows=rows)
    return found, [*notes, *_on_sums(judged), *_on_ties(found)]


def _place(word: str, names: list[str]) -> int:
    """Return the index in `names` of the diagnosis `word`, or of its parent; −1 if none."""
    found = next((name for name in lineage(word) if name in names), None)
    return -1 if found is None else names.index(found)


def _predicted(table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield pairs of a diagnosis in our vocabulary and its probability column."""
    for column in table:
        if (meaning := _meaning(table, column)) and _is_inside(table[column]):
            yield meaning, str(column)


def _strange(table: pd.DataFrame) -> list[str]:
    """Return a sentence on columns called as diagnoses with numbers outside 0–1."""
    found = {
        str(column): table[column]
        for column in table
        if _meaning(table, column) and not _is_inside(table[column])
    }
    if not found:
        return []
    low = min(column.min() for column in found.values())
    high = max(column.max() for column in found.values())
    return [
        f"{some(list(found))} {verb(len(found), 'is', 'are')} not among the classes, for "
        f"numbers outside 0–1 ({low:.3g} to {high:.3g})."
    ]


def _meaning(table: pd.DataFrame, column: Any) -> str | None:
    """Return our word for the diagnosis that a column of the predictions is called by.

    None where it holds no numbers, or is called otherwise.
    """
    name = _plain(column)
    if str(column).endswith(OF_TRUTH) or name in _NO_CLASS - {"melanoma"}:
        return None
    meaning = DIAGNOSES.find(name)
    return meaning.name if meaning is not None and _is_number(table[column]) else None


def _is_inside(column: pd.Series[Any]) -> bool:
    return bool(column.dropna().between(-ROUNDING, 1 + ROUNDING).all())


_NO_CLASS = {"image_id", "probability", "melanoma", "malignant", "target", "logit", "fold"}


def _shared_columns(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return class name → (column of the predictions, column of the truth)."""
    ours: Mapping[str, str] = {
        _plain(name): str(name) for name in table if not str(name).endswith(OF_TRUTH)
    }
    pairs = {}
    for column in table:
        name = str(column).removesuffix(OF_TRUTH)
        if name == column or _plain(name) in _NO_CLASS or _plain(name) not in ours:
            continue
        source = ours[_plain(name)]
        if _is_number(table[source]) and is_one_hot(table[column]):
            pairs[name] = (source, str(column))
    return pairs


def _is_number(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype)


def _plain(name: object) -> str:
    return str(name).strip().lower().removeprefix("p_").removeprefix(DIAGNOSIS_COLUMNS)
