"""The main metrics for each value of a column, such as each body site or each device."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from lentigo.errors import ColumnError
from lentigo.evaluation.discrimination import BoolArray
from lentigo.evaluation.headline import FEWEST, MOST_PARTS
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.judged import Judged
from lentigo.evaluation.measuring import measure_some, sides
from lentigo.evaluation.permutation import holm
from lentigo.evaluation.registry import MANY, METRICS
from lentigo.evaluation.subgroup_difference import ALPHA, Difference, less, untold
from lentigo.evaluation.subgroup_names import UNKNOWN, coded_names
from lentigo.evaluation.sums import Sample
from lentigo.visible import visible
from lentigo.words import aligned, counted, some, verb

CROSS = "*"
"""Separator of two columns whose values are combined, as in `site*sex`."""
MOST_CROSSED = 200
_REPEATS = 1000
_OF_DIFFERENCES = ("low", "high", "rough", "p", "p_holm")
SHOWN = tuple(metric for metric in METRICS.values() if metric.by_subgroup)


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """The counts and metrics of the images of one subgroup."""

    name: str
    n_images: int
    n_groups: int
    n_melanomas: int
    n_melanoma_groups: int
    n_other_groups: int
    metrics: Mapping[str, Interval]
    against_rest: Mapping[str, Difference] = field(default_factory=dict)
    """Each metric minus that of all other images; empty where there are no other images."""

    @property
    def too_few_for(self) -> list[str]:
        """Return the names of the metrics that rest on too few images or groups."""
        few = _too_few(self.n_melanoma_groups, self.n_other_groups)
        return [n for n in self.metrics if n in few]

    def as_dict(self) -> dict[str, Any]:
        """Return counts and metrics as plain values, ready for JSON."""
        return {
            "name": self.name,
            "n_images": self.n_images,
            "n_groups": self.n_groups,
            "n_melanomas": self.n_melanomas,
            "n_melanoma_groups": self.n_melanoma_groups,
            "n_other_groups": self.n_other_groups,
            "too_few_for": self.too_few_for,
            **{name: interval.as_dict() for name, interval in self.metrics.items()},
            "against_rest": {n: each.as_dict() for n, each in self.against_rest.items()},
        }

    @property
    def said_differences(self) -> dict[str, Difference]:
        """Return `against_rest` without the metrics of too few groups on either side."""
        return {n: each for n, each in self.against_rest.items() if not each.too_few}


@dataclass(frozen=True, kw_only=True)
class Subgroups:
    """The subgroups of one column, one for each value."""

    by: str
    """The requested name of the column, such as `site`."""
    said: str
    """The column that the values were read from, in words."""
    groups: tuple[Subgroup, ...]
    """The subgroups, sorted by name, or by number where names are numbers."""

    @property
    def worst_first(self) -> list[Subgroup]:
        """Return the subgroups, the lowest AUC first; those of too few images come last."""

        def place(group: Subgroup) -> tuple[bool, float]:
            value = group.metrics["auc"].value
            few = "auc" in group.too_few_for or math.isnan(value)
            return few, 0.0 if few else value

        return sorted(self.groups, key=place)

    def as_dict(self) -> dict[str, Any]:
        """Return the subgroups, and their names with the lowest AUC first, for JSON."""
        return {
            "column": self.said,
            "groups": [group.as_dict() for group in self.groups],
            "worst_first": [group.name for group in self.worst_first],
            "note": _TOO_FEW,
        }

    def as_lines(self) -> list[str]:
        """Return the lines of text tables: metrics, and their differences to the rest.

        Subgroups with the lowest AUC come first. "too few" is explained below the tables.
        """
        rows = [("", "images", "groups", "melanomas", *(m.name for m in SHOWN))]
        rows += [_cells(group) for group in self.worst_first]
        lines = [f"By {visible(self.said)}:", *aligned(rows, right=(1, 2, 3))]
        if any(group.against_rest for group in self.groups):
            table = [("less the rest:", *(m.name for m in SHOWN))]
            table += [_differences(group) for group in self.worst_first]
            lines += aligned(table)
        few = any(
            group.too_few_for or len(group.said_differences) < len(group.against_rest)
            for group in self.groups
        )
        return [*lines, _TOO_FEW] if few else lines

    def as_table(self) -> pd.DataFrame:
        """Return one row a subgroup, for CSV: counts, then each metric with its bounds."""
        return pd.DataFrame([_row(self.by, group) for group in self.groups])


_TOO_FEW = (
    f"Too few: nothing can be said of a number that rests on fewer than {FEWEST} melanomas "
    f"(or other images), or on those of fewer than {FEWEST} groups. No "
    "difference (–) is told of such a subgroup, nor where the rest is as small."
)


def subgroups_of(
    sample: Sample,
    values: pd.Series[Any],
    *,
    by: str,
    said: str,
    threshold: float,
) -> Subgroups:
    """Compute the main metrics of each subgroup, and their differences to all other images.

    `values` has one value for each image of `sample`; images of equal value are a subgroup.
    Case does not matter, missing values are a subgroup of their own, and numbers with more
    than 12 different values are divided at their quartiles (`named_values`). `by` and
    `said` name the column; `threshold` is the probability from which melanoma is called.

    Raises `ColumnError` when there are more than 40 subgroups, or 200 for two columns.
    """
    numbers, names = coded_names(values)
    found = _in_order(names)
    most = MOST_CROSSED if CROSS in by else MOST_PARTS
    if len(found) > most:
        raise ColumnError(
            f"{said} has {len(found):,} values ({some(found)}), and at most {most} "
            "subgroups can be judged. Give another column with --by."
        )
    place = np.array([found.index(name) for name in names], dtype=np.int16)
    codes = place.take(numbers).take(sample.ranks)
    own = [_part(sample, codes == place, threshold) for place in range(len(found))]
    rest: Sequence[_Part | None] = [None] if len(own) == 1 else own[::-1]
    if len(own) > 2:
        rest = [_part(sample, codes != place, threshold) for place in range(len(found))]
    groups = map(_subgroup, found, own, rest)
    return Subgroups(by=by, said=said, groups=tuple(groups))


def adjusted(found: Sequence[Subgroups]) -> tuple[Subgroups, ...]:
    """Return the subgroups with p-values adjusted for their number (Holm).

    The p-values of all metrics and of the subgroups of all columns are adjusted together;
    those of subgroups of too few images do not count, and the two of a column that has only
    two subgroups are one test.
    """
    tests = list(_tests(found))
    after = holm(np.array([p for *_, p in tests])).tolist()
    known = {test[:3]: p for test, p in zip(tests, after, strict=True)}
    return tuple(
        replace(each, groups=tuple(_with(group, each, known) for group in each.groups))
        for each in found
    )


def _tests(found: Sequence[Subgroups]) -> Iterator[tuple[str, str, str, float]]:
    """Yield column, subgroup, metric and p-value of each test that is told.

    Of a column with two subgroups it is that of the lower one.
    """
    for each in found:
        for group in each.groups:
            for metric, told in group.said_differences.items():
                if len(each.groups) != 2 or group is _lower(each, metric):
                    yield each.by, group.name, metric, told.p


def _lower(parts: Subgroups, metric: str) -> Subgroup:
    """Return the subgroup whose metric is furthest below the rest; NaN counts as 0."""
    values = [group.against_rest[metric].interval.value for group in parts.groups]
    return parts.groups[int(np.argmin(np.nan_to_num(values)))]


def sentence_on(found: Sequence[Subgroups]) -> str:
    """Return a sentence: how many differences there are, and which have p below 0.05.

    The p-values are those after Holm's adjustment. Empty where there is no p-value.
    """
    after = {
        (each.by, group.name, metric): told.p_holm
        for each in found
        for group in each.groups
        for metric, told in group.said_differences.items()
    }
    every = [test[:3] for test in _tests(found) if not math.isnan(test[3])]
    if not every:
        return ""
    stand = [f"{test[2]} of {visible(test[1])}" for test in every if after[test] < ALPHA]
    said = f": {some(stand, at_most=8)}" if stand else ""
    return (
        f"{counted(len(every), 'difference')} to the rest were looked at; "
        f"{len(stand):,} {verb(len(stand), 'has', 'have')} p below {ALPHA:g} after Holm's "
        f"adjustment for all of them{said}."
    )


def _with(
    group: Subgroup, parts: Subgroups, holms: Mapping[tuple[str, str, str], float]
) -> Subgroup:
    pair = len(parts.groups) == 2
    against = {}
    for metric, each in group.against_rest.items():
        tested = _lower(parts, metric) if pair else group
        p = holms.get((parts.by, tested.name, metric), math.nan)
        against[metric] = replace(each, p_holm=p)
    return replace(group, against_rest=against)


@dataclass(frozen=True)
class _Part:
    """What is counted and measured of the images of one subgroup, or of all others."""

    images: int
    groups: int
    melanomas: int
    metrics: Mapping[str, Interval]
    with_melanoma: int
    """Number of groups with a melanoma; `without`: of groups with another image."""
    without: int


def _part(sample: Sample, mine: BoolArray, threshold: float) -> _Part:
    """Measure the images where `mine`, (N,), is True; it is in the order of the scores."""
    part = sample.ranked.taking(np.flatnonzero(mine))
    metrics = measure_some(SHOWN, Judged(part, threshold), repeats=_REPEATS, seed=0)
    melanomas = int(np.count_nonzero(part.truth))
    return _Part(len(part.truth), part.groups, melanomas, metrics, *sides(part))


def _subgroup(name: str, own: _Part, rest: _Part | None) -> Subgroup:
    """Describe a subgroup beside all other images; `rest` is None if there are none."""
    against: dict[str, Difference] = {}
    if rest is not None:
        few = _too_few(own.with_melanoma, own.without)
        few |= _too_few(rest.with_melanoma, rest.without)
        rare = min(own.with_melanoma, rest.with_melanoma) < MANY
        against = {
            n: untold(own.metrics[n], each)
            if n in few
            else less(own.metrics[n], each, few=n != "specificity" and rare)
            for n, each in rest.metrics.items()
        }
    return Subgroup(
        name=name,
        n_images=own.images,
        n_groups=own.groups,
        n_melanomas=own.melanomas,
        n_melanoma_groups=own.with_melanoma,
        n_other_groups=own.without,
        metrics=own.metrics,
        against_rest=against,
    )


def _too_few(with_melanoma: int, without: int) -> set[str]:
    """Return the metrics for which there are too few groups with a melanoma, or without."""
    fewest = {"melanomas": with_melanoma, "others": without}
    fewest["both"] = min(fewest.values())
    return {m.name for m in SHOWN if fewest[m.rests_on] < FEWEST}


def _in_order(names: Sequence[str]) -> list[str]:
    """Sort the names: numbers by size, then words, then `UNKNOWN`."""

    def place(name: str) -> tuple[bool, float, str]:
        try:
            return False, float(name.partition(" to ")[0]), name
        except ValueError:
            return name == UNKNOWN, math.inf, name

    return sorted(names, key=place)


def _cells(group: Subgroup) -> tuple[str, ...]:
    few = group.too_few_for
    return (
        visible(group.name),
        f"{group.n_images:,}",
        f"{group.n_groups:,}",
        f"{group.n_melanomas:,}",
        *("too few" if n in few else m.in_words for n, m in group.metrics.items()),
    )


def _differences(group: Subgroup) -> tuple[str, ...]:
    found = group.said_differences
    return (
        visible(group.name),
        *(found[m.name].in_words if m.name in found else "–" for m in SHOWN),
    )


def _row(by: str, group: Subgroup) -> dict[str, Any]:
    row: dict[str, Any] = {"by": by, **group.as_dict()}
    for name in group.metrics:
        interval = row.pop(name)
        row[name] = interval["value"]
        row |= {f"{name}_{end}": interval[end] for end in ("low", "high", "rough")}
    for name, each in row.pop("against_rest").items():
        row[f"{name}_less_rest"] = each["value"]
        row |= {f"{name}_less_rest_{end}": each[end] for end in _OF_DIFFERENCES}
    return {**row, "too_few_for": " ".join(group.too_few_for)}
