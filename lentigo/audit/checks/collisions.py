"""Ids that occur in several archives: one picture, lesion or patient, or a name clash.

A picture is one photograph, whatever its files are called. An id of the ISIC archive
(`ISIC_0024306`) recurs from year to year and always means one picture; so do its ids of
patients and lesions (`IP_…`, `IL_…`, `HAM_…`, `BCN_…`). Any other id that occurs in two
archives (`IMG_0001`, patient 7) is taken to mean two different things, unless the files are
identical byte for byte. `combine` and `assign_groups` apply these rules; this module counts
the cases and compares their labels.

Severity of the findings: one picture that is melanoma in one archive and not in another is
a **refusal**. **Warnings** are two diagnoses that exclude each other, a name that means two
pictures, and an archive-wide id whose sex differs between data sets. **Notes** are
pictures, lesions and patients in common, facts that differ, and ids that recur by chance
and are kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from lentigo.audit.checks.contradictions import contradictory
from lentigo.audit.checks.finding import Finding, gravest_first
from lentigo.datasets.reading.isic_ids import isic_ids
from lentigo.errors import ColumnError
from lentigo.words import counted, some

# As in `datasets.combined` and `curation.groups`; a test holds them together.
_ARCHIVE_WIDE = {"patient_id": r"IP_\d{7}", "lesion_id": r"(?:IL|HAM|BCN)_\d{7}"}

_STEP = 5
"""Tolerance in years: archives round ages to five years, not all in the same direction."""

_COMPARED = (
    "image_id", "diagnosis", "melanoma", "age", "sex", "site", "lesion_id", "sha256",
    "width", "height",
)  # fmt: skip


def collisions(tables: pd.DataFrame | Sequence[pd.DataFrame]) -> list[Finding]:
    """Find images and ids that several data sets share, and contradictions among them.

    `tables` is a list of lesion tables, or one table made by `combine`. Sizes and SHA-256
    digests of files are evidence only for names that are not ISIC ids: the ISIC archive
    publishes one picture in several sizes. Returns the findings, refusals first.

    Raises `ColumnError` if an image has no data set.
    """
    parts = [tables] if isinstance(tables, pd.DataFrame) else list(tables)
    if not parts:
        return []
    table = pd.concat(parts, ignore_index=True)
    if table["dataset"].isna().any():
        raise ColumnError("Some rows have no data set, so ids cannot be told apart by it.")
    pairs = _pairs(table)
    found = [*_clashes(pairs), *_common(pairs[pairs["same"]])]
    for column in ("patient_id", "lesion_id"):
        found += _numbers(table, column)
    return gravest_first(found)


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Pair rows of two data sets whose images have the same id; columns end in _a and _b.

    `same` is true if both rows are one picture: the id is an ISIC id, or the files are
    identical byte for byte.
    """
    own = _own_names(table)
    isic = isic_ids(table["image_id"])
    named = table.reindex(columns=["dataset", *_COMPARED]).assign(id=isic.fillna(own))
    several = named.groupby("id")["dataset"].transform("nunique") > 1
    named = named[several]
    pairs = named.merge(named, on="id", suffixes=("_a", "_b"))
    pairs = pairs[(pairs["dataset_a"] < pairs["dataset_b"]).to_numpy(dtype=bool)]
    alike = pairs["sha256_a"].eq(pairs["sha256_b"]).fillna(False).astype(bool)
    by_name = pairs["id"].str.fullmatch(r"ISIC_\d+").fillna(False).astype(bool)
    return pairs.assign(same=by_name | alike).reset_index(drop=True)


def _own_names(table: pd.DataFrame) -> pd.Series[Any]:
    """Return each image's id without the name of its data set or table in front.

    The column `own_id` holds this id if one data set occurs in two tables of an audit.
    """
    name = table["image_id"].astype("string")
    front = table["dataset"].astype("string") + ":"
    there = [one.startswith(start) for one, start in zip(name, front, strict=True)]
    known = pd.Series(there, index=name.index, dtype=bool)
    own = name.where(~known, name.str.partition(":")[2])
    return table["own_id"].astype("string").fillna(own) if "own_id" in table else own


