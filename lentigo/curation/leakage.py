"""Refuse what would give the answer away: a leaking split, a feature that is the label."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lentigo.curation.groups import lesion_keys, patient_keys, published_pairs
from lentigo.errors import ColumnError, LeakError, some

LEAKS = {
    "diagnosis": "it says melanoma or something else: it is the label in other words",
    "malignant": "every melanoma is malignant: it is nearly the label",
    "melanoma": "it is the label itself",
    "dxtype": "how a diagnosis was made tells what was suspected (melanomas are biopsied)",
    "trueprobability": "it is what the label was drawn from",
}
_ALSO = {
    "dx": "diagnosis",
    "diagnostic": "diagnosis",
    "benignmalignant": "malignant",
    "target": "melanoma",
    "label": "melanoma",
    "ismelanoma": "melanoma",
    "groundtruth": "melanoma",
    "truth": "melanoma",
    "class": "melanoma",
    **dict.fromkeys(
        ("mel", "nv", "bcc", "ak", "akiec", "bkl", "df", "vasc", "scc", "unk"), "diagnosis"
    ),
    "seborrheickeratosis": "diagnosis",
    "nevus": "diagnosis",
}


def check_features(features: Iterable[str], target: str = "melanoma") -> None:
    """Refuse features that give `target` away, such as `diagnosis`, and say why.

    A tree on age, sex, site and diagnosis scores 1.0 and has learned nothing: diagnosis
    *is* the label. Case, spaces and underscores in a name do not matter.

    Raises `LeakError`.
    """
    found = []
    for name in features:
        key = _key(name)
        reason = LEAKS.get(_ALSO.get(key, key))
        if key == _key(target):
            reason = "it is the target itself"
        if reason:
            found.append(f"{name} ({reason})")
    if found:
        raise LeakError(
            f"Target leak: {target} may not be predicted from {some(found)}. Leave "
            f"{'it' if len(found) == 1 else 'them'} out of the features."
        )


def check_split(
    table: pd.DataFrame, role: pd.Series[Any], pairs: pd.DataFrame | None = None
) -> None:
    """Refuse a split in which something that belongs together is on both sides.

    `role` says for each row of `table` (same index) which part it is in: "train",
    "validation", "test", or a fold. Checked are groups, patients, lesions and identical
    files, the duplicates that the archive publishes, and `pairs` (columns a, b, kind).

    Raises `LeakError` with what crosses, and `ColumnError` where a row has no role or
    group.
    """
    if not role.index.equals(table.index) or role.isna().any():
        raise ColumnError("Some rows of the table have no part in the split.")
    if table["group_id"].isna().any():
        raise ColumnError("Some rows have no group_id, so a leak could not be seen.")
    keys = {
        "groups": table["group_id"],
        "patients": patient_keys(table),
        "lesions": lesion_keys(table),
        "identical files": table["sha256"],
    }
    leaks = [_crossing(key, role, name) for name, key in keys.items()]
    known = [published_pairs(table)] + ([] if pairs is None else [pairs])
    leaks += [_crossing_pairs(table, role, some_pairs) for some_pairs in known]
    if found := [leak for leak in leaks if leak]:
        raise LeakError(
            f"The split leaks: {'; '.join(found)}. Fill group_id anew with assign_groups, "
            "and deal the folds out again."
        )


def _crossing(key: pd.Series[Any], role: pd.Series[Any], name: str) -> str:
    # Rows without a key (no patient known, no hash yet) have nothing that could cross.
    parts = role[key.notna()].groupby(key[key.notna()]).nunique()
    names = [str(value).rpartition("\0")[2][:40] for value in parts.index[parts > 1]]
    return f"{len(names):,} {name} are on several sides ({some(names)})" if names else ""


def _crossing_pairs(table: pd.DataFrame, role: pd.Series[Any], pairs: pd.DataFrame) -> str:
    parts = dict(zip(table["image_id"], role, strict=True))
    ends = pairs[pairs["a"].isin(parts) & pairs["b"].isin(parts)]
    crossing = [
        f"{a} and {b}"
        for a, b in zip(ends["a"], ends["b"], strict=True)
        if parts[a] != parts[b]
    ]
    if not crossing:
        return ""
    return f"{len(crossing):,} pairs of duplicates are on several sides ({some(crossing)})"


def _key(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())
