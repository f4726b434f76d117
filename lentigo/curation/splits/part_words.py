"""Words and numbers that tables use for the parts training, validation and test."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lentigo.curation.splits.folds import LEFT_OUT, TEST, TRAIN, VALIDATION

PART_WORDS: dict[str, str] = {
    **dict.fromkeys(("train", "training", "trn", "learn", "development"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "tuning"), VALIDATION),
    **dict.fromkeys(("test", "testing", "tst", "holdout", "heldout", "hold-out"), TEST),
    **dict.fromkeys(("left out", "left-out", "excluded", "unused", "ignore"), LEFT_OUT),
}
"""Words of other tables for the parts of a split → lentigo's word."""

PART_NAMES = (
    "role", "split", "part", "subset", "partition", "set", "fold", "kfold", "folds",
    "fold_id", "cv_fold", "tfrecord", "phase", "usage", "stage", "dataset_split",
    "data_split", "train_test", "split_set", "group_kfold",
)  # fmt: skip
"""Column names that may hold the part of each image; the first one with a value is used."""

_OF_OTHER_THINGS = {
    "part": True,
    "set": True,
    "phase": False,
    "usage": False,
    "stage": False,
}
"""Names that may as well mean a part of the body or the stage of a tumour, and whether
numbers in them are parts of a split."""

_RANKS = {TRAIN: 0, VALIDATION: 1, TEST: 2}


def read_part(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return each image's part: train, validation, test, left out, or the table's own word.

    Whole numbers are folds and stay numbers, as text; a negative number means left out, as
    is usual in tables that number folds.
    """
    words = column.astype("string").str.strip()
    words = words.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
    known = words.str.lower().str.replace("_", " ").map(PART_WORDS).astype("string")
    words = words.mask(known.notna(), known).mask(words == "")
    unused = words.str.fullmatch(r"-\d+").fillna(False).astype(bool)
    parts: pd.Series[Any] = words.mask(unused, LEFT_OUT)
    return parts


def holds_parts(name: str, column: pd.Series[Any]) -> bool:
    """Tell whether a column called as one of `PART_NAMES` holds parts of a split.

    Any value will do, but in a column such as `stage` or `part` one value at least must be
    a word for a part, or in `part` and `set` all may be whole numbers: else it is the stage
    of a tumour, or a part of the body.
    """
    words = read_part(column).dropna()
    if words.empty:
        return False
    numbers = _OF_OTHER_THINGS.get(name.lower().strip().replace(" ", "_"))
    if numbers is None or words.isin({*PART_WORDS.values()}).any():
        return True
    return numbers and bool(words.str.fullmatch(r"\d+").all())


def part_rank(name: object) -> int:
    """Rank of a part for sorting: training, validation, test, numbers, other words."""
    word = str(name)
    known = PART_WORDS.get(word.lower(), word)
    if known in _RANKS:
        return _RANKS[known]
    return 10 + int(word) if word.isascii() and word.isdigit() else 1_000_000
