"""Columns and file properties that predict the label better than they should.

Each feature by itself is a small model: its prediction for an image is the share of
melanomas among the training images with the same value (numbers in bins; missing is a value
of its own). It is fitted and evaluated on different groups, and its AUC is measured. A
feature that contains no image content and still predicts the label is a shortcut that a
network may learn, too: the size of a file reveals the clinic, and the clinic the diagnosis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import stdtrit

from lentigo.audit.checks.finding import Finding, Severity, gravest_first
from lentigo.audit.checks.leak_features import Feature, features
from lentigo.curation.splits.leakage import check_features
from lentigo.errors import ColumnError, LeakError
from lentigo.evaluation.intervals import (
    group_sums,
    percentile_interval,
    point,
    ratio,
    resample,
)
from lentigo.words import counted, some, verb

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

SURE = 0.95
"""Above this AUC a single column is taken to be the label in other words. The best networks
for ISIC 2020 reach 0.949 (Ha et al. 2020, arXiv:2010.05351), and they see the image."""
STRONG = 0.70
"""The AUC that a patient's age, sex or site alone may reach without a warning. Age, the
best of the three, has 0.69 in ISIC 2017, 0.67 in HAM10000 and in SIIM-ISIC 2020 and 0.60
in ISIC 2019."""
NOTHING = 0.55
"""The AUC that a technical feature may reach without a warning: whether a column is missing
reaches 0.54 at most within each of these four archives. Two clinics with 1.5 and 2.2 %
melanoma give 0.55."""

_FOLDS = 5
_REPEATS = 500
_PRIOR = 10.0
"""Weight, in images, of the average melanoma rate that is mixed into each value's rate, so
that a value with one or two images does not rank first."""
_ALPHA = 0.05

COLUMNS = ("feature", "kind", "values", "auc", "low", "high", "least", "also")


def target_leaks(
    table: pd.DataFrame,
    *,
    target: str = "melanoma",
    facts: pd.DataFrame | None = None,
    group: str = "group_id",
    seed: int = 0,
) -> tuple[pd.DataFrame, list[Finding]]:
    """Measure how well each column, name and file fact alone predicts `target`.

    The frame has one row per feature, the highest AUC first: `auc` from models that were
    fitted without the image's group; `low` and `high` (95 %, from resampling whole groups);
    `least`, a lower limit that allows for the number of features tested; and `also`, the
    features that divide the images in the same way. `facts` is the result of
    `file_facts(table)`. Findings rest on `least`: of 600 made-up tables with 60 technical
    columns of noise, 6 gave a finding (3 of 150 with 40 groups, 3 of 150 with 30 melanomas,
    none of 300 with more of both). With so few groups or melanomas, `low` and `least` may
    lie a little above 0.5 by chance.

    A refusal (`target-leak`) is a column whose `least` is above 0.95. Warnings are
    `target-leak` for a column whose name says that it is known only after the diagnosis,
    such as `dx_type`; `shortcut` and `source-label-tie` for a technical feature or a source
    whose `least` is above 0.55; and `strong-predictor` for age, sex, site or another column
    whose `least` is above 0.70. `diagnosis` and `malignant` are the label by contract and
    give a note only.

    If all labelled images have the same value of `target`, the frame is empty and the only
    finding is a note.

    Raises `ColumnError` if `target` is not a boolean column, a row has no group, or the
    index of `facts` differs from that of `table`.
    """
    known = _known(table, facts, target, group)
    truth = table.loc[known, target].to_numpy(dtype=bool)
    if truth.all() or not truth.any():
        return pd.DataFrame(columns=list(COLUMNS)), [_of_one_kind(target)]
    found = list(features(table, facts, target=target, melanomas=int(truth.sum())))
    found = _apart([_only(feature, known) for feature in found])
    codes, names = pd.factorize(table.loc[known, group])
    cohort = _Cohort(truth, codes.astype(np.intp), len(names), seed)
    measured = _measure(found, cohort)
    return measured.reset_index(drop=True), _findings(measured, found, cohort, target)


def _of_one_kind(target: str) -> Finding:
    message = (
        f"There are not both images with {target} and images without, so what tells them "
        "apart was not looked for."
    )
    return Finding(check="target-leak", severity="note", message=message)


def _known(
    table: pd.DataFrame, facts: pd.DataFrame | None, target: str, group: str
) -> BoolArray:
    """Return which of the N rows are labelled, (N,) bool, after checking the input.

    Raises `ColumnError` if `facts` has another index, `target` or `group` is no column,
    `target` is not boolean, or a row has no group.
    """
    if facts is not None and not facts.index.equals(table.index):
        raise ColumnError("facts has other rows than the table; take file_facts(table).")
    for name in (target, group):
        if name not in table:
            raise ColumnError(f"The table has no column {name}.")
    if not pd.api.types.is_bool_dtype(table[target].dtype):
        raise ColumnError(f"{target} is no yes-or-no column, so no AUC can be given.")
    if table[group].isna().any():
        raise ColumnError(f"Some rows have no {group}; fill it with assign_groups first.")
    return table[target].notna().to_numpy(dtype=bool)


def _only(feature: Feature, rows: BoolArray) -> Feature:
    return replace(feature, codes=feature.codes[rows])


def _apart(found: Sequence[Feature]) -> list[Feature]:
    """Drop features with one value, and merge features that divide the images alike.

    Two columns that are missing in the same rows would be reported and counted twice. An
    age with one known value predicts no more than its being missing does, and is treated as
    the feature "is missing". A feature of kind `label` or `answer` is kept and merged with
    no other.
    """
    kept: dict[object, Feature] = {}
    for feature in found:
        codes, values = pd.factorize(feature.codes)
        if len(values) < 2:
            continue
        named = feature.kind in {"label", "answer"}
        key: object = feature.name if named else hashlib.sha256(codes.tobytes()).digest()
        first = kept.setdefault(key, feature)
        if first is feature:
            continue
        if first.kind in {"patient", "other"} and feature.kind in {"technical", "source"}:
            kept[key] = replace(feature, also=(first.name, *first.also))
        else:
            kept[key] = replace(first, also=(*first.also, feature.name))
    return list(kept.values())


@dataclass(frozen=True)
class _Cohort:
    """The N labelled images: `truth` and `group`, (N,) each; groups are numbered from 0."""

    truth: BoolArray
    group: IntArray
    groups: int
    """Number of groups."""
    seed: int
    """Seed by which groups are dealt out to the folds."""

    @cached_property
    def fold(self) -> IntArray:
        """The fold of each image.

        Groups are shuffled, those with a melanoma are put first, and all are dealt out to
        the folds in turn.
        """
        melanoma = np.bincount(self.group, weights=self.truth, minlength=self.groups) > 0
        order = np.random.default_rng(self.seed).permutation(self.groups)
        order = order[np.argsort(~melanoma[order], kind="stable")]
        folds = np.empty(self.groups, dtype=np.intp)
        folds[order] = np.arange(self.groups) % _FOLDS
        return folds[self.group]

    @cached_property
    def fewest(self) -> int:
        """Number of groups with a melanoma or with a non-melanoma, the smaller one."""
        return min(len(np.unique(self.group[self.truth == side])) for side in (True, False))

    def rank(self, codes: IntArray) -> tuple[IntArray, IntArray]:
        """Rank each image within its fold by the rate of melanoma in the other folds.

        The first array, (N,), holds the ranks of the N images, numbered on from fold to
        fold; images with the same rate have the same rank. The second, (folds + 1,), holds
        the first rank of each fold, and the number of ranks at the end.
        """
        cell = codes * _FOLDS + self.fold
        shape = (int(codes.max()) + 1, _FOLDS)
        size = shape[0] * shape[1]
        images = np.bincount(cell, minlength=size).reshape(shape).astype(np.float64)
        yes = np.bincount(cell, weights=self.truth, minlength=size).reshape(shape)
        learned = images.sum(axis=1, keepdims=True) - images
        melanomas = yes.sum(axis=1, keepdims=True) - yes
        base = melanomas.sum(axis=0) / np.maximum(learned.sum(axis=0), 1)
        rate = (melanomas + _PRIOR * base) / (learned + _PRIOR)
        # Each fold has its own model, so rates are compared within a fold only: across
        # folds the same value has the lower rate where its own melanomas were left out.
        place, begins = np.empty(shape, dtype=np.intp), [0]
        for fold in range(_FOLDS):
            distinct, order = np.unique(rate[:, fold], return_inverse=True)
            place[:, fold] = begins[-1] + order
            begins.append(begins[-1] + len(distinct))
        return place.ravel()[cell], np.array(begins)


@dataclass(frozen=True)
class _Auc:
    """The AUC of one feature, computed from counts per group, so that it can be resampled.

    See `evaluation.intervals`. Melanomas are compared only with non-melanomas of the same
    fold.
    """

    name: str
    codes: IntArray
    """The value of the feature for each image, (N,); see `Feature.codes`."""
    cohort: _Cohort

    @cached_property
    def _ranked(self) -> tuple[IntArray, IntArray]:
        return self.cohort.rank(self.codes)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """Counts of melanomas, then of non-melanomas, at each of K ranks: (2 K, groups)."""
        place, begins = self._ranked
        row = np.where(self.cohort.truth, place, begins[-1] + place)
        shape = (2 * int(begins[-1]), self.cohort.groups)
        return group_sums(row, self.cohort.group, np.ones(len(row)), shape=shape)

    def metrics(self, sums: FloatArray) -> dict[str, FloatArray]:
        """Return the AUC of each of R resamples, (R,), from sums at K ranks, (R, 2 K)."""
        _, begins = self._ranked
        melanoma, other = np.split(sums, 2, axis=1)
        won, pairs = np.zeros(len(sums)), np.zeros(len(sums))
        for start, stop in pairwise(begins):
            yes, no = melanoma[:, start:stop], other[:, start:stop]
            below = np.cumsum(no, axis=1) - no / 2
            won += (yes * below).sum(axis=1)
            pairs += yes.sum(axis=1) * no.sum(axis=1)
        return {self.name: ratio(won, pairs)}


def _measure(found: Sequence[Feature], cohort: _Cohort) -> pd.DataFrame:
    """Return the AUC of each feature with its limits, the highest first."""
    aucs = [_Auc(str(i), f.codes, cohort) for i, f in enumerate(found)]
    values = point(aucs)
    resampled: Mapping[str, FloatArray] = {}
    if cohort.groups > 1:
        resampled = resample(aucs, groups=cohort.groups, repeats=_REPEATS, seed=cohort.seed)
    rows = []
    looks = sum(feature.kind != "label" for feature in found)
    for number, feature in enumerate(found):
        value = values[str(number)]
        draws = resampled.get(str(number), np.full(1, np.nan))
        interval = percentile_interval(value, draws)
        least = _least(value, draws, fewest=cohort.fewest, looks=looks)
        shown = (feature.name, feature.kind, len(np.unique(feature.codes)))
        rows.append((*shown, value, interval.low, interval.high, least, some(feature.also)))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.sort_values("auc", ascending=False, kind="stable")


def _least(value: float, draws: FloatArray, *, fewest: int, looks: int) -> float:
    """Return a lower limit of the AUC that allows for `looks` features tested (Bonferroni).

    It is computed from the standard deviation of `draws`, the resampled AUCs, on the
    arcsine scale, where it is the same at 0.5 and at 0.99, with Student's t, because few
    groups estimate their own standard deviation badly. It is never above the limit for
    `fewest` groups that are all ranked correctly (alpha ** (1 / n), after Clopper & Pearson
    1934), since the resamples of a perfect ranking do not vary. NaN with fewer than three
    groups.
    """
    known = draws[~np.isnan(draws)]
    if np.isnan(value) or fewest < 3 or len(known) < 2:
        return float("nan")
    # Halved twice: an association by chance is learned in either direction.
    alpha = _ALPHA / (4 * looks)
    spread = float(np.arcsin(np.sqrt(known)).std(ddof=1))
    angle = np.arcsin(np.sqrt(value)) - stdtrit(fewest - 1, 1 - alpha) * spread
    return float(min(np.sin(max(angle, 0.0)) ** 2, alpha ** (1 / fewest)))


def _findings(
    measured: pd.DataFrame, found: Sequence[Feature], cohort: _Cohort, target: str
) -> list[Finding]:
    findings = []
    for number, row in measured.iterrows():
        feature = found[int(str(number))]
        if judged := _judged(row, target):
            check, severity, sentence = judged
            values = by_value(feature, cohort.truth)
            message = f"{sentence} {_extremes(values, target)}".strip()
            finding = Finding(check=check, severity=severity, message=message, rows=values)
            findings.append(finding)
    if names := measured.loc[measured["kind"] == "label", "feature"].tolist():
        many = len(names)
        message = (
            f"{some(names)}: {target} in other words, as {verb(many, 'it', 'they')} should "
            f"be. lentigo gives {verb(many, 'it', 'them')} to no model; do not either."
        )
        findings.append(Finding(check="target-leak", severity="note", message=message))
    return gravest_first(findings)


def _judged(row: pd.Series[Any], target: str) -> tuple[str, Severity, str] | None:
    """Return check, severity and first sentence of the finding on a feature; None if none.

    `row` is the feature's row in the frame of `target_leaks`.
    """
    name, kind, least = str(row["feature"]), str(row["kind"]), float(row["least"])
    auc = f"{row['auc']:.3f}"
    if row["low"] == row["low"]:  # NaN for a perfect ranking, whose resamples are equal
        auc += f" (95 % {row['low']:.3f}–{row['high']:.3f})"
    if kind == "label":
        return None
    if least > SURE:
        return "target-leak", "refusal", (
            f"{name} alone tells {target} with an AUC of {auc}: it is the label in other "
            "words. Leave it out of all features, and find out how it came about; if no "
            "model is given it, --allow target-leak."
        )  # fmt: skip
    if kind == "answer":
        return "target-leak", "warning", (
            f"{_refusal(name, target)} Its AUC is {auc}. lentigo gives it to no model."
        )  # fmt: skip
    if kind == "source" and least > NOTHING:
        return "source-label-tie", "warning", (
            f"{name} tells {target} with an AUC of {auc}: a model may learn to know the "
            "source. Judge it within each, and hold out one source at a time."
        )  # fmt: skip
    if kind == "technical" and least > NOTHING:
        return "shortcut", "warning", (
            f"{name} should tell nothing of {target}, but has an AUC of {auc}: a model may "
            "learn it instead of the lesion. Judge it among images alike in it."
        )  # fmt: skip
    if least > STRONG:
        return "strong-predictor", "warning", (
            f"{name} alone tells {target} with an AUC of {auc}. Show it as a baseline "
            "beside every model, and make sure that it was known before the diagnosis."
        )  # fmt: skip
    return None


def _refusal(name: str, target: str) -> str:
    try:
        check_features([name], target)
    except LeakError as error:
        return str(error)
    return ""


def by_value(feature: Feature, truth: BoolArray) -> pd.DataFrame:
    """Return images, melanomas and their share per value of a feature, in code order."""
    size = len(feature.meanings)
    images = np.bincount(feature.codes, minlength=size)
    melanomas = np.bincount(feature.codes, weights=truth, minlength=size)
    share = ratio(np.asarray(melanomas, np.float64), np.asarray(images, np.float64))
    frame = pd.DataFrame(
        {
            "feature": feature.name,
            "value": feature.meanings,
            "images": images,
            "melanomas": melanomas.astype(int),
            "share": share,
        }
    )
    return frame[frame["images"] > 0].reset_index(drop=True)


def _extremes(values: pd.DataFrame, target: str) -> str:
    """Describe the highest and lowest share of `target` among values with enough images."""
    # A value of a handful of images is an extreme by chance.
    often = values[values["images"] >= max(_PRIOR, 0.01 * values["images"].sum())]
    if len(often) < 2:
        return ""
    ranked = often.sort_values("share", ascending=False, kind="stable")
    told = [
        f"{100 * row['share']:.3g} % where it is {row['value']} "
        f"({counted(row['images'], 'image')})"
        for _, row in ranked.iloc[[0, -1]].iterrows()
    ]
    return f"The share of {target} is {told[0]} and {told[1]}."
