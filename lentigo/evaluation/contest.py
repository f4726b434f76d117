"""Compare the AUCs of several models on the same images, and each pair of models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lentigo.config import ScoringConfig
from lentigo.errors import ConfigError, DatasetError, unknown_name
from lentigo.evaluation.clustered import Estimate, estimated_difference
from lentigo.evaluation.contest_result import (
    ALPHA,
    Contest,
    Entrant,
    Pair,
    places,
    turned_round,
)
from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.grouping import Groups
from lentigo.evaluation.headline import FEWEST
from lentigo.evaluation.intervals import Interval, resample
from lentigo.evaluation.joined_groups import (
    about_joined,
    joined_groups,
    joined_units,
    within_archive,
)
from lentigo.evaluation.joining import Source, match
from lentigo.evaluation.measuring import sides
from lentigo.evaluation.parts import DATASET, WHY
from lentigo.evaluation.permutation import holm, permutation_p
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.roughness import DIFFERENCES_ROUGH_BELOW, marked
from lentigo.evaluation.scored import scored
from lentigo.evaluation.sums import Auc, Sample, as_sample
from lentigo.evaluation.telling import no_spread, tells, told
from lentigo.table_files.cells import ids_as_text
from lentigo.words import counted, some, verb


@ids_as_text
def compare_models(
    predictions: Mapping[str, Source],
    truth: Source | Sequence[Source],
    *,
    columns: Mapping[str, str] | None = None,
    reference: str | None = None,
    margin: float | None = None,
    group: str | None = None,
    repeats: int = 2000,
    seed: int = 0,
) -> Contest:
    """Compare models (name → predictions) by AUC on the images that all of them predict.

    Images are judged together and, if `truth` is several tables (archives) or has a column
    `dataset`, also archive by archive. Each pair of models has the paired difference of AUC
    with its interval, in which groups are independent, and the p-value of a permutation
    test, adjusted for the number of pairs after Holm. With a `reference` (a model's name)
    only its pairs are compared. With a `margin` (a difference of AUC, such as 0.02)
    non-inferiority is tested: the hypothesis is that the first model of a pair is worse by
    the margin or more. `columns` is as in `evaluate`, for every table.

    Raises the errors of `evaluate`, `ConfigError` for fewer than two models or a margin not
    between 0 and 0.5, `UnknownNameError` when `reference` is no model of `predictions`, and
    `DatasetError` when no image is predicted by all models.
    """
    ScoringConfig(group=group, repeats=repeats, seed=seed)
    _check(predictions, reference, margin)
    truths = [truth] if isinstance(truth, pd.DataFrame | Path | str) else truth
    tables, unit, notes = _joined(predictions, truths, group, columns)
    samples = _samples(tables)
    pairs = _pairs(samples, reference, margin, repeats=repeats, seed=seed)
    first, first_sample = next(iter(tables.values())), next(iter(samples.values()))
    archives, small = _by_archive(samples, first.get(DATASET))
    warnings = _nothing_told(pairs, first_sample, unit, repeats)
    warnings += _spreadless(pairs, samples)
    entrants = _entrants(samples, repeats=repeats, seed=seed)
    enough = tells(first_sample.truth, first_sample.group)
    warnings += turned_round(entrants if enough else (), archives)
    return Contest(
        entrants=entrants, pairs=pairs,
        archives=archives, small_archives=small, sample=samples, unit=unit,
        margin=margin, repeats=repeats, seed=seed,
        notes=(*notes, *([WHY[DATASET]] if archives else []), *warnings),
    )  # fmt: skip


def _nothing_told(
    pairs: Sequence[Pair], sample: Sample, unit: str, repeats: int
) -> list[str]:
    """Return a warning if no difference can be told: too few images, or `repeats`.

    The latter is so where no adjusted p-value can be below 0.05.
    """
    if not tells(sample.truth, sample.group):
        return [_why_untold(sample, unit)]
    least = len(pairs) / (1 + repeats)
    if least < ALPHA:
        return []
    return [
        f"With {counted(repeats, 'permutation')} no p-value of {len(pairs)} pairs can be "
        f"below {least:.3f} after Holm, so no pair can differ; give more (--repeats)."
    ]


def _spreadless(pairs: Sequence[Pair], samples: Mapping[str, Sample]) -> list[str]:
    """Return why pairs have no interval, a sentence each, where there are enough groups."""
    return [
        no_spread(f"{each.first} and {each.second}", one.score, other.score)
        for each in pairs
        for one, other in [(samples[each.first], samples[each.second])]
        if math.isnan(each.auc.low)
        and not math.isnan(each.auc.value)
        and tells(one.truth, one.group)
    ]


def _why_untold(sample: Sample, unit: str) -> str:
    melanomas = int(sample.truth.sum())
    if min(melanomas, len(sample.truth) - melanomas) < FEWEST:
        why = f", which takes at least {FEWEST} melanomas and {FEWEST} other images"
    else:
        with_melanoma, without = sides(sample)
        why = (
            f": the melanomas are of {counted(with_melanoma, unit)}, the other images of "
            f"{without:,}, and it takes at least {FEWEST} of either"
        )
    return (
        f"Nothing can be said about a difference of these models{why}, so no pair has an "
        "interval or a p-value, and no model a rank."
    )


def _check(
    predictions: Mapping[str, Source], reference: str | None, margin: float | None
) -> None:
    if len(predictions) < 2:
        raise ConfigError("A comparison takes two models or more.")
    if reference is not None and reference not in predictions:
        raise unknown_name("model", reference, predictions)
    if margin is not None and not 0 < margin < 0.5:
        raise ConfigError(f"margin is {margin:g}; give a difference of AUC from 0 to 0.5.")


def _joined(
    predictions: Mapping[str, Source],
    truths: Sequence[Source],
    group: str | None,
    columns: Mapping[str, str] | None,
) -> tuple[dict[str, pd.DataFrame], str, list[str]]:
    """Match each model with the labels, and keep the images that all models predict.

    Groups are those that any model's table puts together, in whatever order they come.
    Returns the tables by model (rows in the same order), the unit of groups, and notes.
    """
    judged = {
        name: _judged(name, source, truths, group, columns)
        for name, source in predictions.items()
    }
    common = set.intersection(*(set(each.table["image_id"]) for each in judged.values()))
    if not common:
        raise DatasetError(
            f"No image is predicted by all of {some(list(judged))}, so they cannot be "
            "compared."
        )
    kept = {
        name: each.table[each.table["image_id"].isin(common)]
        .sort_values("image_id")
        .reset_index(drop=True)
        for name, each in judged.items()
    }
    joined = joined_groups([table["group"] for table in kept.values()])
    kept = {name: table.assign(group=joined) for name, table in kept.items()}
    groups = {name: each.groups for name, each in judged.items()}
    notes = [*_once(judged), *about_joined(groups), *_lost(judged, common)]
    return kept, joined_units(groups), notes


@dataclass(frozen=True)
class _Judged:
    """The images with a label and a prediction of one model."""

    table: pd.DataFrame
    """The table that `lentigo.evaluation.scored.scored` returns, for all truth tables."""
    labels: int
    """Number of images with a label, with or without a prediction."""
    groups: tuple[Groups, ...]
    """The groups of each truth table."""
    notes: tuple[str, ...]
    """Sentences on matching; those on groups are the groups' own."""


def _judged(
    name: str,
    source: Source,
    truths: Sequence[Source],
    group: str | None,
    columns: Mapping[str, str] | None,
) -> _Judged:
    parts, of_all, notes, labels = [], [], [], 0
    for number, truth in enumerate(truths):
        matched = match(source, truth, columns=columns)
        table, groups, _ = scored(matched, group=group)
        if len(truths) > 1:
            table["group"] = within_archive(table, _called(truth, number))
            if DATASET not in table:
                table[DATASET] = _called(truth, number)
        parts.append(table)
        of_all.append(groups)
        labels += len(table) + sum(matched.left_out.get(reason, 0) for reason in _NO_SCORE)
        notes += [n for n in matched.notes if n not in matched.about_left_out]
    whole = pd.concat(parts, ignore_index=True)
    twice = whole.loc[whole["image_id"].duplicated(), "image_id"]
    if len(twice):
        raise DatasetError(
            f"{name}: {counted(len(twice), 'image')} {verb(len(twice), 'stands', 'stand')} "
            f"in two of the tables given as truth: {some(twice.tolist())}."
        )
    return _Judged(whole, labels, tuple(of_all), tuple(notes))


_NO_SCORE = ("without a prediction", "without a probability")
"""Keys of `Matched.left_out` that count images with a label."""


def _lost(judged: Mapping[str, _Judged], common: set[str]) -> list[str]:
    """Return a sentence for each model with labelled images that not all models predict."""
    return [
        f"{name} predicts {len(each.table):,} of {counted(each.labels, 'image')} with a "
        f"label; {len(common):,} are predicted by all."
        for name, each in judged.items()
        if each.labels > len(common)
    ]


def _once(judged: Mapping[str, _Judged]) -> list[str]:
    """Return all notes: a note of all models once, any other after its model's name."""
    shared = [
        note
        for note in next(iter(judged.values())).notes
        if all(note in each.notes for each in judged.values())
    ]
    own = [
        f"{name}: {note}"
        for name, each in judged.items()
        for note in each.notes
        if note not in shared
    ]
    return list(dict.fromkeys([*shared, *own]))


def _called(truth: Source, number: int) -> str:
    return f"table {number + 1}" if isinstance(truth, pd.DataFrame) else str(truth)


def _samples(tables: Mapping[str, pd.DataFrame]) -> dict[str, Sample]:
    """Return each model's scores with the labels and groups that all share."""
    first = as_sample(next(iter(tables.values())))
    return {
        name: replace(first, score=table["probability"].to_numpy(np.float64))
        for name, table in tables.items()
    }


def _entrants(
    samples: Mapping[str, Sample], *, repeats: int, seed: int
) -> tuple[Entrant, ...]:
    ranks, first = places(_resampled_aucs(samples, repeats=repeats, seed=seed))
    found = [
        Entrant(
            name=name,
            auc=_auc(sample),
            mean_rank=float(ranks[row]),
            first=float(first[row]),
        )
        for row, (name, sample) in enumerate(samples.items())
    ]
    order = sorted(found, key=lambda each: -np.nan_to_num(each.auc.value, nan=-1.0))
    return tuple(order)


def _resampled_aucs(
    samples: Mapping[str, Sample], *, repeats: int, seed: int
) -> FloatArray:
    """AUCs (models, resamples), those defined for all; no resample of too few groups."""
    if not all(tells(each.truth, each.group) for each in samples.values()):
        return np.empty((len(samples), 0))
    aucs = np.stack(
        [
            resample([Auc(each)], groups=each.groups, repeats=repeats, seed=seed)["auc"]
            for each in samples.values()
        ]
    )
    return np.asarray(aucs[:, ~np.isnan(aucs).any(axis=0)])


def _auc(sample: Sample) -> Interval:
    with_melanoma, without = sides(sample)
    found = {"auc": auc_interval(sample.truth, sample.score, sample.group)}
    return marked(found, with_melanoma=with_melanoma, without=without)["auc"]


def _pairs(
    samples: Mapping[str, Sample],
    reference: str | None,
    margin: float | None,
    *,
    repeats: int,
    seed: int,
) -> tuple[Pair, ...]:
    names = _named_pairs(list(samples), reference)
    estimates = [_estimate(samples[a], samples[b]) for a, b in names]
    p = np.array([_p(samples[a], samples[b], repeats, seed) for a, b in names])
    inferior = np.full(len(names), np.nan)
    if margin is not None:
        chances = [each.chance_above(-margin) for each in estimates]
        if all(tells(each.truth, each.group) for each in samples.values()):
            inferior = holm(np.array(chances))
    return tuple(
        Pair(
            first=a,
            second=b,
            auc=_difference(estimate, samples[a]),
            p=float(own),
            p_holm=float(adjusted),
            p_inferior=float(worse),
        )
        for (a, b), estimate, own, adjusted, worse in zip(
            names, estimates, p, holm(p), inferior, strict=True
        )
    )


def _named_pairs(names: Sequence[str], reference: str | None) -> list[tuple[str, str]]:
    if reference is None:
        return list(combinations(names, 2))
    return [(name, reference) for name in names if name != reference]


def _estimate(a: Sample, b: Sample) -> Estimate:
    return estimated_difference(a.truth, a.score, b.score, a.group)


def _p(a: Sample, b: Sample, repeats: int, seed: int) -> float:
    """Return the p-value of a pair; NaN of too few groups (`telling`)."""
    if not tells(a.truth, a.group):
        return math.nan
    return permutation_p(a.truth, a.score, b.score, a.group, repeats=repeats, seed=seed)


def _difference(estimate: Estimate, sample: Sample) -> Interval:
    interval = estimate.interval()
    if not tells(sample.truth, sample.group):
        return Interval(interval.value)
    low, high = np.clip([interval.low, interval.high], -1.0, 1.0)
    with_melanoma, without = sides(sample)
    return marked(
        {"auc": Interval(interval.value, float(low), float(high))},
        with_melanoma=with_melanoma,
        without=without,
        rough_below=DIFFERENCES_ROUGH_BELOW,
    )["auc"]


def _by_archive(
    samples: Mapping[str, Sample], archives: pd.Series[Any] | None
) -> tuple[dict[str, dict[str, Interval]], tuple[str, ...]]:
    """AUC of each model on the images of each archive, and the small archives.

    The latter have melanomas, or other images, of too few groups (`telling`); there an AUC
    has no bounds. Both are empty with one archive.
    """
    if archives is None:
        return {}, ()
    names = archives.astype("string").fillna("not known").to_numpy()
    known = sorted(set(names))
    if len(known) < 2:
        return {}, ()
    parts = {
        model: {name: sample.taking(np.flatnonzero(names == name)) for name in known}
        for model, sample in samples.items()
    }
    one = next(iter(parts.values()))  # labels and groups are those of every model
    large = {name: tells(part.truth, part.group) for name, part in one.items()}
    aucs = {
        model: {name: told(_auc(part), enough=large[name]) for name, part in row.items()}
        for model, row in parts.items()
    }
    return aucs, tuple(name for name in known if not large[name])
