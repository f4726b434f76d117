"""Refuse leaks: a split with a group on both sides, or a feature that is the label."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lentigo.curation.splits.crossing import check_roles, crossing_pairs, in_words
from lentigo.errors import LeakError
from lentigo.words import some

LEAKS = {
    "diagnosis": "it says melanoma or something else: it is the label in other words",
    "malignant": "every melanoma is malignant: it is nearly the label",
    "melanoma": "it is the label itself",
    "dxtype": "it says how the diagnosis was made, and melanomas are always biopsied",
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
    """Raise `LeakError` if a feature gives `target` away, such as `diagnosis`.

    A tree on age, sex, site and diagnosis scores 1.0 and has learned nothing: diagnosis
    *is* the label. Case, spaces and underscores in a name do not matter. The message gives
    the reason for each feature.
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
    table: pd.DataFrame,
    role: pd.Series[Any],
    pairs: pd.DataFrame | None = None,
    *,
    advice: str = "",
) -> None:
    """Raise `LeakError` if images that belong together are on two sides of a split.

    `role` holds the part of each row of `table` (same index): "train", "validation",
    "test", or a fold; "left out" is on no side. The pairs are those of `crossing_pairs`:
    groups, patients, lesions and identical files, the duplicates that the archive
    publishes, and `pairs` (columns a, b, kind). The message names the pairs and ends with
    `advice`.

    Raises `ColumnError` if a row has no role or group.
    """
    check_roles(table, role)
    crossing = crossing_pairs(table, role, pairs)
    if len(crossing):
        raise LeakError(f"{in_words(crossing)} {advice or _DEAL_ANEW}")


_DEAL_ANEW = "Fill group_id anew with assign_groups, and deal the folds out again."


def _key(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())
