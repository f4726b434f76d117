"""A table that contradicts itself: two answers for one lesion, picture or patient.

Severity of each contradiction:

- **Refusal**, because some labels are certainly wrong and would enter a score: a picture
  (identical file or pixels) labelled both melanoma and not melanoma; a row whose diagnosis
  contradicts its `melanoma`; a melanoma that is not malignant; several rows of one image
  that differ.
- **Warning**, because there may be an explanation: one lesion with two labels (it may have
  changed between two visits), diagnoses, sites or patients; a patient whose sex changes;
  a patient who is younger at a later date, or whose ages differ by other years than the
  dates; one file under two image ids.
- **Note**, if odd but possible: a date that is not understood, an age of 0 (ages come in
  steps of five years, so 0 is an infant or a missing value) or a patient seen over more
  than ten years.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from lentigo.audit.checks.ages_in_time import APART, backwards, times_of, unlike_time
from lentigo.audit.checks.finding import Finding, Severity, gravest_first
from lentigo.curation.groups import lesion_keys, patient_keys, published_pairs
from lentigo.datasets.reading.diagnoses import lineage
from lentigo.datasets.reading.vocabulary import map_diagnoses
from lentigo.words import counted, some

CERTAIN = frozenset({"identical file", "identical pixels"})
"""Kinds of duplicate pairs that are certainly the same picture."""

OLDEST = 110
"""Years; a higher age gives a warning. The oldest person ever was 122; the oldest in
SIIM-ISIC 2020 is 90."""
LONGEST = 10
"""Years that a patient may be followed without a note. In the training part of SIIM-ISIC
2020 the ages of 90.7 % of 2,053 patients span 10 years or less; the most is 20."""

WHEN = (
    "date", "datetime", "acquired", "acquisition_date", "acquisition_time", "study_date",
    "image_date", "exam_date", "visit_date", "visit", "year",
)  # fmt: skip
"""Columns that may hold the time of an image; the first one with a value orders the images
of a patient."""


def contradictions(table: pd.DataFrame, pairs: pd.DataFrame | None = None) -> list[Finding]:
    """Find everything in a lesion table that cannot be true together, refusals first.

    `pairs` lists images known to show the same picture (columns a, b and kind, as returned
    by `duplicate_pairs`). Pairs published by the archive and files with one `sha256` are
    always compared, also without `pairs`. The docstring of this module says which findings
    are refusals, warnings and notes.
    """
    found = [
        *_in_rows(table),
        *_pictures(table, pairs),
        *_lesions(table),
        *_patients(table),
        *_repeated(table),
    ]
    return gravest_first(found)


def contradictory(first: object, second: object) -> bool:
    """Tell whether two diagnoses exclude each other: neither is a kind of the other.

    A blue nevus is a nevus, so these two agree. A missing diagnosis agrees with all others.
    A diagnosis that leaves a choice (HAM10000's "actinic keratosis or carcinoma in situ")
    is replaced by its parent in the hierarchy of diagnoses, so it agrees with every
    diagnosis below that parent.
    """
    if pd.isna(first) or pd.isna(second) or first == second:  # type: ignore[call-overload]
        return False
    one, other = _meant(str(first)), _meant(str(second))
    return one not in lineage(other) and other not in lineage(one)


def _meant(name: str) -> str:
    """Return the diagnosis, or its parent in the hierarchy if it contains " or "."""
    above = lineage(name)[1:]
    return above[0] if " or " in name and above else name


def differing(
    table: pd.DataFrame, key: pd.Series[Any], column: str, *, by_more_than: float = 0
) -> pd.DataFrame:
    """Return the rows of each `key` whose values in `column` differ.

    Numbers differ if maximum - minimum under one key is greater than `by_more_than`. Rows
    without a key or a value are left out. The result is ordered by key, which is in its
    column `key`.
    """
    known = key.notna() & table[column].notna()
    values, keys = table.loc[known, column], key[known]
    if pd.api.types.is_float_dtype(values.dtype) or by_more_than:
        groups = values.astype("float64").groupby(keys)
        bad = groups.transform("max") - groups.transform("min") > by_more_than
    else:
        bad = values.groupby(keys).transform("nunique") > 1
    rows = table.loc[bad.index[bad.to_numpy(dtype=bool)]]
    # Assigning a longer column to a frame without rows would add rows to it.
    keys = keys.reindex(rows.index)
    return rows.assign(key=keys).sort_values("key", kind="stable")


def _in_rows(table: pd.DataFrame) -> Iterator[Finding]:
    """Yield findings on single rows that contradict themselves."""
    said, _ = map_diagnoses(table["diagnosis"])
    yes = table["melanoma"].eq(True)
    cases: list[tuple[str, Severity, Any, str, str]] = [
        ("diagnosis-melanoma", "refusal", said["melanoma"].ne(table["melanoma"]),
         "whose diagnosis says another thing than melanoma",
         "Correct the one or the other, or empty melanoma there."),
        ("melanoma-not-malignant", "refusal", yes & table["malignant"].eq(False),
         "called melanoma and not malignant", "Every melanoma is malignant: correct it."),
        ("diagnosis-malignant", "warning", said["malignant"].ne(table["malignant"]),
         "whose diagnosis says another thing than malignant", "Correct one of the two."),
        ("age-too-high", "warning", table["age"] > OLDEST,
         f"of a patient older than {OLDEST} years",
         "Empty the age where it stands for missing."),
        ("age-zero", "note", table["age"] == 0, "of a patient of age 0",
         "That is an infant or a missing value; empty it if it is the latter."),
    ]  # fmt: skip
    for check, severity, wrong, what, remedy in cases:
        rows = table.loc[wrong.fillna(False).astype(bool)]
        if len(rows):
            message = f"{counted(len(rows), 'image')} {what} ({_named(rows)}). {remedy}"
            yield _finding(check, severity, message, rows)


def _pictures(table: pd.DataFrame, pairs: pd.DataFrame | None) -> Iterator[Finding]:
    """Yield findings on pairs of one picture whose labels or diagnoses differ."""
    ends = _ends(table, pairs)
    certain = ends["kind"].isin(CERTAIN)
    labels = (ends["melanoma_a"] != ends["melanoma_b"]).fillna(False).astype(bool)
    diagnoses = np.array(
        [
            contradictory(a, b)
            for a, b in zip(ends["diagnosis_a"], ends["diagnosis_b"], strict=True)
        ],
        dtype=bool,
    )
    cases: list[tuple[str, Severity, Any, str]] = [
        ("picture-labels", "refusal", certain & labels, "the same picture twice, melanoma "
         "and not melanoma: one label is wrong. Find out which, or leave both out."),
        ("near-duplicate-labels", "warning", ~certain & labels, "nearly the same picture, "
         "melanoma and not melanoma. Look at both; leave them out if it is one lesion."),
        ("picture-diagnoses", "warning", diagnoses & ~labels, "one picture with two "
         "diagnoses that exclude each other. Look up which one holds."),
    ]  # fmt: skip
    for check, severity, wrong, what in cases:
        rows = ends[wrong]
        if len(rows):
            named = [f"{a} and {b}" for a, b in zip(rows["a"], rows["b"], strict=True)]
            message = f"{counted(len(rows), 'pair')} ({some(named)}): {what}"
            yield Finding(check=check, severity=severity, message=message, rows=rows)


def _ends(table: pd.DataFrame, pairs: pd.DataFrame | None) -> pd.DataFrame:
    """Return the known pairs with the labels of both images, each pair once.

    If a pair occurs with several kinds, a kind in `CERTAIN` is preferred.
    """
    known = [_same_files(table), published_pairs(table)]
    known += [] if pairs is None else [pairs]
    columns = ["a", "b", "kind", "similarity"]
    every = pd.concat([part.reindex(columns=columns) for part in known], ignore_index=True)
    swapped = (every["a"] > every["b"]).to_numpy(dtype=bool)
    every.loc[swapped, ["a", "b"]] = every.loc[swapped, ["b", "a"]].to_numpy()
    sure = every["kind"].isin(CERTAIN)
    order = np.argsort(~sure.to_numpy(dtype=bool), kind="stable")
    every = every.iloc[order].drop_duplicates(["a", "b"])
    labels = table.drop_duplicates("image_id").set_index("image_id")
    labels = labels[["melanoma", "diagnosis"]]
    for end in ("a", "b"):
        every = every.join(labels.add_suffix(f"_{end}"), on=end)
    return every.reset_index(drop=True)


def _same_files(table: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of images with the same `sha256` but different labels or diagnoses.

    Only one image of each label is paired, so that many copies do not give many pairs.
    """
    known = table[table["sha256"].notna()]
    repeated = known[known["sha256"].duplicated(keep=False)]
    found = []
    for _, rows in repeated.groupby("sha256"):
        # One image of each label will do: a thousand copies would give a million pairs.
        told = rows.drop_duplicates(["melanoma", "diagnosis"])["image_id"]
        found += list(combinations(sorted(told), 2))
    return pd.DataFrame(found, columns=["a", "b"]).assign(kind="identical file")


def _lesions(table: pd.DataFrame) -> Iterator[Finding]:
    key = lesion_keys(table)
    visit = "Look at its images: it changed between visits, or a label is wrong."
    cases = [
        ("lesion-labels", "melanoma", "melanoma in one image and not in another", visit),
        ("lesion-malignant", "malignant", "malignant in one image, not in another", visit),
        ("lesion-sites", "site", "on two sites of the body",
         "The ids are not those of lesions, or a site is wrong."),
    ]  # fmt: skip
    for check, column, what, remedy in cases:
        rows = differing(table, key, column)
        if check == "lesion-malignant":  # reported as lesion-labels
            rows = rows[~rows["key"].isin(differing(table, key, "melanoma")["key"])]
        yield from _of_keys(check, rows, "lesion", f"{what}. {remedy}")
    rows = differing(table, key, "diagnosis")
    clash = rows.groupby("key")["diagnosis"].agg(_exclude_each_other)
    rows = rows[rows["key"].isin(clash.index[clash.to_numpy(dtype=bool)])]
    remedy = "diagnoses that exclude each other. Look up which one holds."
    yield from _of_keys("lesion-diagnoses", rows, "lesion", remedy)
    number = table["dataset"].fillna("") + "\0" + table["lesion_id"]
    rows = differing(table, number, "patient_id")
    remedy = (
        "under several patients. They are taken to be counted within each patient; "
        "correct lesion_id or patient_id if they are not."
    )
    yield from _of_keys("lesion-patients", rows, "lesion", remedy)


def _exclude_each_other(diagnoses: pd.Series[Any]) -> bool:
    return any(contradictory(a, b) for a, b in combinations(diagnoses.unique(), 2))


def _patients(table: pd.DataFrame) -> Iterator[Finding]:
    key = patient_keys(table)
    yield from _of_keys(
        "patient-sex", differing(table, key, "sex"), "patient",
        "both female and male. Two people may share a number; correct it, or empty sex.",
    )  # fmt: skip
    far = differing(table, key, "skin_type", by_more_than=1)
    remedy = "skin types two or more steps apart. Two people may share a number."
    yield from _of_keys("patient-skin-type", far, "patient", remedy)
    near = differing(table, key, "skin_type")
    near = near[~near["key"].isin(far["key"])]
    remedy = "neighbouring skin types, which two readers may well give to one person."
    yield from _of_keys("patient-skin-type", near, "patient", remedy, severity="note")
    column = next(
        (name for name in WHEN if name in table and table[name].notna().any()), None
    )
    if column is not None:
        yield from _in_time(table.assign(key=key), column)
    rows = differing(table, key, "age", by_more_than=LONGEST)
    remedy = (
        f"ages more than {LONGEST} years apart: followed for so long, or two people "
        "under one number."
    )
    yield from _of_keys("patient-age-span", rows, "patient", remedy, severity="note")


def _in_time(table: pd.DataFrame, column: str) -> Iterator[Finding]:
    times = times_of(table, column)
    if times.strange.any():
        rows = table[times.strange]
        message = (
            f"{counted(len(rows), 'image')} with a {column} that is not understood "
            f"({some(rows[column].astype(str).unique().tolist())}), so ages are not held "
            "against it. Write dates as yyyy-mm-dd."
        )
        yield _finding("date-unclear", "note", message, rows)
    rows = backwards(table, times)
    remedy = f"ages that run backwards along {column}. Correct an age or a date."
    yield from _of_keys("patient-age-backwards", rows, "patient", remedy)
    far = unlike_time(table, times)
    far = far[~far["key"].isin(rows["key"])]
    remedy = (
        f"ages that grow by other years than {column} does (by more than {APART}). Two "
        "people may share a number; or correct an age or a date."
    )
    yield from _of_keys("patient-age-jumps", far, "patient", remedy)


def _repeated(table: pd.DataFrame) -> Iterator[Finding]:
    rows = table[table["image_id"].duplicated(keep=False)]
    alike = rows.duplicated(keep=False)
    what = "written twice, in every column alike. Keep one row each."
    yield from _of_keys("repeated-rows", _keyed(rows[alike], "image_id"), "image", what)
    what = "with several rows that differ. Keep the one that holds."
    yield from _of_keys(
        "repeated-images", _keyed(rows[~alike], "image_id"), "image", what,
        severity="refusal",
    )  # fmt: skip
    known = table[table["path"].notna() & ~table["image_id"].duplicated()]
    rows = known[known["path"].duplicated(keep=False)]
    what = "under several image ids. Each is counted as often as it is named."
    yield from _of_keys("repeated-files", _keyed(rows, "path"), "file", what)


def _keyed(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    return rows.assign(key=rows[column]).sort_values("key", kind="stable")


def _of_keys(
    check: str, rows: pd.DataFrame, noun: str, what: str, *, severity: Severity = "warning"
) -> Iterator[Finding]:
    """Yield one finding that counts and names the keys (lesions, patients …) in `rows`.

    `noun` is the word for a key and `what` the problem. Nothing if `rows` is empty.
    """
    keys = rows["key"].unique().tolist()
    if keys:
        named = [str(key).rpartition("\0")[2] for key in keys]
        message = f"{counted(len(keys), noun)} ({some(named)}): {what}"
        yield _finding(check, severity, message, rows)


_SHOWN = (
    "image_id", "dataset", "patient_id", "lesion_id", "sex", "age", "site", "diagnosis",
    "melanoma", "malignant", "skin_type", "path",
)  # fmt: skip


def _finding(check: str, severity: Severity, message: str, rows: pd.DataFrame) -> Finding:
    shown = [name for name in (*_SHOWN, *WHEN) if name in rows]
    return Finding(
        check=check,
        severity=severity,
        message=message,
        rows=rows[shown].reset_index(drop=True),
    )


def _named(rows: pd.DataFrame) -> str:
    return some(rows["image_id"].tolist())
