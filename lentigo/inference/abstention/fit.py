"""Make the index of a network, and set its limit on images that it did not learn from."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy.special import betaincinv

from lentigo.imaging.kind.working import Image, luma
from lentigo.inference.abstention.neighbours import Neighbours
from lentigo.inference.abstention.pictures import PICTURE_SIGNALS, picture_signals
from lentigo.inference.abstention.signals import SIGNALS, signal_values
from lentigo.models.abstention import MOST, Abstention, Signal
from lentigo.models.backend import Images, Looked, Predictor
from lentigo.models.index import Index, salted, unit_length

FloatArray = NDArray[np.float64]

COMPONENTS = 128
_MOST_ROWS = 20_000
"""Images of which the principal components are taken; more say no more."""
_CONFIDENCE = 0.9
"""How sure it is that images of the same kind are refused no more often than asked."""
WEIGHTS = {**dict.fromkeys(SIGNALS, 1.0), "energy": 0.5, "spread": 0.5}
"""Those that doubt the answer count half: they rise for hard lesions, not for strange
images, and took a third of what may be refused."""
_USUAL = 0.9
"""Share of the held-back images below what counts as the upper end of the usual."""


@dataclass(frozen=True)
class Seen:
    """The answers of a network and of the picture checks for N images."""

    looked: Looked
    pictures: FloatArray
    """(6, N); see `picture_signals`."""
    prints: NDArray[np.uint64]
    """(N,); see `gradient_hash`."""


def seen(
    predictor: Predictor, batches: Iterable[Images], *, for_index: bool = False
) -> Seen | None:
    """Return what there is to know of images; None where the engine gives no features.

    `batches` hold squares, (N, S, S, 3) RGB of `uint8`. `for_index` they are looked at
    once, however many views the model answers from, and without the numbers of the
    pictures: of images that were learnt from, only the features of the first look are kept.
    """
    parts, checked, prints = [], [np.empty((len(PICTURE_SIGNALS), 0))], []
    for batch in batches:
        found = predictor.looked(batch, looks=1 if for_index else None)
        if found is None:
            return None
        parts.append(found)
        prints += [gradient_hash(square) for square in batch]
        if not for_index:
            checked += [picture_signals(square)[0][:, None] for square in batch]
    if not parts:
        return None
    looked = Looked(
        answers=np.concatenate([each.answers for each in parts], axis=1),
        features=np.concatenate([each.features for each in parts]),
        energy=np.concatenate([each.energy for each in parts]),
        spread=np.concatenate([each.spread for each in parts]),
    )
    return Seen(looked, np.concatenate(checked, axis=1), np.array(prints, np.uint64))


def gradient_hash(square: Image) -> int:
    """Return 64 bits that a copy of an image, (S, S, 3) RGB, shares: lighter rightwards?

    The difference hash (dHash): near-duplicates differ in a few bits.
    """
    small = Pillow.fromarray(luma(square)).resize((9, 8), Pillow.Resampling.BOX)
    grey = np.asarray(small, dtype=np.int16)
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return int(np.packbits(bits).view(">u8")[0])


def make_index(found: Seen, learnt: pd.DataFrame, *, named: bool = False) -> Index:
    """Return the index of the images `learnt` from: rows of a lesion table with groups.

    `named` keeps the image ids themselves beside their digests.
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
    )


def _principal(
    rows: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], float]:
    """Return mean, components, their deviations, and the deviation along each other one."""
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
    """Return when a network does not answer, set on images that it did not learn from.

    `groups` names the group of each image, (N,). Each group counts once. The limit is the
    lowest of which it is 90 % sure (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404)
    that at most 5 % of images of the same kind are beyond it; too few groups set none.
    """
    values = signal_values(Neighbours(index), held_back.looked, held_back.pictures)
    signals = [
        _signal(name, own)
        for name, own in zip(SIGNALS, values, strict=True)
        if np.isfinite(own).all()
    ]
    known = np.stack([values[SIGNALS.index(each.name)] for each in signals])
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
    """Return the limit above which an image is refused; None where too few groups set it.

    `weights` of the images of a group sum to 1.
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


def _signal(name: str, values: FloatArray) -> Signal:
    middle, upper = np.quantile(values, [0.5, _USUAL])
    return Signal(
        name=name,
        middle=float(middle),
        spread=max(float(upper - middle), LEAST_SPREAD.get(name, 1e-3)),
        weight=WEIGHTS[name],
    )


LEAST_SPREAD = {
    "kind": 0.5,
    "print": 0.02,
    "blur": 0.1,
    "dark": 0.05,
    "bright": 0.05,
    "frame": 0.05,
}
"""What at least counts as usual, where all held-back images are alike."""


def weights_of(groups: Sequence[str]) -> FloatArray:
    """Return weights of images by which each group counts once, (N,)."""
    names = pd.Series(list(groups))
    return np.asarray(1 / names.map(names.value_counts()).to_numpy(np.float64))


def share_of(refused: NDArray[np.bool_], weights: FloatArray) -> float:
    """Return the share of images that are refused, by their weights."""
    return float(weights[refused].sum() / weights.sum())
