"""The table that every metric is computed from: one judged image a row, with its group."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from lentigo.answer_columns import ABSTAIN, COULD_BE, COULD_BE_DIAGNOSES, STRANGENESS
from lentigo.evaluation.diagnosis_sets import DIAGNOSIS
from lentigo.evaluation.grouping import Groups, grouped
from lentigo.evaluation.joining import LABEL, OF_TRUTH, Matched
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
