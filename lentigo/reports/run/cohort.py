"""The data set and its split in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lentigo.reports.numbers import share
from lentigo.words import count, counted

MISSING = "missing"
ROLES = ("train", "validation", "test")
MOST_DIAGNOSES = 15


@dataclass(frozen=True)
class Line:
    """One value of a column: its number of images, and of melanomas among them."""

    label: str
    images: str
    share: str
    width: float
    """Length of the bar, in per cent of the longest bar."""
    melanomas: str
    melanoma_share: str
    is_missing: bool = False


@dataclass(frozen=True)
class Panel:
    """Counts of the values of one column of the lesion table."""

    title: str
    lines: list[Line]
    note: str = ""


@dataclass(frozen=True)
class Part:
    """One part of a split: training, validation or test."""

    role: str
    images: str
    groups: str
    melanomas: str
    share: str


@dataclass(frozen=True)
class FoldSplit:
    """The parts of one fold; `crossing` names groups that are in more than one part."""

    number: int
    parts: list[Part]
    crossing: list[str]


def datasets(table: pd.DataFrame) -> list[str]:
    """The names of the data sets in a table."""
    return sorted(str(name) for name in table["dataset"].dropna().unique())


def totals(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the counts at the head of the section: images, patients, melanomas …"""
    melanomas = int(table["melanoma"].fillna(False).sum())
    labelled = int(table["melanoma"].notna().sum())
    facts = [("images", count(len(table)))]
    for column, noun in (("patient_id", "patients"), ("lesion_id", "lesions")):
        known = table[column].nunique()
        facts.append((noun, count(known) if known else "not recorded"))
    facts.append(("groups", count(table["group_id"].nunique())))
    facts.append(("melanomas", f"{count(melanomas)} ({share(melanomas, labelled)})"))
    if labelled < len(table):
        facts.append(("images without a label", count(len(table) - labelled)))
    return facts


def panels(table: pd.DataFrame) -> list[Panel]:
    """Count images by sex, site, age and diagnosis; missing values have their own line."""
    age = table["age"]
    note = "No age is known."
    if age.notna().any():
        note = (
            f"Median {number_of_years(age.median())}, range "
            f"{number_of_years(age.min())} to {number_of_years(age.max())} years."
        )
    return [
        Panel("Sex", _lines(table, table["sex"])),
        Panel("Anatomical site", _lines(table, table["site"])),
        Panel("Age in years", _lines(table, _decades(age), in_order=True), note),
        Panel("Diagnosis", _lines(table, table["diagnosis"], most=MOST_DIAGNOSES)),
    ]


def number_of_years(years: float) -> str:
    """Format a number of years: without decimals if it is whole, else with one decimal."""
    return f"{years:.0f}" if years == round(years) else f"{years:.1f}"


def splits(table: pd.DataFrame, roles: Mapping[int, pd.DataFrame]) -> list[FoldSplit]:
    """Count images, groups and melanomas in the parts of each fold.

    `roles` has, by fold number, a table with `image_id` and `role`.
    """
    return [_fold_split(table, number, role) for number, role in roles.items()]


def sentence_on_groups(folds: list[FoldSplit]) -> tuple[bool, str]:
    """Return whether every group is in one part only, and a sentence on it."""
    bad = [fold.number for fold in folds if fold.crossing]
    if not bad:
        return True, (
            "No group is on two sides: every image of a group is in training, in "
            "validation or in the test part of a fold, counted again for this page."
        )
    names = sorted({name for fold in folds for name in fold.crossing})
    shown = ", ".join(names[:3]) + (
        f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    )
    return False, (
        f"{counted(len(names), 'group')} on more than one side ({shown}). The results "
        "below are too good to be believed."
    )


def kinds(pairs: pd.DataFrame | None) -> list[tuple[str, str]]:
    """Return each kind of duplicate pair and the number of such pairs."""
    if pairs is None:
        return []
    return [(str(kind), count(many)) for kind, many in pairs["kind"].value_counts().items()]


def _fold_split(table: pd.DataFrame, number: int, roles: pd.DataFrame) -> FoldSplit:
    rows = roles[["image_id", "role"]].merge(
        table[["image_id", "group_id", "melanoma"]], on="image_id", how="left"
    )
    # Images that were left out are in no part.
    sides = rows[rows["role"].isin(ROLES)].groupby("group_id")["role"].nunique()
    further = [role for role in rows["role"].dropna().unique() if role not in ROLES]
    parts = [_part(str(role), rows[rows["role"] == role]) for role in (*ROLES, *further)]
    return FoldSplit(number, parts, [str(name) for name in sides[sides > 1].index])


def _part(role: str, rows: pd.DataFrame) -> Part:
    melanomas = int(rows["melanoma"].fillna(False).sum())
    return Part(
        role=role,
        images=count(len(rows)),
        groups=count(rows["group_id"].nunique()),
        melanomas=count(melanomas),
        share=share(melanomas, int(rows["melanoma"].notna().sum())),
    )


def _decades(age: pd.Series[Any]) -> pd.Series[Any]:
    start = (age // 10 * 10).astype("Int64")
    return start.astype("string") + "–" + (start + 9).astype("string")


def _lines(
    table: pd.DataFrame, values: pd.Series[Any], *, most: int = 0, in_order: bool = False
) -> list[Line]:
    melanoma, labelled = (
        table["melanoma"].fillna(False).astype(bool),
        table["melanoma"].notna(),
    )
    marked = pd.DataFrame(
        {"value": values.astype("string"), "melanoma": melanoma, "labelled": labelled}
    )
    groups = marked.groupby("value", dropna=True).agg(
        images=("melanoma", "size"),
        melanomas=("melanoma", "sum"),
        labelled=("labelled", "sum"),
    )
    if in_order:
        groups = groups.loc[sorted(groups.index, key=lambda band: int(band.split("–")[0]))]
    else:
        groups = groups.sort_values("images", ascending=False, kind="stable")
    rows = _as_rows(groups)
    if most and len(rows) > most:
        rest = groups.iloc[most:]
        rows = [*rows[:most], (f"{len(rest):,} others", *_sums(rest))]
    absent = marked[marked["value"].isna()].assign(images=1)
    rows.append((MISSING, *_sums(absent.rename(columns={"melanoma": "melanomas"}))))
    longest = max(images for _, images, _, _ in rows) or 1
    return [_line(*row, of=len(table), longest=longest) for row in rows]


Counted = tuple[str, int, int, int]
"""A value, its number of images, of melanomas, and of images with a label."""


def _as_rows(groups: pd.DataFrame) -> list[Counted]:
    columns = (groups[name].astype(int) for name in ("images", "melanomas", "labelled"))
    return [
        (str(name), *row)
        for name, row in zip(groups.index, zip(*columns, strict=True), strict=True)
    ]


def _sums(groups: pd.DataFrame) -> tuple[int, int, int]:
    images, melanomas, labelled = (
        int(groups[name].sum()) for name in ("images", "melanomas", "labelled")
    )
    return images, melanomas, labelled


def _line(
    label: str, images: int, melanomas: int, labelled: int, *, of: int, longest: int
) -> Line:
    return Line(
        label=label,
        images=count(images),
        share=share(images, of),
        width=round(100 * images / longest, 1),
        melanomas=count(melanomas) if labelled else "–",
        melanoma_share=share(melanomas, labelled),
        is_missing=label == MISSING,
    )
