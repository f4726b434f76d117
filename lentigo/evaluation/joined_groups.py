"""The groups of images that several tables predict: whatever one of them puts together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lentigo.curation.closure import components, same_key
from lentigo.curation.groups import ARCHIVE_IDS
from lentigo.evaluation.grouping import Groups, column_of, grouped
from lentigo.evaluation.joining import LABEL, OF_TRUTH, Matched
from lentigo.evaluation.parts import DATASET

_WHOLE_ARCHIVE = "|".join(
    pattern for name, _, pattern in ARCHIVE_IDS if name in ("patient_id", "lesion_id")
)


def joined_groups(groups: Sequence[pd.Series[Any]]) -> pd.Series[Any]:
    """Return the groups of images that any of the tables puts together, directly or not.

    Each of `groups` names the group of the same images, (N,), in the same order. Where all
    of them divide the images alike the first is returned; the result never depends on the
    order of the tables but in its names.
    """
    links = [same_key(each) for each in groups]
    if all(np.array_equal(links[0], each) for each in links):
        return groups[0]
    found = components(np.concatenate(links), len(groups[0]))
    return pd.Series(found, index=groups[0].index).astype("string")


def joined_units(groups: Mapping[str, Sequence[Groups]]) -> str:
    """Return what the joined groups are, such as "patient"; "group" if of several kinds.

    `groups` has the groups of each table (name → one for each archive). Single images count
    as such only where no table knows more of an archive.
    """
    units = set()
    for archive in zip(*groups.values(), strict=True):
        known = {each.unit for each in archive}
        units |= known - {_ALONE} or known
    return units.pop() if len(units) == 1 else "group"


def about_joined(groups: Mapping[str, Sequence[Groups]]) -> list[str]:
    """Return the sentences on the groups, of all tables (as in `joined_units`) together.

    Sentences in which tables differ have the table's name in front, and one says that
    groups hold for every table. That images count as independent is said of an archive
    only if no table knows patients, lesions or groups of it.
    """
    archives = list(zip(*groups.values(), strict=True))
    found = []
    for archive in archives:
        notes = list(dict.fromkeys(each.note for each in archive))
        known = {n: each for n, each in zip(groups, archive, strict=True) if _of_some(each)}
        if len(notes) == 1 or not known:
            found += notes[:1]
            continue
        found += [f"{name}: {each.note}" for name, each in known.items()]
        found.append("Images that one table puts together stay together for all of them.")
    return list(dict.fromkeys(found))


_ALONE = "image"


def _of_some(groups: Groups) -> bool:
    return groups.unit != _ALONE


def joined_pair(
    one: tuple[str, Matched], other: tuple[str, Matched], *, group: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the images that both tables judge, with joined groups, and notes.

    `one` and `other` are a name and a matched table each. The columns are `image_id`,
    `melanoma`, `probability`, `probability_second` and `group`. If only one table has the
    column `group`, its groups hold alone. The notes are the first's on matching, and those
    on groups. Raises `ColumnError` where neither table has the column `group`.
    """
    found = {n: groups for n, m in (one, other) if (groups := _groups(m, group))}
    if not found:
        column_of(one[1].table, str(group), purpose="group by")
    tables = {name: matched.table.set_index("image_id") for name, matched in (one, other)}
    first, second = tables.values()
    both = first.index[first.index.isin(second.index)]
    columns = [
        groups.group.set_axis(tables[name].index).loc[both]
        for name, groups in found.items()
    ]
    table = first.loc[both, [LABEL, "probability"]].rename(columns={LABEL: "melanoma"})
    table = table.assign(
        probability_second=second.loc[both, "probability"], group=joined_groups(columns)
    )
    notes = about_joined({name: (groups,) for name, groups in found.items()})
    return table.reset_index(), [*one[1].notes, *notes]


def _groups(matched: Matched, group: str | None) -> Groups | None:
    """Return the groups of a table; None if it lacks the column `group` that is asked."""
    if group is not None and not {group, group + OF_TRUTH} & set(matched.table):
        return None
    return grouped(matched, group)


def within_archive(table: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return the groups of one of several archives, apart from those of the others.

    `table` is that of `scored`. The archive's `name`, or its own data set's, stands in
    front of each group, since each archive numbers its patients anew; but not of ids that
    the ISIC archive uses across its collections, nor where the table has several data
    sets, whose names `assign_groups` puts there.
    """
    group = table["group"].astype("string")
    sets = table[DATASET].dropna().unique() if DATASET in table else [name]
    if len(sets) > 1:
        return group
    front = str(sets[0]) if len(sets) else name
    return group.where(group.str.fullmatch(_WHOLE_ARCHIVE), front + ":" + group)
