"""One out-of-distribution score per image, for a model of one or several networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.answer_columns import (
    ABSTAIN,
    COULD_BE,
    COULD_BE_DIAGNOSES,
    NO,
    REFUSED,
    SHOWN,
    STRANGENESS,
    YES,
)
from lentigo.inference.abstention.signals import words_of
from lentigo.inference.columns import with_columns
from lentigo.models.abstention import Abstention

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Out-of-distribution scores of N images."""

    strangeness: FloatArray
    """The scores, (N,): above the limit 1 the model abstains; NaN if it has no limit."""
    words: list[str]
    """For each image, the reason in words (`WORDS`) that belongs to its largest signal."""

    @property
    def refused(self) -> NDArray[np.bool_]:
        """Tell for each image whether its score is above the limit, (N,)."""
        return np.asarray(self.strangeness > 1)

    def told(self, place: int, *, begin: str = REFUSED) -> str:
        """Return the reason, beginning with `begin`, why the image `place` is refused."""
        times = f"{self.strangeness[place]:.2f} times the limit"
        return f"{begin}: {self.words[place]} ({times})"

    def columns(self) -> dict[str, FloatArray | list[str]]:
        """Return the columns `abstain` (yes, no, or empty if unknown) and `strangeness`."""
        known = ~np.isnan(self.strangeness)
        said = np.where(self.refused, YES, NO)
        return {ABSTAIN: np.where(known, said, "").tolist(), STRANGENESS: self.strangeness}


def strangest(values: Sequence[FloatArray], networks: Sequence[Abstention]) -> Judged:
    """Return each image's largest signal relative to the limit, averaged over networks.

    `values` has for each of `networks` its S signals of N images, (S, N). A network without
    a limit is left out of the mean; scores are NaN if no network has a limit.
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
    """Add the disagreement of the networks to the scores `mean` as a further signal.

    `mean` is the result of `strangest`; `disagreement` is the standard deviation of the
    networks' calibrated logits, (N,). The new score of an image is the larger of its score
    in `mean` and of the disagreement's, divided by `limit.limit`, which was set for the
    networks together. Without a limit, `mean` is returned.
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
    """Return the mean over model folders of each image's score, weighted by `weights`.

    `parts` has the scores by each folder, `weights` its number of networks. NaN scores are
    left out of the mean. The words are those of the folder with the highest score.
    """
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
    """Return the predictions with the columns `abstain` and `strangeness` added.

    For images above the limit, the `reason` (the last column) says why, and unless `shown`,
    probabilities, call and the sets of what it could be are removed. Rows without a
    probability get no score.
    """
    answered = table["probability"].notna().to_numpy()
    score = np.where(answered, judged.strangeness, np.nan)
    judged = Judged(score, judged.words)
    begin = SHOWN if shown else REFUSED
    reasons = table["reason"].tolist()
    for place in np.flatnonzero(judged.refused).tolist():
        told = judged.told(place, begin=begin)
        reasons[place] = f"{told}; {reasons[place]}" if reasons[place] else told
    emptied = {} if shown else _without(table, judged.refused)
    return with_columns(table, {**emptied, **judged.columns(), "reason": reasons})


def _without(table: pd.DataFrame, refused: NDArray[np.bool_]) -> dict[str, pd.Series]:
    """Return the columns of numbers, calls and sets, emptied for the `refused` images."""
    if not refused.any():
        return {}
    numbers = {
        str(name): table[name].mask(refused)
        for name in table
        if str(name).startswith("probability") or name in {"logit", "raw_logit"}
    }
    names = ("call", COULD_BE, COULD_BE_DIAGNOSES)
    return numbers | {n: table[n].mask(refused, "") for n in names if n in table}
