"""Check any split: report the pairs that cross it, and what was and was not compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.curation.duplicates.hashes import with_hashes
from lentigo.curation.duplicates.pair_files import duplicates_for
from lentigo.curation.groups import assign_groups, published_pairs
from lentigo.curation.splits.crossing import crossing_pairs, in_words, kinds
from lentigo.curation.splits.folds import LEFT_OUT
from lentigo.curation.splits.manifest import read_manifest
from lentigo.curation.splits.match_names import match_names
from lentigo.curation.splits.part_words import part_rank
from lentigo.curation.splits.read_any import read_partition, read_to_split
from lentigo.curation.splits.schemes import sides_of
from lentigo.datasets.reading.chosen import rows_where
from lentigo.errors import DatasetError, LeakError
from lentigo.tables import check_table
from lentigo.words import counted, some

_TAKEN_OVER = (
    "patient_id", "lesion_id", "sha256", "dataset", "group_id", "duplicate_of", "path",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SplitCheck:
    """Result of a check of a split; a pass proves no more than `checked` lists."""

    parts: dict[str, int]
    """Number of images of each part."""
    crossing: pd.DataFrame = field(repr=False)
    """Pairs on two sides of the split: columns a, b, part_a, part_b, why."""
    checked: list[str]
    """What was compared between the parts, in words, such as patients."""
    unchecked: list[str]
    """What could not be compared, and why, in words."""
    notes: list[str]
    """Sentences on how the columns of the files were read."""

    @property
    def leaks(self) -> bool:
        """Whether any pair of images that belong together is on two sides."""
        return len(self.crossing) > 0

    def as_dict(self) -> dict[str, Any]:
        """Return the whole result as a dictionary, for another program."""
        return {
            "leaks": self.leaks,
            "parts": self.parts,
            "kinds": kinds(self.crossing),
            "pairs": self.crossing.to_dict("records"),
            "checked": self.checked,
            "not_checked": self.unchecked,
            "notes": self.notes,
        }

    def refuse(self, *, advice: str = "") -> None:
        """Raise `LeakError`, with `advice` at its end, if any pair crosses the split."""
        if self.leaks:
            raise LeakError(f"{in_words(self.crossing)} {advice}".strip())


def check_split_files(
    paths: Sequence[Path],
    *,
    table: pd.DataFrame | Path | None = None,
    duplicates: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> SplitCheck:
    """Find pairs that cross a split from any source: one file, or one file per part.

    Patients, lesions and hashes in the files are used as they are; `table`, a lesion table
    of the same images, may add more. Existing image files are hashed. `duplicates` is a
    file of pairs, an audit's JSON, a pixel store, or "find" to decode the images and search
    for near-duplicates.

    Raises the exceptions of `read_partition` and `read_pairs`, and `DatasetError` if
    `table` has none of the images, nothing could be compared, or a split that lentigo wrote
    does not match its digest.
    """
    if isinstance(table, Path):
        with rows_where(None):  # all its rows are needed, not those of --where
            table = read_to_split(table).table
    listed, notes = read_partition(paths, columns=columns)
    own = _as_table(listed)
    known, joined = _with_table(own, table)
    noted = with_hashes(known)
    hashed = noted.table
    pairs, said = duplicates_for(hashed, duplicates)
    # What the files say and what the table says may differ: either is a leak.
    ways = [hashed] if table is None else [own, hashed]
    crossing = _crossing(ways, _sides(paths, own), pairs)
    given = [own, *([] if table is None else [table])]
    grouped = any(each["group_id"].notna().any() for each in given)
    checked, unchecked = _what_was_checked(hashed, pairs, grouped=grouped)
    counts = own["part"].value_counts()
    found = SplitCheck(
        parts={str(name): int(counts[name]) for name in sorted(counts.index, key=_place)},
        crossing=crossing,
        checked=checked,
        unchecked=unchecked,
        notes=[*notes, *joined, *noted.notes, *([said] if duplicates else [])],
    )
    if not (found.checked or found.leaks):
        raise DatasetError(_NOTHING_CHECKED)
    return found


_NOTHING_CHECKED = (
    "Nothing could be checked: the split names no patient, lesion, group or hash, and no "
    "file of its images is there. Give a table of the same images that knows their "
    "patients (--table), their duplicate pairs (--duplicates), or the paths of the files."
)


def _crossing(
    ways: Sequence[pd.DataFrame],
    sides: Iterable[pd.Series[Any]],
    pairs: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return the pairs of images that are in different parts, each pair once per reason.

    `sides` are the parts of the images, one series per way to train (`_sides`); `ways` are
    the images with their ids, once as the split gives them and once joined with a table;
    `pairs` are duplicates, None if these were not looked for.
    """
    found = [crossing_pairs(rows, side, pairs) for side in sides for rows in ways]
    return pd.concat(found).drop_duplicates(["a", "b", "why"], ignore_index=True)


