"""Predictions of a nested cross-validation, as anybody may hand them in.

A column `outer_fold` says which fold a model left out, and `inner_fold` which it left out
besides. Where `inner_fold` is empty, or the same, the image is of the outer fold; otherwise
it is of the inner fold. Without these two columns predictions are not nested. A column
`repeat` numbers the repeats, in each of which the folds were dealt anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd

from lentigo.errors import ColumnError
from lentigo.evaluation.parts import FOLD
from lentigo.evaluation.repeated import REPEAT
from lentigo.words import counted, listed, some, verb

OUTER, INNER = "outer_fold", "inner_fold"
_FEWEST = 3
"""Fewest outer folds: with two, no image is left to learn from without both."""


def outer_rows(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide nested predictions into those of outer folds and those of inner folds.

    The first are an ordinary cross-validation, with the column `fold`. Predictions that are
    not nested are returned as they are, beside an empty table.

    Raises `ColumnError` where an outer fold is not known, there are fewer than three, or
    the inner folds are numbered by themselves.
    """
    if OUTER not in table or INNER not in table:
        return table, table.head(0)
    outer, inner = _names(table[OUTER]), _names(table[INNER])
    if outer.isna().any():
        lines = (table.index[outer.isna()] + 2).tolist()
        raise ColumnError(f"The {OUTER} is not known in line {some(lines)}.")
    own = inner.isna() | (inner == outer)
    _check_inner(inner, outer)
    named = table.assign(**{OUTER: outer, INNER: inner.mask(own)})
    if outer.nunique() < _FEWEST:
        raise ColumnError(
            f"Nested predictions need {_FEWEST} folds or more, and the column {OUTER} "
            f"names {outer.nunique():,}. Leave {OUTER} and {INNER} out if they are not "
            "nested."
        )
    mine = own.to_numpy()
    return named[mine].assign(**{FOLD: outer[mine]}), named[~mine]


def _check_inner(inner: pd.Series[Any], outer: pd.Series[Any]) -> None:
    """Raise `ColumnError` if the images of outer folds are marked in both possible ways.

    Then an inner fold of the outer fold's number is one of a numbering of its own, as of an
    inner cross-validation that divides the other images anew.
    """
    same = (inner == outer).fillna(False).to_numpy(bool)
    if same.any() and inner.isna().any():
        lines = (inner.index[same] + 2).tolist()
        raise ColumnError(
            f"The {INNER} is empty in some lines, and equal to the {OUTER} in line "
            f"{some(lines)}. It is to name the other outer fold that the model did not "
            "learn from either; folds that divide the images of the other outer folds anew "
            "do not serve (docs/how-to/repeats.md)."
        )


Read = Callable[[pd.DataFrame, str], pd.DataFrame]
"""Reads rows of predictions, and returns them with `image_id` and `probability`; the text
names them in errors."""


def nested_table(
    outers: Sequence[pd.DataFrame], inner: pd.DataFrame, *, label: str, read: Read
) -> pd.DataFrame:
    """Return one row a prediction of nested cross-validation, as `judge_nested` takes it.

    `outers` are the labelled predictions of the outer folds, one table a repeat, with
    `image_id`, `probability`, `fold` and the column `label`; `inner` are the rows of
    `outer_rows`. The result has `image_id`, `melanoma`, `probability`, `repeat`,
    `outer_fold` and `is_outer`.

    Raises `ColumnError` where the repeats do not have the same number of outer folds, at
    least 3, an inner prediction is of an image of another fold, or the inner predictions
    beside an outer fold are not of all other images.
    """
    _check_folds(outers)
    parts = []
    for number, (outer, mine) in enumerate(
        zip(outers, _by_repeat(inner, len(outers)), strict=True)
    ):
        parts.append(outer.assign(repeat=number, outer_fold=outer[FOLD], is_outer=True))
        for fold, rows in _by_outer(mine, outer):
            name = f"the predictions beside outer fold {fold}"
            found = _checked(read(rows, name), outer, fold, name)
            parts.append(found.assign(repeat=number, outer_fold=fold, is_outer=False))
    whole = pd.concat(parts, ignore_index=True).rename(columns={label: "melanoma"})
    return whole[["image_id", "melanoma", "probability", REPEAT, OUTER, "is_outer"]]


