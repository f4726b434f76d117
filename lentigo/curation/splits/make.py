"""Read a table from disk, split it, and write the split, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.config import SCHEME_SETTINGS, SplitPlan, check_balance
from lentigo.curation.duplicates.hashes import with_hashes
from lentigo.curation.duplicates.pair_files import duplicates_for
from lentigo.curation.splits.balance import classes_of, unevenness
from lentigo.curation.splits.folds import LEFT_OUT
from lentigo.curation.splits.manifest import part_names, split_digest, write_split
from lentigo.curation.splits.read_any import read_to_split
from lentigo.curation.splits.schemes import split_table
from lentigo.curation.splits.summary import part_summary
from lentigo.output import SPLIT, check_file
from lentigo.words import counted


@dataclass(frozen=True, kw_only=True)
class Divided:
    """Summary of a split that was written."""

    out: Path
    """The file of the split."""
    digest: str
    """SHA-256 of the split's content, the same for any order of its rows."""
    parts: pd.DataFrame = field(repr=False)
    """One row per part, as returned by `part_summary`."""
    unevenness: dict[str, float]
    """By variable, the largest distance of a class's share in a part from its share in all
    images."""
    notes: list[str]
    """Sentences on how the table was read and divided."""

    def as_dict(self) -> dict[str, Any]:
        """Return the whole summary as a dictionary, for another program."""
        return {
            "split": str(self.out),
            "digest": self.digest,
            "parts": self.parts.to_dict("records"),
            "unevenness": self.unevenness,
            "notes": self.notes,
        }


def divide(
    source: Path,
    plan: SplitPlan,
    out: Path,
    *,
    duplicates: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Divided:
    """Read the table `source`, divide it by `plan`, and write the split to `out` (CSV).

    Existing image files are hashed, so that identical files stay together in every scheme.
    `duplicates` is the source of further pairs (see `duplicates_for`); `columns` maps
    column names of lentigo to those of `source`.

    Raises `RunError` if `out` or the JSON beside it exists already, and the exceptions of
    reading, of the scheme and of writing.
    """
    out = Path(out)
    check_file(out, SPLIT, new=True)
    read = read_to_split(source, columns=columns).then(with_hashes)
    pairs, said = duplicates_for(read.table, duplicates, folder=out.absolute().parent)
    read = read.then(lambda table: split_table(table, plan, pairs))
    divided = read.table
    part = part_names(divided)
    on_a_side = part.mask(part == LEFT_OUT)
    done = Divided(
        out=out,
        digest=split_digest(divided),
        parts=part_summary(divided, part),
        unevenness={
            name: unevenness(divided, on_a_side, name)
            for name in check_balance(plan.balance)
            if classes_of(divided, name).dropna().unique().size > 1
        },
        notes=[*read.notes, said, _groups(divided)],
    )
    # Written last, so that no split stays on disk if its summary fails.
    about = _about(plan, said) | _sources(plan, divided)
    write_split(divided, out, about=about, new=True)
    return done


def _about(plan: SplitPlan, duplicates: str) -> dict[str, Any]:
    settings = plan.model_dump()
    return {
        "scheme": plan.scheme,
        "seed": plan.seed,
        "settings": {
            name: settings[name] for name in SCHEME_SETTINGS[plan.scheme] if name != "seed"
        },
        "duplicates": duplicates,
    }


def _sources(plan: SplitPlan, divided: pd.DataFrame) -> dict[str, Any]:
    """Return the data set of each fold, for the scheme leave-one-source-out only."""
    if plan.scheme != "leave-one-source-out":
        return {}
    names = divided.groupby("fold")["dataset"].first()
    return {"fold_means": {str(fold): f"data set {name}" for fold, name in names.items()}}


def _groups(divided: pd.DataFrame) -> str:
    by = "image"
    if divided["patient_id"].notna().any():
        by = "patient"
    elif divided["lesion_id"].notna().any():
        by = "lesion"
    groups = counted(int(divided["group_id"].nunique()), "group")
    missing = "" if by == "patient" else "; no patient is known, so one may be on two sides"
    return f"{groups} of {counted(len(divided), 'image')}, by {by}{missing}."
