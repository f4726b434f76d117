"""Summary of the parts of a split, one row each, to read before a training."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lentigo.curation.splits.balance import classes_of
from lentigo.curation.splits.part_words import part_rank
from lentigo.curation.summary import count_patients


def part_summary(table: pd.DataFrame, part: pd.Series[Any]) -> pd.DataFrame:
    """Return one row per part (training, validation, test, or by number), then one for all.

    Columns: images, groups, patients and melanomas; `share`, of melanomas among labelled
    images; `age`, the median in years; `site_off`, the largest distance of a site's share
    in the part from its share in all parts. Unknown values are NaN.
    """
    names = sorted(part.dropna().unique(), key=lambda name: (part_rank(name), name))
    sites = classes_of(table, "site")
    known = sites != "unknown"
    whole = sites[known & part.notna()].value_counts(normalize=True)
    rows = [
        _row(table[(part == name).fillna(False)], str(name), sites, whole) for name in names
    ]
    rows.append(_row(table[part.notna()], "all", sites, whole))
    return pd.DataFrame(rows)


def _row(
    mine: pd.DataFrame, name: str, sites: pd.Series[Any], whole: pd.Series[Any]
) -> dict[str, Any]:
    labelled = int(mine["melanoma"].notna().sum())
    melanomas = int(mine["melanoma"].sum())
    own = sites[mine.index]
    own = own[own != "unknown"].value_counts(normalize=True)
    off = (own.reindex(whole.index).fillna(0) - whole).abs().max() if len(own) else None
    return {
        "part": name,
        "images": len(mine),
        "groups": int(mine["group_id"].nunique()),
        "patients": count_patients(mine),
        "melanomas": melanomas,
        "share": melanomas / labelled if labelled else float("nan"),
        "age": float(mine["age"].median()) if mine["age"].notna().any() else float("nan"),
        "site_off": float("nan") if off is None else float(off),
    }
