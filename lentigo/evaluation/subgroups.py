"""The main metrics for each value of a column, such as each site or each device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.config import ScoringConfig
from lentigo.errors import ColumnError
from lentigo.evaluation.headline import FEWEST, MOST_PARTS
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.judged import Judged
from lentigo.evaluation.measuring import measure_some, sides
from lentigo.evaluation.registry import METRICS
from lentigo.evaluation.sums import as_sample
from lentigo.table_files.not_known import NOT_KNOWN
from lentigo.visible import visible
from lentigo.words import aligned, some

UNKNOWN = "not known"
_MOST_NUMBERS = 12
"""Numbers with more values, such as ages, are divided at their quarters."""
SHOWN = tuple(metric for metric in METRICS.values() if metric.by_subgroup)


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """The images with one value of the column, judged on their own."""

    name: str
    n_images: int
    n_groups: int
    n_melanomas: int
    n_melanoma_groups: int
    n_other_groups: int
    metrics: Mapping[str, Interval]

    @property
    def too_few_for(self) -> list[str]:
        """Return the names of the metrics that rest on too few images or groups."""
        fewest = {
            "melanomas": min(self.n_melanomas, self.n_melanoma_groups),
            "others": min(self.n_images - self.n_melanomas, self.n_other_groups),
        }
        fewest["both"] = min(fewest.values())
        return [n for n in self.metrics if fewest[METRICS[n].rests_on] < FEWEST]

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
        }


@dataclass(frozen=True, kw_only=True)
class Subgroups:
    """The subgroups of one column, one for each value."""

    by: str
    """Column that was asked for, such as `site`."""
    said: str
    """Column that the values were read from, in words."""
    groups: tuple[Subgroup, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the subgroups, ready for JSON."""
        return {
            "column": self.said,
            "groups": [group.as_dict() for group in self.groups],
            "note": _TOO_FEW,
        }

    def as_lines(self) -> list[str]:
        """Return a table for a terminal, with the meaning of "too few" if it occurs."""
        rows = [("", "images", "groups", "melanomas", *(m.name for m in SHOWN))]
        rows += [_cells(group) for group in self.groups]
        lines = [f"By {visible(self.said)}:", *aligned(rows, right=(1, 2, 3))]
        few = any(group.too_few_for for group in self.groups)
        return [*lines, _TOO_FEW] if few else lines

    def as_table(self) -> pd.DataFrame:
        """Return one row a subgroup, for CSV: counts, then each metric with its ends."""
        return pd.DataFrame([_row(self.by, group) for group in self.groups])


_TOO_FEW = (
    f"Too few: nothing can be said of a number that rests on fewer than {FEWEST} melanomas "
    f"(or other images), or on those of fewer than {FEWEST} groups."
)


def subgroups_of(
    table: pd.DataFrame,
    values: pd.Series[Any],
    *,
    by: str,
    said: str,
    settings: ScoringConfig,
) -> Subgroups:
    """Compute the main metrics of each value on its own, with the groups of the table.

    `table` has `melanoma`, `probability` and `group`; `values` has one value a row. Case
    does not matter, missing values are a subgroup of their own, and numbers with more than
    12 values are divided at their quarters.

    Raises `ColumnError` where there are more than 40 values.
    """
    names = _numbers(values) if _is_numbers(values) else _words(values)
    found = _in_order(names)
    if len(found) > MOST_PARTS:
        raise ColumnError(
            f"{said} has {len(found):,} values ({some(found)}), and at most {MOST_PARTS} "
            "subgroups can be judged. Give another column with --by."
        )
    own = names.to_numpy()
    groups = []
    for name in found:
        sample = as_sample(table[own == name].reset_index(drop=True))
        groups.append(_subgroup(name, Judged(sample, settings.threshold), settings))
    return Subgroups(by=by, said=said, groups=tuple(groups))


def _subgroup(name: str, judged: Judged, settings: ScoringConfig) -> Subgroup:
    with_melanoma, without = sides(judged.sample)
    return Subgroup(
        name=name,
        n_images=len(judged.truth),
        n_groups=judged.sample.groups,
        n_melanomas=int(judged.truth.sum()),
        n_melanoma_groups=with_melanoma,
        n_other_groups=without,
        metrics=measure_some(SHOWN, judged, repeats=settings.repeats, seed=settings.seed),
    )


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return the values as trimmed text; a word such as "unknown" is missing."""
    text = (
        values.astype("string").str.strip().str.replace(r"^(-?\d+)\.0$", r"\1", regex=True)
    )
    # "other" is a device or a clinic like any.
    return text.mask(text.str.casefold().isin(NOT_KNOWN - {"other"}))


def _is_numbers(values: pd.Series[Any]) -> bool:
    plain = _plain(values).dropna()
    numbers = pd.to_numeric(plain, errors="coerce").astype("float64")
    return bool(np.isfinite(numbers).all()) and numbers.nunique() > _MOST_NUMBERS


def _numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return the quarter of each number, named by its ends, such as "45 to 55"."""
    numbers = pd.to_numeric(_plain(values), errors="coerce").astype("float64")
    quarter = pd.qcut(numbers, 4, labels=False, duplicates="drop")
    ends = numbers.groupby(quarter).agg(["min", "max"])
    named = {place: f"{low:g} to {high:g}" for place, low, high in ends.itertuples()}
    return quarter.map(named).astype("string").fillna(UNKNOWN)


def _words(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return each value in its first spelling."""
    plain = _plain(values)
    folded = plain.str.casefold()
    first = plain.groupby(folded).first()
    return folded.map(first).astype("string").fillna(UNKNOWN)


def _in_order(names: pd.Series[Any]) -> list[str]:
    """Sort names: numbers by their size, then words, then `UNKNOWN`."""

    def place(name: str) -> tuple[bool, float, str]:
        try:
            return False, float(name.partition(" to ")[0]), name
        except ValueError:
            return name == UNKNOWN, math.inf, name

    return sorted(map(str, names.unique()), key=place)


def _cells(group: Subgroup) -> tuple[str, ...]:
    few = group.too_few_for
    return (
        visible(group.name),
        f"{group.n_images:,}",
        f"{group.n_groups:,}",
        f"{group.n_melanomas:,}",
        *("too few" if n in few else _number(m) for n, m in group.metrics.items()),
    )


def _number(interval: Interval) -> str:
    if math.isnan(interval.value):
        return "undefined"
    if math.isnan(interval.low):
        return f"{interval.value:.3f}"
    rough = ", rough" if interval.rough else ""
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f}{rough})"


def _row(by: str, group: Subgroup) -> dict[str, Any]:
    row: dict[str, Any] = {"by": by, **group.as_dict()}
    for name in group.metrics:
        interval = row.pop(name)
        row[name] = interval["value"]
        row |= {f"{name}_{end}": interval[end] for end in ("low", "high", "rough")}
    return {**row, "too_few_for": " ".join(group.too_few_for)}
