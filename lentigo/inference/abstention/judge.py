"""One score of how strange an image is to a model of one network or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.answer_columns import ABSTAIN, COULD_BE, NO, REFUSED, SHOWN, STRANGENESS, YES
from lentigo.inference.abstention.signals import words_of
from lentigo.models.abstention import Abstention

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """How strange N images are: 1 is the limit, NaN is not known."""

    strangeness: FloatArray
    words: list[str]
    """What is strangest about each."""

    @property
    def refused(self) -> NDArray[np.bool_]:
        """Tell of each image whether it is beyond the limit, (N,)."""
        return np.asarray(self.strangeness > 1)

    def told(self, place: int, *, begin: str = REFUSED) -> str:
        """Say why an image is refused."""
        times = f"{self.strangeness[place]:.2f} times the limit"
        return f"{begin}: {self.words[place]} ({times})"

    def columns(self) -> dict[str, FloatArray | list[str]]:
        """Return the columns `abstain` (empty where it is not known) and `strangeness`."""
        known = ~np.isnan(self.strangeness)
        said = np.where(self.refused, YES, NO)
        return {ABSTAIN: np.where(known, said, "").tolist(), STRANGENESS: self.strangeness}


def strangest(values: Sequence[FloatArray], networks: Sequence[Abstention]) -> Judged:
    """Return how strange images are to networks, of the mean of which is the score.

    `values` are the signals of each network, (S, N). A network without a limit has no say.
    """
    with_limit = [
        (own, each) for own, each in zip(values, networks, strict=True) if each.limit
    ]
    count = values[0].shape[1] if values else 0
    if not with_limit:
        return Judged(np.full(count, np.nan), [""] * count)
    found = [each.strangeness(own) for own, each in with_limit]
    names = list(dict.fromkeys(s.name for _, each in with_limit for s in each.signals))
    table = np.full((len(names), len(found), count), -np.inf)
    for place, (own, (_, each)) in enumerate(zip(found, with_limit, strict=True)):
        for row, signal in zip(own, each.signals, strict=True):
            table[names.index(signal.name), place] = np.nan_to_num(row, nan=-np.inf)
    score = table.max(axis=0).mean(axis=0)
    # A signal that one network lacks is taken from the others.
    counted = np.isfinite(table)
    by_name = np.where(counted, table, 0).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    by_name[~counted.any(axis=1)] = -np.inf
    known = np.isfinite(score)
    return Judged(np.where(known, score, np.nan), words_of(names, by_name))


def together(mean: Judged, disagreement: FloatArray, limit: Abstention | None) -> Judged:
    """Return `mean` by the limit of several networks, with what they disagree about.

    `disagreement` is the standard deviation of their calibrated logits, (N,). Without a
    limit of their own, that of each of them counts.
    """
    if limit is None or limit.limit is None:
        return mean
    own = Abstention(signals=limit.signals, limit=1.0).strangeness(disagreement[None])[0]
    more = own > mean.strangeness
    score = np.where(np.isnan(mean.strangeness), np.nan, np.fmax(own, mean.strangeness))
    said = words_of([each.name for each in limit.signals], own[None])
    words = [b if use else a for a, b, use in zip(mean.words, said, more, strict=True)]
    return Judged(score / limit.limit, words)


def average(parts: Sequence[Judged], weights: Sequence[int]) -> Judged:
    """Return the mean of several model folders; those that know no limit have no say."""
    if len(parts) == 1:
        return parts[0]
    scores = np.stack([each.strangeness for each in parts])
    counts = np.where(np.isnan(scores), 0, np.array(weights)[:, None])
    total = counts.sum(axis=0)
    mean = (np.nan_to_num(scores) * counts).sum(axis=0) / np.maximum(total, 1)
    first = np.where(np.isnan(scores), -np.inf, scores).argmax(axis=0)
    words = [parts[place].words[number] for number, place in enumerate(first)]
    return Judged(np.where(total > 0, mean, np.nan), words)


def with_abstention(table: pd.DataFrame, judged: Judged, *, shown: bool) -> pd.DataFrame:
    """Return predictions with `abstain`, `strangeness` and, at the end, `reason`.

    What is beyond the limit has no probability and no call, unless they are `shown`; the
    reason says so. Rows that had no probability before stay as they are.
    """
    answered = table["probability"].notna().to_numpy()
    score = np.where(answered, judged.strangeness, np.nan)
    judged = Judged(score, judged.words)
    marked = table.assign(**judged.columns())
    begin = SHOWN if shown else REFUSED
    reasons = table["reason"].tolist()
    for place in np.flatnonzero(judged.refused).tolist():
        told = judged.told(place, begin=begin)
        reasons[place] = f"{told}; {reasons[place]}" if reasons[place] else told
    marked["reason"] = reasons
    if not shown:
        marked = _without(marked, judged.refused)
    return marked[[*marked.columns.drop("reason"), "reason"]]


def _without(table: pd.DataFrame, refused: NDArray[np.bool_]) -> pd.DataFrame:
    numbers = [
        name
        for name in table
        if str(name).startswith("probability") or name in {"logit", "raw_logit"}
    ]
    emptied = table.copy()
    emptied.loc[refused, numbers] = np.nan
    for name in {"call", COULD_BE} & set(emptied):
        emptied.loc[refused, name] = ""
    return emptied
