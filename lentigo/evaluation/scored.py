"""The table behind every score: one judged image a row, with its group."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from lentigo.answer_columns import ABSTAIN, STRANGENESS
from lentigo.evaluation.grouping import Groups, grouped
from lentigo.evaluation.joining import LABEL, OF_TRUTH, Matched
from lentigo.evaluation.parts import DATASET, FOLD


def scored(
    matched: Matched, *, group: str | None
) -> tuple[pd.DataFrame, Groups, list[str]]:
    """The columns `image_id`, `melanoma`, `probability` and `group`, and all notes.

    Where they are known, `fold` and `dataset` stand beside them.
    """
    groups = grouped(matched, group)
    table = matched.table[["image_id", LABEL, "probability"]].rename(
        columns={LABEL: "melanoma"}
    )
    # The fold of a truth is not that of the model that predicted.
    for name, columns in (
        (FOLD, (FOLD, "cv_fold")),
        (DATASET, (DATASET + OF_TRUTH, DATASET)),
    ):
        found = next((column for column in columns if column in matched.table), None)
        if found is not None:
            table[name] = matched.table[found]
    return table.assign(group=groups.group), groups, [*matched.notes, groups.note]


def with_unanswered(matched: Matched, *, group: str | None) -> pd.DataFrame:
    """The table of `scored` with the images that a model did not answer, and why.

    Beside its columns it has `abstain`, `strangeness` and `reason`, where the predictions
    have them.
    """
    parts = [part for part in (matched.table, matched.unanswered) if len(part)]
    whole = replace(matched, table=pd.concat(parts, ignore_index=True))
    names = [name for name in (ABSTAIN, STRANGENESS, "reason") if name in whole.table]
    table, _, _ = scored(whole, group=group)
    return table.assign(**{name: whole.table[name] for name in names})