def _check_folds(outers: Sequence[pd.DataFrame]) -> None:
    """Raise `ColumnError` unless each repeat has as many outer folds, and at least 3.

    `outers` are the labelled images: a fold of which none has a label is not counted.
    """
    folds = [int(outer[FOLD].nunique()) for outer in outers]
    if min(folds) == max(folds) >= _FEWEST:
        return
    if len(outers) == 1:
        said = f"there {verb(folds[0], 'is', 'are')} {counted(folds[0], 'outer fold')}"
    else:
        low, high = folds.index(min(folds)), folds.index(max(folds))
        said = listed(
            [
                f"repeat {pd.to_numeric(outers[place][REPEAT]).iloc[0]:g} has "
                f"{counted(folds[place], 'outer fold')}"
                for place in dict.fromkeys((low, high))
            ]
        )
    raise ColumnError(
        f"Nested predictions need {_FEWEST} outer folds or more, as many in each repeat. "
        f"By the column {OUTER}, among images with a label, {said}. Add what is lacking, "
        "leave out the repeats that differ, or leave out the columns "
        f"{OUTER} and {INNER} if the predictions are not nested."
    )


def _by_repeat(inner: pd.DataFrame, repeats: int) -> Iterator[pd.DataFrame]:
    if repeats == 1:
        yield inner
        return
    number = pd.to_numeric(inner[REPEAT], errors="coerce")
    there = sorted(number.dropna().unique())
    if len(there) != repeats:
        raise ColumnError(
            f"Outer folds are of {repeats:,} repeats, and inner ones of {len(there):,}."
        )
    for each in there:
        yield inner[(number == each).to_numpy()]


def _by_outer(
    inner: pd.DataFrame, outer: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame]]:
    for fold in sorted(outer[FOLD].unique()):
        yield str(fold), inner[(inner[OUTER] == fold).to_numpy()]


def _checked(
    found: pd.DataFrame, outer: pd.DataFrame, fold: str, name: str
) -> pd.DataFrame:
    """Return the inner rows with the label, once each is known to be of its fold.

    `found` are the inner rows in which `fold` was the outer fold, `outer` the rows of all
    images from the outer cross-validation; `name` names the rows in messages.

    Raises `ColumnError` for a row whose inner fold is not that of its image, and if an
    image of another fold than `fold` has no probability.
    """
    joined = found[["image_id", "probability", INNER]].merge(
        outer.drop(columns=["probability", INNER], errors="ignore"), on="image_id"
    )
    wrong = joined.loc[joined[FOLD] != joined[INNER], "image_id"].tolist()
    if wrong:
        raise ColumnError(
            f"In {name} {some(wrong)} stands with another inner fold than it is held out "
            f"in. Each row is of an image of its {INNER}, predicted without both folds."
        )
    others = outer.loc[outer[FOLD] != fold, "image_id"]
    lost = others[~others.isin(set(joined.dropna(subset="probability")["image_id"]))]
    if len(lost):
        raise ColumnError(
            f"{len(lost):,} of {counted(len(others), 'image')} "
            f"{verb(len(lost), 'is', 'are')} not in {name}: "
            f"{some(lost.tolist())}. Nested cross-validation takes a prediction of each "
            "image of the other folds."
        )
    return joined


def _names(column: pd.Series[Any]) -> pd.Series[Any]:
    text = column.astype("string").str.strip()
    return text.mask(text == "").str.replace(r"^(-?\d+)\.0$", r"\1", regex=True)
