"""Balanced accuracy over several diagnoses, their columns matched by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from lentigo.evaluation.intervals import FloatArray, IntArray, group_sums
from lentigo.evaluation.joining import OF_TRUTH
from lentigo.words import counted, some


@dataclass(frozen=True)
class Diagnoses:
    """True and called diagnosis of each image, as numbers into `names`."""

    names: tuple[str, ...]
    truth: IntArray
    called: IntArray


@dataclass(frozen=True)
class Classes:
    """The mean recall of the classes that are there, as sums over images."""

    diagnoses: Diagnoses
    group: IntArray
    groups: int

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """Images of each class, then those called rightly: (2 classes, groups)."""
        truth, count = self.diagnoses.truth, len(self.diagnoses.names)
        right = self.diagnoses.called == truth
        row = np.concatenate([truth, count + truth[right]])
        group = np.concatenate([self.group, self.group[right]])
        return group_sums(row, group, np.ones(len(row)), shape=(2 * count, self.groups))

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """The metric, (R,), from (R, 2 classes) sums."""
        there, right = np.split(sums, 2, axis=1)
        recall = np.divide(right, there, out=np.zeros(there.shape), where=there > 0)
        present = (there > 0).sum(axis=1)
        return {"multiclass_balanced_accuracy": recall.sum(axis=1) / present}


def balanced_accuracy(truth: IntArray, called: IntArray) -> float:
    """The mean over classes of the share called rightly; (N,) class numbers.

    A class that no image has does not count. NaN for no image.
    """
    classes = np.unique(truth)
    if not len(classes):
        return float("nan")
    return float(np.mean([(called[truth == c] == c).mean() for c in classes]))


def find_diagnoses(table: pd.DataFrame) -> tuple[Diagnoses | None, list[str]]:
    """The diagnoses that predictions and truth share by name, in whatever order.

    `table` comes from `match`: columns of the predictions, and of the truth with
    `OF_TRUTH`. Case and a leading `p_` do not matter. The likeliest class is called. None
    where they share fewer than three one-hot columns; the sentences say what was matched,
    or why it was not.
    """
    pairs = _shared_columns(table)
    if len(pairs) < 3:
        return None, []
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
    diagnoses = Diagnoses(tuple(pairs), truth.argmax(axis=1), score.argmax(axis=1))
    return diagnoses, [f"Classes are matched by name: {some(list(pairs), at_most=12)}."]


_NO_CLASS = {"image_id", "probability", "melanoma", "malignant", "target", "logit", "fold"}


def _shared_columns(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Class name → (column of the predictions, column of the truth)."""
    ours: Mapping[str, str] = {
        _plain(name): str(name) for name in table if not str(name).endswith(OF_TRUTH)
    }
    pairs = {}
    for column in table:
        name = str(column).removesuffix(OF_TRUTH)
        if name == column or _plain(name) in _NO_CLASS or _plain(name) not in ours:
            continue
        source = ours[_plain(name)]
        if _is_number(table[source]) and _is_one_hot(table[column]):
            pairs[name] = (source, str(column))
    return pairs


def _is_one_hot(column: pd.Series[Any]) -> bool:
    return _is_number(column) and bool(column.isin([0, 1]).all())


def _is_number(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype)


def _plain(name: object) -> str:
    return str(name).strip().lower().removeprefix("p_")
