"""Test if an artefact is associated with a diagnosis: a network may learn the artefact.

Example: in ISIC 2017 coloured stickers lie on nevi of children and hardly ever on a
melanoma, so a sticker gives the answer away. The artefact scores of each image (see
`lentigo.imaging.quality.measure_images`) are compared with its label.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from lentigo.errors import ColumnError
from lentigo.evaluation.clustered import clustered_auc
from lentigo.evaluation.intervals import Interval
from lentigo.imaging.artefacts.registry import ARTEFACTS
from lentigo.words import counted, some

LIMITS: dict[str, float] = {name: each.limit for name, each in ARTEFACTS.items()}
"""Threshold of each artefact: an image with this score or a higher one has the artefact."""

BoolArray = NDArray[np.bool_]


def artefact_ties(
    measures: pd.DataFrame,
    label: pd.Series[Any],
    group: pd.Series[Any],
    *,
    limits: Mapping[str, float] = LIMITS,
) -> pd.DataFrame:
    """Return how each artefact is associated with each class: one row for each combination.

    `measures` has a column of scores for each artefact in `limits`; `measures`, `label` and
    `group` have the same index. A boolean label (melanoma) gives one row per artefact, for
    the class True; any other label (diagnosis) gives one row per artefact and class, each
    class against all other images. Images without a label or a score are left out. Columns:

    - `artefact`, `class`: names;
    - `with_in_class`, `in_class`, `with_others`, `others`: the number of images with the
      artefact and of all images, in the class and in the rest;
    - `share_in_class`, `share_others`: the shares of images with the artefact;
    - `odds_ratio`, `odds_low`, `odds_high`: with 1/2 added to each of the four counts
      (Haldane 1956, Anscombe 1956), so the ratio is finite even if one count is 0
      (`corrected` is then true); the 95 % interval is Woolf's on the logarithm;
    - `p`: Fisher's exact test of single images; `p_holm`: after Holm over all rows;
    - `auc`, `auc_low`, `auc_high`: of the artefact score as a test for the class, with the
      95 % interval of `clustered_auc`;
    - `only_here`: some images have the artefact, and all of them are of this class.

    Fisher's test treats the images of one patient as independent; the interval of the AUC
    does not, so trust the AUC where groups are large. Values are NaN if the class or the
    rest has no image.

    Raises `ColumnError` if an artefact has no column, a row has no group, or the indexes
    differ.
    """
    _check(measures, label, group, limits)
    ties = pd.DataFrame(
        row
        for name, limit in limits.items()
        for row in _ties_of(measures[name], limit, label, group)
    )
    place = list(ties.columns).index("p") + 1
    ties.insert(place, "p_holm", holm(ties["p"].to_numpy(dtype=np.float64)))
    return ties


def _ties_of(
    scores: pd.Series[Any], limit: float, label: pd.Series[Any], group: pd.Series[Any]
) -> Iterator[dict[str, object]]:
    """Yield the rows of one artefact, one per class of `label`.

    `scores` are the artefact's scores of the images, `group` their groups. An image has the
    artefact if its score is at least `limit`. Images without score or label are left out.
    """
    known = (label.notna() & scores.notna()).to_numpy()
    score = scores.to_numpy(dtype=np.float64)[known]
    groups = pd.factorize(group[known])[0].astype(np.intp)
    for kind, member in _classes(label[known]):
        auc = clustered_auc(member, score, groups)
        yield {
            "artefact": scores.name,
            "class": kind,
            **_counts(score >= limit, member),
            "auc": auc.value,
            "auc_low": auc.low,
            "auc_high": auc.high,
        }


def odds_ratio(table: NDArray[np.intp]) -> Interval:
    """The odds ratio of a 2 × 2 table with 1/2 added to each count, and its 95 % interval.

    `table` is ((with, without) in the class, (with, without) in the other images), where
    "with" counts images with the artefact. NaN if the class or the rest is empty, or if no
    image or every image has the artefact.
    """
    counts = np.asarray(table, dtype=np.float64)
    if not (counts.sum(axis=1).all() and counts.sum(axis=0).all()):
        return Interval(math.nan)
    (a, b), (c, d) = (counts + 0.5).tolist()
    middle = math.log(a * d / (b * c))
    room = float(ndtri(0.975)) * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return Interval(math.exp(middle), math.exp(middle - room), math.exp(middle + room))


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The p values after Holm's correction (1979); NaN stays NaN and is not counted."""
    corrected = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * (len(order) - np.arange(len(order)))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def _classes(label: pd.Series[Any]) -> list[tuple[str, BoolArray]]:
    """Return each class to test with a boolean array of the images that belong to it."""
    values = sorted(label.unique().tolist(), key=str)
    if set(values) <= {True, False}:
        name = str(label.name) if label.name else "yes"
        return [(name, label.to_numpy(dtype=bool))]
    return [(str(value), (label == value).to_numpy(dtype=bool)) for value in values]


def _counts(has: BoolArray, member: BoolArray) -> dict[str, object]:
    from scipy.stats import fisher_exact  # a second's import, for this alone

    here, there = int((has & member).sum()), int((has & ~member).sum())
    total, others = int(member.sum()), int((~member).sum())
    table = np.array([[here, total - here], [there, others - there]])
    odds = odds_ratio(table)
    defined = total > 0 and others > 0
    return {
        "with_in_class": here,
        "in_class": total,
        "with_others": there,
        "others": others,
        "share_in_class": here / total if total else math.nan,
        "share_others": there / others if others else math.nan,
        "odds_ratio": odds.value,
        "odds_low": odds.low,
        "odds_high": odds.high,
        "corrected": bool(defined and (table == 0).any()),
        "p": float(cast("Any", fisher_exact(table)).pvalue) if defined else math.nan,
        "only_here": here > 0 and there == 0,
    }


def _check(
    measures: pd.DataFrame,
    label: pd.Series[Any],
    group: pd.Series[Any],
    limits: Mapping[str, float],
) -> None:
    missing = [name for name in limits if name not in measures]
    if missing:
        raise ColumnError(
            f"The measures have no column {some(missing)}. Take them from measure_images."
        )
    if not (measures.index.equals(label.index) and measures.index.equals(group.index)):
        raise ColumnError("Measures, labels and groups are not of the same rows.")
    if group.isna().any():
        raise ColumnError(
            f"{counted(int(group.isna().sum()), 'row')} without a group, which cannot be "
            "resampled."
        )
