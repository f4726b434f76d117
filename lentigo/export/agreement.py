"""Compare the predictions of an exported model with those of the trained one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.answer_columns import ABSTAIN, YES
from lentigo.errors import ModelError
from lentigo.evaluation import compare
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import decimal, ends
from lentigo.evaluation.shares import clustered_share
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.inputs import Source, as_sources
from lentigo.inference.predict import Model, load
from lentigo.models.calibration import Calibration
from lentigo.models.description import read_description
from lentigo.models.engines import ENGINES
from lentigo.models.operating_point import OperatingPoint, read_points
from lentigo.run_layout import fold_of
from lentigo.tables import DIAGNOSIS_COLUMNS
from lentigo.words import counted

MOST_APART = 1e-4
"""Largest difference allowed between a probability by ONNX and the same one by torch."""
MOST_AUC = 0.002
"""Largest difference allowed between the AUC of the 8-bit networks and that of the exact
ones, on held-out images."""
MOST_REFUSED = 0.05
"""Largest share of the held-out images that the 8-bit networks may refuse beyond the share
that the exact ones refuse."""

MOST_LOST = 0.01
"""Largest share of the held-out melanomas, and more than one of them, that the 8-bit
networks may find less at a stored threshold."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The agreement of ONNX and torch: the largest difference, and the number of images."""

    images: int
    largest: float
    """Largest absolute difference of a probability."""


@dataclass(frozen=True, kw_only=True)
class AtThreshold:
    """The melanomas that the 8-bit networks call at a threshold, and the exact ones."""

    name: str
    """Name of the operating point."""
    melanomas: int
    """Number of held-out melanomas with a probability by both."""
    found: int
    """Number of these that the 8-bit networks call; `found_exact`: the exact ones."""
    found_exact: int


@dataclass(frozen=True, kw_only=True)
class Int8Judged:
    """The AUC, refusals and calls of the 8-bit networks beside those of the exact ones.

    All are computed on the same held-out images.
    """

    engine: str
    """The engine that computed the 8-bit networks; each rounds a little differently."""
    images: int
    melanomas: int
    difference: float
    """AUC of the 8-bit networks minus that of the exact ones."""
    low: float
    high: float
    """95 % interval of the difference, from `low` to `high`; whole groups are the unit."""
    largest: float
    """Largest absolute difference of a probability of melanoma."""
    refused: Interval | None
    """Share of the images that the 8-bit networks refuse, with its 95 % interval by group;
    None if they have no limit of abstention."""
    refused_exact: Interval | None
    """The same of the exact networks."""
    calls: tuple[AtThreshold, ...] = ()
    """The calls at each stored threshold; empty if none is stored."""

    @property
    def difference_in_words(self) -> str:
        """Return the difference of the AUCs with its interval, or "no interval"."""
        return _in_words(Interval(self.difference, self.low, self.high))


def _in_words(difference: Interval) -> str:
    told = not math.isnan(difference.low)  # NaN of few groups, or of equal rankings
    bounds = ends(difference, signed=True) if told else "no interval"
    return f"{decimal(difference.value, signed=True)} ({bounds})"


def check_agreement(folder: Path, sources: Sequence[Source]) -> Agreement:
    """Return how far the probabilities by ONNX and by torch differ on real images.

    Raises `ModelError` where the difference exceeds `MOST_APART`, or no image has a
    prediction.
    """
    ours, theirs = (
        _probabilities(load(folder, engine=engine), sources) for engine in ("onnx", "torch")
    )
    known = int((ours["probability"].notna() & theirs["probability"].notna()).sum())
    if not known:
        raise ModelError(
            f"None of {counted(len(sources), 'image')} has an answer, so the exported "
            "model cannot be compared. Name other images with --images."
        )
    largest = float((ours - theirs).abs().max().max())
    if largest > MOST_APART:
        raise ModelError(
            f"The ONNX network answers otherwise than torch: of {counted(known, 'image')} "
            f"a probability differs by {largest:.2g}, and {MOST_APART:g} is allowed. "
            "Nothing was exported; the run itself can be used."
        )
    return Agreement(images=known, largest=largest)


def judge_int8(folder: Path, held_out: Mapping[str, pd.DataFrame]) -> list[Int8Judged]:
    """Return how the 8-bit networks rank, and refuse, beside the exact ones.

    They are judged by each installed engine that computes in 8 bits. `held_out` holds the
    held-out images of each fold, by the fold's name. The networks of a fold (or their mean)
    predict only images that they were not trained on; the predictions of all folds are
    evaluated together.

    Raises `ModelError` where, by any engine, the AUCs differ by more than 0.002, or cannot
    be computed, or the 8-bit networks refuse more than `MOST_REFUSED` beyond what the exact
    ones do, or lose more than `MOST_LOST` of the melanomas at a stored threshold.
    """
    exact = _out_of_fold(folder, "onnx", held_out)
    truth = pd.concat(held_out.values(), ignore_index=True)
    truth = truth[["image_id", "melanoma", "group_id"]]
    points = read_points(read_description(folder).operating_points)
    judged = [
        (engine.name, _out_of_fold(folder, engine.name, held_out))
        for engine in ENGINES.values()
        if engine.is_installed() and engine.file == "onnx_int8"
    ]
    return [
        _judged(name, small, exact, truth, _calls(name, small, exact, truth, points))
        for name, small in judged
    ]


