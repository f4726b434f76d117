"""Make the index of a network's training images, and set its out-of-distribution limit."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.special import betaincinv

from lentigo.imaging.kind.working import Image, luma
from lentigo.inference.abstention.neighbours import Neighbours
from lentigo.inference.abstention.pictures import (
    PICTURE_SIGNALS,
    picture_signals,
    side_for,
)
from lentigo.inference.abstention.signals import SIGNALS, signal_values
from lentigo.models.abstention import MOST, Abstention, Signal
from lentigo.models.backend import Images, Looked, Predictor
from lentigo.models.index import Index, salted, unit_length
from lentigo.models.metadata import Patients

FloatArray = NDArray[np.float64]
Untold = Callable[[NDArray[np.float32]], FloatArray]
"""Melanoma logits without age, sex and site, (N,), from features of L looks, (L, N, F)."""

COMPONENTS = 128
_MOST_ROWS = 20_000
"""Most images from which principal components are computed."""
_CONFIDENCE = 0.9
"""Confidence that at most the allowed share of in-distribution images is refused."""
WEIGHTS = {**dict.fromkeys(SIGNALS, 1.0), "energy": 0.5, "spread": 0.5}
"""Weight of each signal. Those of an uncertain prediction, `energy` and `spread`, have half
the weight: they are large for difficult lesions, not for out-of-distribution images, and
caused a third of all refusals."""
BESIDE_EARLY = {**WEIGHTS, **dict.fromkeys(PICTURE_SIGNALS, 0.5)}
"""Weights where the network gives early features. These tell other devices and other kinds
of pictures best (`benchmarks/abstention.py`). The checks of the picture get half weight:
their long tails (a large black frame, a dark lesion) lie among the learnt images, too, and
would raise the limit for all signals."""
_USUAL = 0.9
"""Quantile of a signal among the held-back images that is the upper end of its usual
values."""


@dataclass(frozen=True)
class Seen:
    """The outputs of a network and of the image checks for N images."""

    looked: Looked
    """Logits and features of the network for the N images."""
    pictures: FloatArray
    """`picture_signals` of each image, (6, N)."""
    prints: NDArray[np.uint64]
    """`gradient_hash` of each image, (N,)."""
    untold: FloatArray | None = None
    """The melanoma logits without age, sex and site, (N,), if `seen` computed them."""


def seen(
    predictor: Predictor,
    batches: Iterable[Images],
    *,
    for_index: bool = False,
    patients: Iterable[Patients] | None = None,
    untold: Untold | None = None,
) -> Seen | None:
    """Return a network's outputs for images; None if its engine gives no features.

    `batches` hold squares, (N, S, S, 3) RGB of `uint8`. With `for_index`, which is for
    training images, only one view of each image is computed, since the index holds the
    features of that view alone, and `picture_signals` are left out.
    `patients` has age, sex and site of the patients of each batch, and is read after the
    batch. `untold` computes the logits without these from the features of each look.
    """
    parts, checked = [], [np.empty((len(PICTURE_SIGNALS), 0))]
    without: list[FloatArray] = []
    prints: list[int] = []
    beside = None if patients is None else iter(patients)
    for batch in batches:
        asked: dict[str, Any] = {"looks": 1 if for_index else None}
        if beside is not None and predictor.metadata is not None:
            asked["metadata"] = predictor.metadata.encode(next(beside))
        found = predictor.looked(batch, **asked)
        if found is None:
            return None
        if untold is not None and found.each_look is not None:
            without.append(untold(found.each_look))
        parts.append(replace(found, each_look=None))
        prints += [gradient_hash(square) for square in batch]
        if not for_index:
            side = side_for(early=found.early is not None)
            checked += [picture_signals(each, side=side)[0][:, None] for each in batch]
    if not parts:
        return None
    early = [each.early for each in parts if each.early is not None]
    looked = Looked(
        answers=np.concatenate([each.answers for each in parts], axis=1),
        features=np.concatenate([each.features for each in parts]),
        energy=np.concatenate([each.energy for each in parts]),
        spread=np.concatenate([each.spread for each in parts]),
        early=np.concatenate(early) if len(early) == len(parts) else None,
    )
    return Seen(
        looked,
        np.concatenate(checked, axis=1),
        np.array(prints, np.uint64),
        np.concatenate(without) if len(without) == len(parts) else None,
    )


def gradient_hash(square: Image) -> int:
    """Return the 64-bit difference hash (dHash) of an image, (S, S, 3) RGB.

    A bit says whether the image gets lighter to the right at one of 8 × 8 places.
    Near-duplicates differ in a few bits.
    """
    small = Pillow.fromarray(luma(square)).resize((9, 8), Pillow.Resampling.BOX)
    grey = np.asarray(small, dtype=np.int16)
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return int(np.packbits(bits).view(">u8")[0])


def make_index(found: Seen, learnt: pd.DataFrame, *, named: bool = False) -> Index:
    """Return the index of training images.

    `found` are the network's outputs for them, and `learnt` are their rows in the lesion
    table, with groups. With `named`, image ids are stored beside their digests.
    """
    salt = secrets.token_hex(16).encode()
    rows = unit_length(found.looked.features)
    mean, components, spreads, rest = _principal(rows)
    diagnosis = learnt["diagnosis"].astype("string")
    codes, names = pd.factorize(diagnosis, sort=True)
    ids = learnt["image_id"].astype(str)
    groups = learnt["group_id"].astype("string").fillna(ids)
    return Index(
        features=((rows - mean) @ components.T).astype(np.float16),
        mean=mean,
        components=components,
        spreads=spreads,
        rest=np.array([rest], np.float32),
        ids=np.array([salted(salt, name) for name in ids], "S16"),
        groups=np.array([salted(salt, str(name)) for name in groups], "S16"),
        melanoma=np.asarray(learnt["melanoma"].astype("Int8").fillna(-1), np.int8),
        diagnosis=codes.astype(np.int16),
        diagnoses=np.array([str(name) for name in names], dtype=np.str_),
        prints=found.prints,
        salt=np.array([salt], "S32"),
        names=np.array(ids if named else [], dtype=np.str_),
        **_early(found.looked.early),
    )


def _early(early: NDArray[np.float32] | None) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of an index that describe the early features, (N, E), if any."""
    if early is None or len(early) < 2:
        return {}
    some = early[:: -(-len(early) // _MOST_ROWS)].astype(np.float64)
    least = _LEAST_SCALE * float(np.sqrt((some**2).mean()))
    mean, scale = some.mean(axis=0), np.maximum(some.std(axis=0), max(least, 1e-6))
    rows = (some - mean) / scale
    variances, columns = np.linalg.eigh(rows.T @ rows / len(rows))
    variances, vectors = np.maximum(variances[::-1], 0), columns[:, ::-1].T
    count = min(_EARLY_COMPONENTS, len(variances))
    beyond = float(variances[count:].mean()) if count < len(variances) else 0.0
    return {
        "early_mean": mean.astype(np.float32),
        "early_scale": scale.astype(np.float32),
        "early_components": np.ascontiguousarray(vectors[:count], np.float32),
        "early_spreads": np.sqrt(variances[:count] + _LEAST_VARIANCE).astype(np.float32),
        "early_rest": np.array([(beyond + _LEAST_VARIANCE) ** 0.5], np.float32),
    }


_EARLY_COMPONENTS = 256
_LEAST_SCALE = 0.01
"""Least standard deviation of an early feature, as a share of the root mean square of all.
A channel behind a ReLU that is 0 for all training images would otherwise make any tiny
value of it a great distance."""
_LEAST_VARIANCE = 0.02
"""Variance added to each principal component of the standardised early features, whose
mean variance is 1, so that the smallest ones, mostly noise, do not decide."""


def _principal(
    rows: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], float]:
    """Return mean, principal components, and standard deviations of the features `rows`.

    Of N images with F features, (N, F): the mean is (F,), the components are (K, F), their
    standard deviations (K,); the last value is the standard deviation in each direction
    beyond the components.
    """
    step = -(-len(rows) // _MOST_ROWS)
    some = rows[::step].astype(np.float64)
    mean = some.mean(axis=0)
    centred = some - mean
    if len(some) < rows.shape[1]:
        _, values, vectors = np.linalg.svd(centred, full_matrices=False)
        variances = values**2 / max(len(some) - 1, 1)
    else:
        variances, columns = np.linalg.eigh(centred.T @ centred / max(len(some) - 1, 1))
        variances, vectors = np.maximum(variances[::-1], 0), columns[:, ::-1].T
    count = max(min(COMPONENTS, len(variances) - 1), 1)
    floor = max(float(variances[0]) * 1e-6, 1e-12)
    beyond = max(float(variances[count:].sum()) / max(rows.shape[1] - count, 1), floor)
    spreads = np.sqrt(np.maximum(variances[:count], floor))
    as_floats = [each.astype(np.float32) for each in (mean, vectors[:count], spreads)]
    return as_floats[0], np.ascontiguousarray(as_floats[1]), as_floats[2], beyond**0.5


def set_limit(
    index: Index, held_back: Seen, groups: Sequence[str], *, set_on: str
) -> Abstention:
    """Return a network's out-of-distribution limit, set on images it was not trained on.

    `held_back` are the network's outputs for these images, and `groups` their groups, (N,);
    each group counts once. The limit is the lowest for which it is 90 % certain (Clopper &
    Pearson 1934, doi:10.1093/biomet/26.4.404) that at most 5 % of new images like these are
    above it. With too few groups the limit is None. A signal that is not finite for one of
    the images is not used. `set_on` names the images.
    """
    values = signal_values(Neighbours(index), held_back.looked, held_back.pictures)
    used = dict(zip(SIGNALS, values, strict=True))
    used = {name: own for name, own in used.items() if np.isfinite(own).all()}
    weight = BESIDE_EARLY if "early" in used else WEIGHTS
    signals = [_signal(name, own, weight[name]) for name, own in used.items()]
    known = np.stack(list(used.values()))
    bare = Abstention(signals=signals, limit=1.0)
    score = bare.strangeness(known).max(axis=0)
    weights = weights_of(groups)
    limit = limit_of(score, weights)
    return Abstention(
        signals=signals,
        limit=limit,
        refused=None if limit is None else share_of(score > limit, weights),
        n_images=len(score),
        n_groups=round(float(weights.sum())),
        set_on=set_on,
    )


def limit_of(score: FloatArray, weights: FloatArray, *, most: float = MOST) -> float | None:
    """Return the lowest limit above which at most the share `most` of images is refused.

    `score` and `weights` are (N,); the weights of the images of a group sum to 1. The share
    holds with a confidence of 90 %. None if there are too few groups.
    """
    order = np.argsort(-score, kind="stable")
    refused = np.concatenate([[0.0], np.cumsum(weights[order])])
    total = refused[-1]
    most_refused = betaincinv(
        refused[:-1] + 1, np.maximum(total - refused[:-1], 1e-9), _CONFIDENCE
    )
    allowed = np.flatnonzero(most_refused <= most)
    if not len(allowed):
        return None
    return max(float(score[order[allowed[-1]]]), 1e-6)


def _signal(name: str, values: FloatArray, weight: float) -> Signal:
    middle, upper = np.quantile(values, [0.5, _USUAL])
    return Signal(
        name=name,
        middle=float(middle),
        spread=max(float(upper - middle), LEAST_SPREAD.get(name, 1e-3)),
        weight=weight,
    )


LEAST_SPREAD = {
    "kind": 0.5,
    "print": 0.02,
    "blur": 0.1,
    "dark": 0.05,
    "bright": 0.05,
    "frame": 0.05,
}
"""Least `Signal.spread` by signal name (0.001 for others), so that it is above 0 even where
the signal is equal for all held-back images."""


def weights_of(groups: Sequence[str]) -> FloatArray:
    """Return weights of N images, (N,), that sum to 1 in each group."""
    names = pd.Series(list(groups))
    return np.asarray(1 / names.map(names.value_counts()).to_numpy(np.float64))


def share_of(refused: NDArray[np.bool_], weights: FloatArray) -> float:
    """Return the weighted share of images that are `refused`; both arrays are (N,)."""
    return float(weights[refused].sum() / weights.sum())
