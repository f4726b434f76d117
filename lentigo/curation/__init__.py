"""Make a table fit to learn from: clean it, find duplicates, group, split, refuse leaks."""

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