def _calls(
    engine: str,
    small: pd.DataFrame,
    exact: pd.DataFrame,
    truth: pd.DataFrame,
    points: Sequence[OperatingPoint],
) -> tuple[AtThreshold, ...]:
    """Return the calls at each of `points` with a threshold; raise if too few are left."""
    ids = pd.Index(truth.loc[truth["melanoma"].fillna(False).astype(bool), "image_id"])
    ours, theirs = (
        each.set_index("image_id")["probability"].reindex(ids) for each in (small, exact)
    )
    known = ours.notna() & theirs.notna()
    found = tuple(
        AtThreshold(
            name=point.name, melanomas=int(known.sum()),
            found=int((ours[known] >= point.threshold).sum()),
            found_exact=int((theirs[known] >= point.threshold).sum()),
        )
        for point in points
        if point.threshold is not None
    )  # fmt: skip
    for each in found:
        lost = each.found_exact - each.found
        if lost > max(1, MOST_LOST * each.melanomas):
            raise ModelError(
                f"From the threshold {each.name} the 8-bit network ({engine}) finds "
                f"{each.found:,} of {counted(each.melanomas, 'held-out melanoma')} and the "
                f"exact one {each.found_exact:,}; {MOST_LOST:.0%} less is allowed. Export "
                "without --int8."
            )
    return found


def _judged(
    engine: str,
    small: pd.DataFrame,
    exact: pd.DataFrame,
    truth: pd.DataFrame,
    calls: tuple[AtThreshold, ...],
) -> Int8Judged:
    """Compare the predictions `small` of 8-bit networks with `exact` ones."""
    found = compare(small, exact, truth, group="group_id")
    auc = found["auc"]
    if not abs(auc.value) <= MOST_AUC:  # also true where the AUC is NaN
        raise ModelError(
            f"The AUC of the 8-bit network ({engine}) differs by {_in_words(auc)} on "
            f"{counted(found.n_images, 'held-out image')}, and {MOST_AUC:g} is "
            "allowed. Export without --int8."
        )
    refused, before = _refused(small), _refused(exact)
    if refused and before:
        _check_refused(engine, refused, before, images=found.n_images)
    apart = (small["probability"] - exact["probability"]).abs()
    return Int8Judged(
        engine=engine, images=found.n_images, melanomas=found.n_melanomas,
        difference=auc.value, low=auc.low, high=auc.high, largest=float(np.nanmax(apart)),
        refused=refused, refused_exact=before, calls=calls,
    )  # fmt: skip


def _check_refused(engine: str, small: Interval, exact: Interval, *, images: int) -> None:
    """Raise `ModelError` if the 8-bit networks refuse too many more than the exact ones."""
    if small.value - exact.value > MOST_REFUSED:
        raise ModelError(
            f"The 8-bit network ({engine}) refuses {small.value:.1%} of "
            f"{counted(images, 'held-out image')} and the exact one {exact.value:.1%}; "
            f"{MOST_REFUSED:.0%} more are allowed. Export without --int8."
        )


def _refused(predictions: pd.DataFrame) -> Interval | None:
    """Return the share of images with `abstain`; None if that is known of no image."""
    if ABSTAIN not in predictions:
        return None
    known = predictions[predictions[ABSTAIN].fillna("") != ""]
    if known.empty:
        return None
    group = pd.factorize(known["group_id"])[0].astype(np.intp)
    return clustered_share((known[ABSTAIN] == YES).to_numpy(bool), group)


def _out_of_fold(
    folder: Path, engine: str, held_out: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return the predictions of each fold's networks for its held-out images, together.

    `held_out` maps the name of a fold to its held-out rows of the lesion table.
    """
    (whole,) = load(folder, engine=engine).ensembles
    folds = [fold_of(member.name) for member in read_description(folder).members]
    parts = []
    for fold in dict.fromkeys(folds):
        mine, own = held_out[fold], [k for k, name in enumerate(folds) if name == fold]
        alone = Ensemble(
            members=tuple(whole.members[k] for k in own),
            calibrations=tuple(whole.calibrations[k] for k in own),
            # That of the mean of all networks is none of those of a fold, either.
            calibration=whole.calibration if len(own) == len(folds) else Calibration(),
            familiar=tuple(whole.familiar[k] for k in own),
            # The limit of all networks together is none of those of a fold.
            abstention=whole.abstention if len(own) == len(folds) else None,
        )
        sources = as_sources(mine[mine["path"].notna()])
        model = Model((alone,))
        shown = model.decision(abstain=False)
        parts.append(model.predict_sources(sources, decision=shown))
    return pd.concat(parts, ignore_index=True)


def _probabilities(model: Model, sources: Sequence[Source]) -> pd.DataFrame:
    """Return the probabilities of melanoma, and of each diagnosis if the model has them."""
    shown = model.decision(abstain=False)
    found = model.predict_sources(sources, device="cpu", decision=shown)
    named = [name for name in found if str(name).startswith(DIAGNOSIS_COLUMNS)]
    return found[["probability", *named]]