def _common(pairs: pd.DataFrame) -> Iterator[Finding]:
    """Yield findings on images that two data sets share: count, labels, other facts.

    `pairs` are the rows of `_pairs` that are the same picture.
    """
    if pairs.empty:
        return
    labels, both = (
        _differ(pairs, "melanoma"),
        pairs[["melanoma_a", "melanoma_b"]].notna().all(axis=1),
    )
    yield Finding(
        check="shared-images",
        severity="note",
        message=f"{_by_datasets(pairs)} are the same pictures by their ids; {both.sum():,} "
        f"are labelled in both, and {(both & ~labels).sum():,} of these agree on melanoma. "
        "They share a group, and must not count twice in one score.",
        rows=pairs.drop(columns="same"),
    )
    yield from _two_answers(pairs, labels)
    yield from _facts(pairs)


def _two_answers(pairs: pd.DataFrame, labels: pd.Series[bool]) -> Iterator[Finding]:
    """Yield findings on one picture with two labels, or one label but two diagnoses.

    `labels` tells for each of `pairs` whether the labels differ.
    """
    if labels.any():
        yield Finding(
            check="shared-image-labels",
            severity="refusal",
            message=f"{_by_datasets(pairs[labels])} are melanoma in one and not in the "
            f"other: {_by_diagnoses(pairs[labels])}. Decide which label holds.",
            rows=pairs[labels].drop(columns="same"),
        )
    words = zip(pairs["diagnosis_a"], pairs["diagnosis_b"], strict=True)
    excluded = pd.Series([contradictory(a, b) for a, b in words], pairs.index, dtype=bool)
    if (diagnoses := excluded & ~labels).any():
        yield Finding(
            check="shared-image-diagnoses",
            severity="warning",
            message=f"{_by_datasets(pairs[diagnoses])} have diagnoses that exclude each "
            f"other: {_by_diagnoses(pairs[diagnoses])}. Decide which one holds.",
            rows=pairs[diagnoses].drop(columns="same"),
        )


def _facts(pairs: pd.DataFrame) -> Iterator[Finding]:
    """Yield a finding on pictures with two ages, sexes, sites or lesions."""
    differs = {
        "age": (pairs["age_a"] - pairs["age_b"]).abs() > _STEP,
        **{name: _differ(pairs, name) for name in ("sex", "site", "lesion_id")},
    }
    told = [f"{name} ({rows.sum():,})" for name, rows in differs.items() if rows.any()]
    if told:
        any_of_them = pd.concat(differs, axis=1).any(axis=1)
        yield Finding(
            check="shared-image-facts",
            severity="note",
            message=f"{_by_datasets(pairs[any_of_them])} are the same pictures, but differ "
            f"in {some(told, at_most=4)}. Trust the later archive, or neither.",
            rows=pairs[any_of_them].drop(columns="same"),
        )


def _clashes(pairs: pd.DataFrame) -> Iterator[Finding]:
    """Yield a finding on names, other than ISIC ids, that mean two pictures.

    `pairs` is the result of `_pairs`.
    """
    rows = pairs[~pairs["same"]]
    if rows.empty:
        return
    against = {
        name: int(_differ(rows, name).sum())
        for name in ("sha256", "width", "height", "melanoma", "diagnosis", "age", "sex")
    }
    told = [f"{name} ({count:,})" for name, count in against.items() if count]
    differ = f"They differ in {some(told, at_most=7)}" if told else "No file says otherwise"
    yield Finding(
        check="image-id-clash",
        severity="warning",
        message=f"{_by_datasets(rows)} bear one name, but are not known to be one picture "
        f"({some(rows['id'].unique().tolist())}). {differ}. Join tables by data set and "
        "name, as combine does, never by name alone.",
        rows=rows.drop(columns="same"),
    )


