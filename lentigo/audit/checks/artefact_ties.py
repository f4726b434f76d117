"""Whether an artefact goes with a diagnosis, so that a network may learn it instead.

Coloured stickers lie on nevi of children in ISIC 2017 and hardly on a melanoma: whoever
sees a sticker knows the answer. The measures of each image (see
`lentigo.imaging.quality.measure_images`) are set against its label.
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
"""The score of each artefact from which on an image has it."""

BoolArray = NDArray[np.bool_]


def artefact_ties(
    measures: pd.DataFrame,
    label: pd.Series[Any],
    group: pd.Series[Any],
    *,
    limits: Mapping[str, float] = LIMITS,
) -> pd.DataFrame:
    """Return how each artefact goes with each class: one row an artefact and class.

    `measures` has a column of scores for each artefact in `limits`, and `label` and `group`
    the same index. A label of two classes that are yes and no (melanoma) gives one row an
    artefact, for yes; any other (diagnosis) one a class, each against all others. Images
    without a label or a score are left out. Columns:

    - `artefact`, `class`, `with_in_class`, `in_class`, `with_others`, `others`: counts;
    - `share_in_class`, `share_others`: of the images that have it;
    - `odds_ratio`, `odds_low`, `odds_high`: with 1/2 added to each of the four counts
      (Haldane 1956, Anscombe 1956), so it is finite where one count is 0, which
      `corrected` says; the 95 % interval is Woolf's on the logarithm;
    - `p`: Fisher's exact test of single images; `p_holm`: after Holm over all rows;
    - `auc`, `auc_low`, `auc_high`: of the score alone, see `clustered_auc`;
    - `only_here`: every image that has it is of this class (and some have it).

    Fisher's test takes images of one patient for independent, the AUC's interval does not:
    where groups are large, trust the latter. NaN where a class or the others have no image.

    Raises `ColumnError` where a column or a group is missing, or an index differs.
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
    """A row a class for one artefact."""
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

    `table` is ((with, without) in the class, (with, without) among others). NaN where the
    class or the others are empty, and where nobody or everybody has the artefact.
    """
    counts = np.asarray(table, dtype=np.float64)
    if not (counts.sum(axis=1).all() and counts.sum(axis=0).all()):
        return Interval(math.nan)
    (a, b), (c, d) = (counts + 0.5).tolist()
    middle = math.log(a * d / (b * c))
    room = float(ndtri(0.975)) * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return Interval(math.exp(middle), math.exp(middle - room), math.exp(middle + room))


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The p values after Holm's correction (1979); NaN stays and does not count."""
    corrected = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * (len(order) - np.arange(len(order)))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def _classes(label: pd.Series[Any]) -> list[tuple[str, BoolArray]]:
    """The classes to look at, and which images are of each."""
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
