"""Images that a model abstained on: how many, why, and the gain in AUC without them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.answer_columns import ABSTAIN, NO, REFUSED, SHOWN, STRANGENESS, YES
from lentigo.evaluation.abstention import RiskCoverage, kept, risk_coverage
from lentigo.evaluation.headline import MOST_PARTS
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.parts import DATASET, judged_part
from lentigo.evaluation.shares import clustered_share, share_of
from lentigo.evaluation.telling import tells, told
from lentigo.words import aligned, counted

_YES, _NO = (YES, "true", "1"), (NO, "false", "0")
"""Accepted words of the column `abstain`: lentigo's own, and booleans in lower case."""
ALL = "all images"
NOT_SAID = "no reason given"


@dataclass(frozen=True)
class Refused:
    """Counts and AUCs of the images abstained on (refused), overall or of one archive."""

    name: str
    """Name of the archive; `ALL` for all images."""
    n_images: int
    n_refused: int
    n_melanomas_refused: int
    share: Interval
    """Share of the images that are refused; groups are independent."""
    group_share: Interval
    """The same share with each group counting once, as in the setting of the limit."""
    auc_all: Interval
    """AUC among all images; NaN where a refused image has no probability."""
    auc_answered: Interval
    """AUC among the images that are not refused."""
    gain: Interval
    """`auc_answered` − `auc_all`, with a rough interval from the spread of resamples of
    groups (`kept`); without bounds where the answered images are of too few groups to
    tell a difference."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return {
            "name": self.name,
            "n_images": self.n_images,
            "n_refused": self.n_refused,
            "n_melanomas_refused": self.n_melanomas_refused,
            "share": self.share.as_dict(),
            "group_share": self.group_share.as_dict(),
            "auc_all": self.auc_all.as_dict(),
            "auc_answered": self.auc_answered.as_dict(),
            "gain": self.gain.as_dict(),
        }


@dataclass(frozen=True)
class Refusals:
    """The images that a model abstained on, or would have by its limit."""

    rows: tuple[Refused, ...]
    """All images first, then each archive where there are several."""
    reasons: dict[str, int]
    """Main reason → number of refused images, the most frequent reason first."""
    unknown: int
    """Number of images without a valid entry in `abstain`, as where the model has no limit
    because too few groups were there to set it."""
    curve: RiskCoverage | None
    """Risk-coverage curve; None where a probability or `strangeness` is missing."""

    @property
    def sentence(self) -> str:
        """Return sentences on the number of refused images and the gain in AUC."""
        whole = self.rows[0]
        said = (
            f"Of {counted(whole.n_images, 'image')}, {whole.n_refused:,} are too strange "
            f"to be answered ({_shares(whole)}), "
            f"{counted(whole.n_melanomas_refused, 'melanoma')} among them."
        )
        if not math.isnan(whole.gain.value):
            untold = whole.n_refused and math.isnan(whole.gain.low)
            said += (
                f" Without them the AUC is {whole.auc_answered.in_words}, with them "
                f"{whole.auc_all.in_words}: a difference of {_signed(whole.gain)}"
                f"{', which too few groups cannot tell from chance' if untold else ''}."
            )
        elif whole.n_refused and math.isnan(whole.auc_all.value):
            said += (
                " They have no probability, so what is gained is not known: predict with "
                "--no-abstain."
            )
        if self.unknown:
            said += (
                f" Of {counted(self.unknown, 'other image')} it is not known: too few "
                "groups set the limit."
            )
        return said

    def as_dict(self) -> dict[str, Any]:
        """Return sentence, rows, reasons and curve, ready for JSON."""
        return {
            "sentence": self.sentence,
            "rows": [each.as_dict() for each in self.rows],
            "reasons": self.reasons,
            "unknown": self.unknown,
            "curve": None if self.curve is None else self.curve.as_dict(),
        }

    def as_lines(self) -> list[str]:
        """Return lines for a terminal: the sentence, reasons, archives and the AURC."""
        lines = [self.sentence]
        if self.reasons:
            lines += [f"  {number:,}: {reason}" for reason, number in self.reasons.items()]
        if len(self.rows) > 1:
            head = ("", "images", "refused", "AUC, all", "AUC, answered", "difference")
            lines += aligned([head, *map(_cells, self.rows)], right=(1, 2))
        if self.curve is not None:
            value, low, high = self.curve.area
            lines.append(
                "Brier score of the least strange images, mean over shares answered "
                f"(AURC): {Interval(value, low, high).in_words}."
            )
        return lines


def _cells(row: Refused) -> tuple[str, ...]:
    return (
        row.name,
        f"{row.n_images:,}",
        f"{row.n_refused:,}",
        row.auc_all.in_words,
        row.auc_answered.in_words,
        _signed(row.gain),
    )


def _shares(row: Refused) -> str:
    share, once = row.share, row.group_share
    said = f"{100 * share.value:.1f} %, 95 % interval {_ends(share)}"
    if once == share:
        return said
    return f"{said}; each group counting once {100 * once.value:.1f} %, {_ends(once)}"


def _ends(share: Interval) -> str:
    return f"{100 * share.low:.1f}–{100 * share.high:.1f}"


def _signed(gain: Interval) -> str:
    """Format a difference with four decimals; it is small where few are refused."""
    if math.isnan(gain.value):
        return "undefined"
    if math.isnan(gain.low):
        return f"{gain.value:+.4f}"
    rough = ", rough" if gain.rough else ""
    return f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}{rough})"


def refusals_of(table: pd.DataFrame, *, seed: int) -> Refusals | None:
    """Return the counts, reasons and gain of a model's abstention on judged images.

    `table` has `melanoma`, `probability` (which may be missing where an image is refused),
    `group`, `abstain`, and `strangeness` (the out-of-distribution score), `reason` and
    `dataset` where they are known. None where `abstain` is absent or has no known entry.
    """
    if ABSTAIN not in table:
        return None
    said = table[ABSTAIN].astype("string").str.strip().str.lower().fillna("")
    told = said.isin([*_YES, *_NO])
    known = table[told].assign(refused=said.isin(_YES)[told])
    if known.empty:
        return None
    return Refusals(
        rows=tuple(_rows(known, seed)),
        reasons=_reasons(known[known["refused"]]),
        unknown=len(table) - len(known),
        curve=_curve(known, seed),
    )


def _rows(known: pd.DataFrame, seed: int) -> Iterator[Refused]:
    yield _refused(ALL, known, seed)
    if DATASET not in known:
        return
    names = known[DATASET].astype("string").fillna("not known")
    found = sorted(names.unique())
    if 2 <= len(found) <= MOST_PARTS:
        for name in found:
            yield _refused(str(name), known[(names == name).to_numpy()], seed)


def _refused(name: str, rows: pd.DataFrame, seed: int) -> Refused:
    refused = rows["refused"].to_numpy(bool)
    truth = rows["melanoma"].to_numpy(bool)
    group = pd.factorize(rows["group"])[0].astype(np.intp)
    nothing = Interval(math.nan)
    answered = judged_part(name, rows[~refused]).auc
    whole = gain = nothing
    if rows["probability"].notna().all():
        whole = judged_part(name, rows).auc
        scores = rows["probability"].to_numpy(np.float64)
        gain = kept(truth, scores, refused, list(map(str, group)), seed=seed).gain
        # Where no image is refused the gain is 0, without variance over resamples.
        gain = gain if refused.any() else Interval(0.0)
        gain = told(gain, enough=tells(truth[~refused], group[~refused]))
    return Refused(
        name=name,
        n_images=len(rows),
        n_refused=int(refused.sum()),
        n_melanomas_refused=int((truth & refused).sum()),
        share=clustered_share(refused, group),
        group_share=_once_a_group(refused, group),
        auc_all=whole,
        auc_answered=answered,
        gain=gain,
    )


def _once_a_group(refused: NDArray[np.bool_], group: NDArray[np.intp]) -> Interval:
    """Return the mean over groups of the share of each one's images that are refused."""
    if not len(group):
        return Interval(math.nan)
    means = np.bincount(group, refused) / np.bincount(group)
    return share_of(means, np.ones(len(means)))