def _place(name: str) -> tuple[int, str]:
    return part_rank(name), name


def _as_table(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the listed rows with all columns of a lesion table; images may come twice."""
    rows = listed.assign(image_id=[f"row {row}" for row in range(len(listed))])
    table = check_table(rows, source="the split")
    table["image_id"] = listed["image_id"].to_numpy()
    return table


def _with_table(
    own: pd.DataFrame, table: pd.DataFrame | None
) -> tuple[pd.DataFrame, list[str]]:
    """Add what `table` knows of the images of `own`; a note counts unknown images."""
    if table is None:
        return own, []
    asked = own["listed"]
    if "dataset" in own:
        # In a combined table the image id begins with the data set.
        named = own["dataset"] + ":" + own["image_id"]
        asked = named.where(named.isin(table["image_id"]), asked)
    names = match_names(asked, table, source="the split")
    if names.isna().all():
        raise DatasetError(
            f"The table has none of the {counted(len(own), 'image')} of the split "
            f"({some(own['image_id'].tolist())}); it has "
            f"{some(table['image_id'].tolist())}. Give the table of these images."
        )
    known = own.copy()
    more = _to_take_over(table, own).reindex(names).set_axis(own.index)
    for name in more:
        theirs = more[name].astype("string")
        known[name] = theirs.fillna(own[name]) if name in own else theirs
    strange = own.loc[names.isna(), "image_id"].tolist()
    notes = [
        f"{counted(len(strange), 'image')} of the split not in the table: {some(strange)}."
    ]
    return known, notes if strange else []


def _to_take_over(table: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `table` that help to find leaks, indexed by image id.

    `own` is the split, whose image ids the duplicates named in `table` are matched with.
    Missing groups are made from the whole table, so they also link through images that are
    not in the split.
    """
    if table["group_id"].isna().any():
        table = assign_groups(table, keep=True)
    more = table.set_index("image_id")[[name for name in _TAKEN_OVER if name in table]]
    if "duplicate_of" in more:
        theirs = more["duplicate_of"].astype("string")
        meant = match_names(theirs, own, source="the table")
        more["duplicate_of"] = meant.fillna(theirs)
    return more


def _sides(paths: Sequence[Path], own: pd.DataFrame) -> Iterator[pd.Series]:
    """Yield the parts to compare, one series per way to train.

    `own` is the split, as it was read from the files `paths`. For lentigo's own split by
    data sets these are the roles for each held-out fold; for any other split its parts.
    """
    path = Path(paths[0])
    ours = len(paths) == 1 and {"fold", "group_id"} <= set(own)
    ours = ours and path.with_suffix(".json").is_file() and path.suffix == ".csv"
    if ours and read_manifest(path).about.get("scheme") == "leave-one-source-out":
        yield from sides_of(own.assign(fold=own["part"].astype("Int64")))
    else:
        yield own["part"]


def _what_was_checked(
    known: pd.DataFrame, pairs: pd.DataFrame | None, *, grouped: bool
) -> tuple[list[str], list[str]]:
    checked, unchecked = [], []
    on_a_side = known[known["part"].notna() & (known["part"] != LEFT_OUT).fillna(False)]
    for column, name, unit, hint in _COLUMNS:
        there = on_a_side[column].notna()
        if there.any():
            known_ids = counted(on_a_side.loc[there, column].nunique(), *unit)
            checked.append(f"{name} ({known_ids})")
        if not there.all():
            lacking = (
                "any image" if not there.any() else counted(int((~there).sum()), "image")
            )
            unchecked.append(f"{name} of {lacking} ({hint})")
    if grouped:  # groups made by lentigo add no information
        checked.append("the groups that the file or the table names")
    if len(published := published_pairs(known)):
        checked.append(f"{counted(len(published), 'published duplicate')}")
    if pairs is None:
        unchecked.append("near-duplicates (--duplicates find, or a file of pairs)")
    else:
        checked.append(f"{counted(len(pairs), 'duplicate pair')}, given or found")
    return checked, unchecked


_COLUMNS = (
    ("patient_id", "patients", ("id",), "no id is known: --table"),
    ("lesion_id", "lesions", ("id",), "no id is known: --table"),
    ("sha256", "identical files", ("hash", "hashes"), "no file or hash is there"),
)
"""Column, its name in a sentence, singular (and plural) of its values, and why some are
missing."""
