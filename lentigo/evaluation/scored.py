"""The table that every metric is computed from: one judged image a row, with its group."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pandas as pd

from lentigo.answer_columns import ABSTAIN, COULD_BE, COULD_BE_DIAGNOSES, STRANGENESS
from lentigo.datasets.reading.own_words import column_in_our_words
from lentigo.errors import ColumnError
from lentigo.evaluation.diagnosis_sets import DIAGNOSIS
from lentigo.evaluation.grouping import Groups, column_for, grouped
from lentigo.evaluation.joining import LABEL, OF_TRUTH, Matched
from lentigo.evaluation.measured import is_image_there
from lentigo.evaluation.parts import DATASET, FOLD
from lentigo.evaluation.true_diagnoses import NO_DIAGNOSIS, NONE_OF_THESE, true_diagnoses


def scored(
    matched: Matched, *, group: str | None
) -> tuple[pd.DataFrame, Groups, list[str]]:
    """Return the table of judged images, the groups, and the notes of matching and groups.

    The columns are `image_id`, `melanoma`, `probability` and `group`, and `fold` and
    `dataset` where they are known. `group` names the column of groups; see `grouped`.
    """
    groups = grouped(matched, group)
    table = matched.table[["image_id", LABEL, "probability"]].rename(
        columns={LABEL: "melanoma"}
    )
    # Only a `fold` of the predictions is used: that of the truth may be of another split.
    for name, columns in (
        (FOLD, (FOLD, "cv_fold")),
        (DATASET, (DATASET + OF_TRUTH, DATASET)),
    ):
        found = next((column for column in columns if column in matched.table), None)
        if found is not None:
            table[name] = matched.table[found]
    return table.assign(group=groups.group), groups, [*matched.notes, groups.note]


def with_unanswered(matched: Matched, *, group: str | None) -> pd.DataFrame:
    """Return the table of `scored` with the images added that the model abstained on.

    It has the columns `abstain`, `strangeness`, `could_be`, `could_be_diagnoses` and
    `reason`, too, if the predictions have them; beside the last but one, `diagnosis`.
    """
    parts = [part for part in (matched.table, matched.unanswered) if len(part)]
    whole = replace(matched, table=pd.concat(parts, ignore_index=True))
    table, _, _ = scored(whole, group=group)
    names = (ABSTAIN, STRANGENESS, COULD_BE, COULD_BE_DIAGNOSES, "reason")
    if COULD_BE_DIAGNOSES in whole.table:
        told = true_diagnoses(whole.table)
        if told is not None:
            unknown = told.isin([NO_DIAGNOSIS, NONE_OF_THESE])
            table[DIAGNOSIS] = told.mask(unknown).to_numpy(object)
    return table.assign(**{n: whole.table[n] for n in names if n in whole.table})


_SHOWN = ("diagnosis", "site", "sex", "age")


def of_images(table: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Return the columns that a sheet of images needs: `path`, and `_SHOWN` where known.

    Empty where the table has no paths, or none of the first 20 is an existing file.
    """
    path = next((n for n in ("path" + OF_TRUTH, "path") if n in table), None)
    if path is None or not any(map(is_image_there, table[path].dropna().head(20))):
        return {}
    found = {"path": table[path]}
    for name in _SHOWN:
        with suppress(ColumnError):
            column = column_for(table, name, purpose="show")
            found[name] = column_in_our_words(table[column], name)
    return found