def _numbers(table: pd.DataFrame, column: str) -> Iterator[Finding]:
    """Yield findings on patient or lesion ids (`column`) found in several data sets."""
    noun = column.removesuffix("_id")
    datasets = table.groupby(column)["dataset"].nunique()
    rows = table[table[column].isin(datasets.index[datasets > 1])]
    wide = rows[column].astype("string").str.fullmatch(_ARCHIVE_WIDE[column])
    wide = wide.fillna(False).astype(bool)
    if wide.any():
        shared = rows[wide]
        yield Finding(
            check=f"shared-{noun}s",
            severity="note",
            message=f"{counted(shared[column].nunique(), noun)} of the ISIC archive in "
            f"several of {some(_datasets(shared), at_most=6)} "
            f"({some(_ids(shared, column))}): each is one group.",
            rows=_listed(shared, column),
        )
        yield from _disagreeing(shared, column, noun)
    if not wide.all():
        apart = rows[~wide]
        yield Finding(
            check=f"repeated-{noun}-ids",
            severity="note",
            message=f"{counted(apart[column].nunique(), f'{noun} id')} in several of "
            f"{some(_datasets(apart), at_most=6)} ({some(_ids(apart, column))}), each "
            f"numbering {noun}s anew: they are kept apart. Do not join by {column} alone.",
            rows=_listed(apart, column),
        )


def _disagreeing(shared: pd.DataFrame, column: str, noun: str) -> Iterator[Finding]:
    """Yield a finding on archive-wide ids with a different sex in two data sets.

    `shared` has a row for each image with such an id, in the column `column`; `noun` is the
    word for what it names, such as "patient".
    """
    first = shared.groupby([column, "dataset"])["sex"].first()
    sexes = first.groupby(level=0).nunique()
    if (sexes > 1).any():
        rows = shared[shared[column].isin(sexes.index[sexes > 1])]
        yield Finding(
            check=f"{noun}-id-clash",
            severity="warning",
            message=f"{counted(rows[column].nunique(), noun)} female in one data set and "
            f"male in another ({some(_ids(rows, column))}). Their images share a group all "
            "the same; look up whether the number is right.",
            rows=_listed(rows, column),
        )


def _listed(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    shown = [column, "dataset", "image_id", "sex", "age", "diagnosis", "melanoma"]
    return rows[shown].sort_values([column, "dataset"], ignore_index=True)


def _datasets(rows: pd.DataFrame) -> list[str]:
    return sorted(rows["dataset"].unique().tolist())


def _ids(rows: pd.DataFrame, column: str) -> list[str]:
    return sorted(rows[column].unique().tolist())


def _differ(pairs: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Tell for each pair whether both values of `column` are known and differ."""
    unlike = pairs[f"{column}_a"].ne(pairs[f"{column}_b"])
    return unlike.fillna(False).astype(bool) & ~(
        pairs[f"{column}_a"].isna() | pairs[f"{column}_b"].isna()
    )


def _by_datasets(pairs: pd.DataFrame) -> str:
    """Describe how many images two data sets share: "8,013 images of a and b"."""
    counts = pairs.groupby(["dataset_a", "dataset_b"]).size().reset_index(name="n")
    told = [
        f"{counted(count, 'image')} of {a} and {b}"
        for a, b, count in counts.itertuples(index=False)
    ]
    return some(told, at_most=6)


def _by_diagnoses(pairs: pd.DataFrame) -> str:
    """Describe how often two diagnoses contradict each other, the most frequent first."""
    words = pairs[["diagnosis_a", "diagnosis_b"]].astype("string").fillna("unknown")
    counts = words.value_counts().reset_index(name="n")
    told = [
        f"{a} against {b} ({count:,})" for a, b, count in counts.itertuples(index=False)
    ]
    return some(told, at_most=6)