def _reasons(refused: pd.DataFrame) -> dict[str, int]:
    if "reason" not in refused:
        return {NOT_SAID: len(refused)} if len(refused) else {}
    words = refused["reason"].astype("string").fillna("").map(reason_in_words)
    return {str(name): int(number) for name, number in words.value_counts().items()}


def reason_in_words(reason: str) -> str:
    """Return why an image was refused, without how far it is beyond the limit.

    "not answered: too blurred to judge (1.80 times the limit); …" is "too blurred to
    judge".
    """
    for begin in (REFUSED, SHOWN):
        if reason.startswith(f"{begin}: "):
            first = reason.removeprefix(f"{begin}: ").split(";")[0]
            return first.rsplit(" (", 1)[0].strip() or NOT_SAID
    return reason.strip() or NOT_SAID


def _curve(known: pd.DataFrame, seed: int) -> RiskCoverage | None:
    if STRANGENESS not in known:
        return None
    strange = pd.to_numeric(known[STRANGENESS], errors="coerce")
    if strange.isna().any() or known["probability"].isna().any():
        return None
    return risk_coverage(
        known["melanoma"].to_numpy(bool),
        known["probability"].to_numpy(np.float64),
        strange.to_numpy(np.float64),
        known["group"].astype(str).tolist(),
        seed=seed,
    )
