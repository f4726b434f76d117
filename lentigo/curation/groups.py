"""Who belongs together: images that may never be on both sides of a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lentigo.errors import ColumnError, some


def assign_groups(table: pd.DataFrame, pairs: pd.DataFrame | None = None) -> pd.DataFrame:
    """`table` with `group_id` filled: the patient, else the lesion, else the image.

    Images are joined by patient, by lesion, by identical files (`sha256`), by the pairs
    that an archive publishes (`duplicate_of`) and by `pairs` (columns `a` and `b`, as from
    `duplicate_pairs`), and through one another. Ids that the ISIC archive counts across
    its collections join images of several data sets, too. A group is named after the
    patient, else the lesion, else the image of its first row; where the table holds
    several data sets, their names stand in front, since each numbers its patients anew.

    A lesion id that occurs under several patients is taken to be counted within each
    patient and joins nothing across them; a note in `attrs["notes"]` says so.

    Raises `ColumnError` where `pairs` names an image that the table does not have.
    """
    linked = [
        _same(key) for key in (patient_keys(table), lesion_keys(table), table["sha256"])
    ]
    linked += [_same(ids) for ids in _archive_wide(table)]
    linked += [_positions(table, published_pairs(table)), _positions(table, pairs)]
    edges = np.concatenate(linked)
    count = len(table)
    graph = coo_array(
        (np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count)
    )
    _, component = connected_components(graph, directed=False)
    grouped = table.assign(group_id=_names(table, component))
    if shared := _lesions_of_several(table):
        grouped.attrs["notes"] = [
            *table.attrs.get("notes", []),
            f"{len(shared):,} lesion ids occur under several patients ({some(shared)}); "
            "they are taken to be counted within each patient.",
        ]
    return grouped


def published_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """The duplicates that the archive itself names: columns a, b and kind ("published").

    They stand in the column `duplicate_of`, if the reader found such a list. A pair whose
    other image is not in the table is left out.
    """
    if "duplicate_of" not in table:
        return pd.DataFrame({"a": [], "b": [], "kind": []}, dtype="string")
    rows = table[table["duplicate_of"].isin(table["image_id"])]
    ends = rows[["image_id", "duplicate_of"]].astype("string")
    pairs = pd.DataFrame(
        {"a": ends.min(axis=1), "b": ends.max(axis=1), "kind": "published"}
    )
    return pairs.astype("string").sort_values(["a", "b"], ignore_index=True)


def patient_keys(table: pd.DataFrame) -> pd.Series[Any]:
    """One key a patient, unlike those of another data set; missing where none is known."""
    return table["dataset"].fillna("") + "\0" + table["patient_id"]


def lesion_keys(table: pd.DataFrame) -> pd.Series[Any]:
    """One key a lesion; a lesion number shared by patients is told apart by patient."""
    key = table["dataset"].fillna("") + "\0" + table["lesion_id"]
    several = table["patient_id"].groupby(key).transform("nunique") > 1
    return key.mask(several, key + "\0" + table["patient_id"].fillna(""))


def _archive_wide(table: pd.DataFrame) -> list[pd.Series[Any]]:
    """Ids of the ISIC archive: the same image, patient or lesion in whatever data set.

    `isic_id` is the column that `lentigo.datasets.combine` adds.
    """
    return [
        ids.where(ids.astype("string").str.fullmatch(pattern).fillna(False).astype(bool))
        for name, pattern in _ARCHIVE_IDS.items()
        if (ids := table.get(name)) is not None
    ]


_ARCHIVE_IDS = {
    "isic_id": r"ISIC_\d+",
    "patient_id": r"IP_\d{7}",
    "lesion_id": r"(IL|HAM|BCN)_\d{7}",
}


def _lesions_of_several(table: pd.DataFrame) -> list[str]:
    key = table["dataset"].fillna("") + "\0" + table["lesion_id"]
    patients = table["patient_id"].groupby(key).nunique()
    return [str(name).split("\0")[1] for name in patients.index[patients > 1]]


def _same(key: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """(M, 2) row positions: each row with a key, and the first row with the same key."""
    codes, _ = pd.factorize(key)
    rows = np.flatnonzero(codes >= 0)
    _, first, back = np.unique(codes[rows], return_index=True, return_inverse=True)
    return np.column_stack([rows, rows[first][back]])


def _positions(table: pd.DataFrame, pairs: pd.DataFrame | None) -> np.ndarray[Any, Any]:
    """(M, 2) row positions of the two images of each pair."""
    if pairs is None or len(pairs) == 0:
        return np.empty((0, 2), dtype=int)
    index = pd.Index(table["image_id"])
    ends = np.column_stack([index.get_indexer(pd.Index(pairs[end])) for end in ("a", "b")])
    if (ends < 0).any():
        strange = pd.concat([pairs["a"], pairs["b"]])
        strange = strange[~strange.isin(index)]
        raise ColumnError(
            f"The duplicate pairs name images that the table does not have: "
            f"{some(strange.unique().tolist())}. Find the pairs anew on this table."
        )
    return ends


def _names(table: pd.DataFrame, component: np.ndarray[Any, Any]) -> pd.Series[Any]:
    """The name of each row's group; two groups are never called alike."""
    own = table["patient_id"].fillna(table["lesion_id"]).fillna(table["image_id"])
    if len(table["dataset"].unique()) > 1:
        own = table["dataset"].fillna("unknown") + ":" + own
    first = pd.Series(np.arange(len(table))).groupby(component).transform("min").to_numpy()
    name = own.iloc[first].reset_index(drop=True)
    # A patient of one group may bear the number of a lesion of another.
    groups = pd.Series(component).groupby(name).transform("nunique") > 1
    image = table["image_id"].iloc[first].reset_index(drop=True)
    name = name.mask(groups, name + " (" + image + ")")
    return name.set_axis(table.index).astype("string")
