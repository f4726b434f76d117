"""Prepare a table for training: clean, find duplicates, group, split, and refuse leaks."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lentigo.config import SplitPlan
    from lentigo.curation.cleaning import clean
    from lentigo.curation.duplicates import duplicate_pairs
    from lentigo.curation.groups import assign_groups, published_pairs, shared_lesions
    from lentigo.curation.splits.crossing import crossing_pairs
    from lentigo.curation.splits.folds import assign_folds, assign_roles, check_enough
    from lentigo.curation.splits.leakage import check_features, check_split
    from lentigo.curation.splits.manifest import (
        apply_split,
        read_manifest,
        read_split,
        write_split,
    )
    from lentigo.curation.splits.schemes import SCHEMES, split_table

__all__ = [
    "SCHEMES",
    "SplitPlan",
    "apply_split",
    "assign_folds",
    "assign_groups",
    "assign_roles",
    "check_enough",
    "check_features",
    "check_split",
    "clean",
    "crossing_pairs",
    "duplicate_pairs",
    "published_pairs",
    "read_manifest",
    "read_split",
    "shared_lesions",
    "split_table",
    "write_split",
]

_HOMES = {
    "SCHEMES": "lentigo.curation.splits.schemes",
    "SplitPlan": "lentigo.config",
    "apply_split": "lentigo.curation.splits.manifest",
    "assign_folds": "lentigo.curation.splits.folds",
    "assign_groups": "lentigo.curation.groups",
    "assign_roles": "lentigo.curation.splits.folds",
    "check_enough": "lentigo.curation.splits.folds",
    "check_features": "lentigo.curation.splits.leakage",
    "check_split": "lentigo.curation.splits.leakage",
    "clean": "lentigo.curation.cleaning",
    "crossing_pairs": "lentigo.curation.splits.crossing",
    "duplicate_pairs": "lentigo.curation.duplicates",
    "published_pairs": "lentigo.curation.groups",
    "read_manifest": "lentigo.curation.splits.manifest",
    "read_split": "lentigo.curation.splits.manifest",
    "shared_lesions": "lentigo.curation.groups",
    "split_table": "lentigo.curation.splits.schemes",
    "write_split": "lentigo.curation.splits.manifest",
}


def __getattr__(name: str) -> Any:
    # Groups and splits must not pay for the search of duplicates, which needs OpenCV.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
