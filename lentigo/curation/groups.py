"""Groups of images that belong together and may never be on two sides of a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lentigo.curation.closure import components, same_key
from lentigo.errors import ColumnError
from lentigo.table_files.not_known import known_ids
from lentigo.words import counted, some, verb


def assign_groups(
    table: pd.DataFrame, pairs: pd.DataFrame | None = None, *, keep: bool = False
) -> pd.DataFrame:
    """Return `table` with `group_id` filled: the patient, else the lesion, else the image.

    Images are joined by patient, by lesion, by identical files (`sha256`), by the pairs
    that an archive publishes (`duplicate_of`) and by `pairs` (columns `a` and `b`, as from
    `duplicate_pairs`), and indirectly through other images. Ids that the ISIC archive uses
    across its collections join images of several data sets, too. A group is named after its
    patient, else its lesion, else its image; if it has several, after the first in
    alphabetical order, so that the order of the rows has no effect. If the table holds
    several data sets, their names stand in front, since each numbers its patients anew.
    With `keep`, rows that already share a `group_id` stay together; without it, the old ids
    are ignored.

    A lesion id that occurs under several patients is taken to be numbered within each
    patient and joins nothing across them; `shared_lesions` reports such ids.

    Raises `ColumnError` if `pairs` names an image that the table does not have.
    """
    linked = [same_key(key) for _, key in ties(table)]
    linked += [_positions(table, published_pairs(table)), _positions(table, pairs)]
    if keep:
        linked.append(same_key(table["group_id"]))
    component = components(np.concatenate(linked), len(table))
    return table.assign(group_id=_names(table, component))


def shared_lesions(table: pd.DataFrame) -> list[str]:
    """Return a sentence on the lesion ids that occur under several patients, or nothing."""
    key = table["dataset"].fillna("") + "\0" + table["lesion_id"]
    patients = table["patient_id"].groupby(key).nunique()
    shared = [str(name).split("\0")[1] for name in patients.index[patients > 1]]
    if not shared:
        return []
    return [
        f"{counted(len(shared), 'lesion id')} {verb(len(shared), 'occurs', 'occur')} "
        f"under several patients ({some(shared)}); lesions are taken to be counted "
        "within each patient."
    ]


def ties(table: pd.DataFrame) -> list[tuple[str, pd.Series[Any]]]:
    """Return the reasons why images belong together, strongest first: name and key per row.

    Rows with the same key belong together; a missing key links to no row. The part of a key
    after its last zero byte is the id as written in the table.
    """
    found = [("identical file", table["sha256"])]
    found += _archive_wide(table)
    found += [(_SAME_LESION, lesion_keys(table)), (_SAME_PATIENT, patient_keys(table))]
    return found


def published_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the duplicates that the archive names: columns a, b and kind ("published").

    They come from the column `duplicate_of`; the frame is empty if there is none. If the
    image named in `duplicate_of` is not in the table, its duplicates are paired with the
    first of them.
    """
    if "duplicate_of" not in table:
        return pd.DataFrame({"a": [], "b": [], "kind": []}, dtype="string")
    rows = table[table["duplicate_of"].notna()].sort_values("image_id")
    other = rows["duplicate_of"]
    first = rows.groupby("duplicate_of")["image_id"].transform("first")
    other = other.where(other.isin(table["image_id"]), first)
    ends = [
        sorted(pair)
        for pair in zip(rows["image_id"], other, strict=True)
        if pair[0] != pair[1]
    ]
    pairs = pd.DataFrame(ends, columns=["a", "b"], dtype="string").assign(kind="published")
    return pairs.astype("string").sort_values(["a", "b"], ignore_index=True)


def patient_keys(table: pd.DataFrame) -> pd.Series[Any]:
    """Return a key for each row's patient, unique across data sets; missing if unknown."""
    return table["dataset"].fillna("") + "\0" + table["patient_id"]


def lesion_keys(table: pd.DataFrame) -> pd.Series[Any]:
    """Return a key for each row's lesion, unique across data sets; missing if unknown.

    A lesion id that several patients share counts as one lesion per patient.
    """
    front = table["dataset"].fillna("") + "\0"
    key = front + table["lesion_id"]
    several = table["patient_id"].groupby(key).transform("nunique") > 1
    within = front + table["patient_id"].fillna("") + "\0" + table["lesion_id"]
    return key.mask(several, within)


def patient_numbers(table: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return a number for each row's patient, (N,); -1 if unknown."""
    return _numbers(table, "patient_id", _SAME_PATIENT)


def named_lesions(table: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return a number for each row's lesion by its id alone, (N,); -1 if it has none."""
    return _numbers(table, "lesion_id", _SAME_LESION)


def _numbers(table: pd.DataFrame, column: str, reason: str) -> np.ndarray[Any, Any]:
    keys = [same_key(key) for name, key in ties(table) if name == reason]
    number = components(np.concatenate(keys), len(table))
    return np.where(table[column].notna(), number, -1)


def lesion_numbers(
    table: pd.DataFrame, pairs: pd.DataFrame | None = None
) -> np.ndarray[Any, Any]:
    """Return a number for each row's lesion, (N,), joined as by `assign_groups`.

    A row that nothing joins has a number of its own.
    """
    linked = [same_key(key) for name, key in ties(table) if name != _SAME_PATIENT]
    linked += [_positions(table, published_pairs(table)), _positions(table, pairs)]
    return components(np.concatenate(linked), len(table))


_SAME_PATIENT, _SAME_LESION = "same patient", "same lesion"


def _archive_wide(table: pd.DataFrame) -> list[tuple[str, pd.Series[Any]]]:
    """Return the ids that mean the same image, lesion or patient in every data set.

    These are ids of the ISIC archive. `isic_id` is the column that
    `lentigo.datasets.combine` adds.
    """
    return [
        (
            words,
            ids.where(
                ids.astype("string").str.fullmatch(pattern).fillna(False).astype(bool)
            ),
        )
        for name, words, pattern in ARCHIVE_IDS
        if (ids := table.get(name)) is not None
    ]


ARCHIVE_IDS = (
    ("isic_id", "same image", r"ISIC_\d+"),
    ("lesion_id", _SAME_LESION, r"(?:IL|HAM|BCN)_\d{7}"),
    ("patient_id", _SAME_PATIENT, r"IP_\d{7}"),
)
"""Column, the reason it gives for belonging together, and the pattern of the ids that the
ISIC archive uses across all its collections."""


def _positions(table: pd.DataFrame, pairs: pd.DataFrame | None) -> np.ndarray[Any, Any]:
    """Return the row positions of the two images of each of M pairs: (M, 2)."""
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
    """Return the name of each row's group; no two groups have the same name."""
    image = table["image_id"].astype("string")
    # An image named `unknown` or `7.0` would, as an id, be missing or 7: quote it.
    image = image.mask(known_ids(image).ne(image).fillna(True), '"' + image + '"')
    own = table["patient_id"].fillna(table["lesion_id"]).fillna(image)
    if len(table["dataset"].unique()) > 1:
        own = table["dataset"].fillna("unknown") + ":" + own
    rows = pd.DataFrame(
        {
            "component": component,
            "kind": np.where(table["patient_id"].notna(), 0, table["lesion_id"].isna() + 1),
            "name": own.to_numpy(),
            "image": table["image_id"].to_numpy(),
        }
    )
    first = rows.sort_values(["kind", "name", "image"]).drop_duplicates("component")
    first = first.set_index("component")
    # A patient id of one group may equal a lesion id of another.
    twice = first["name"].duplicated(keep=False)
    name = first["name"].mask(twice, first["name"] + " (" + first["image"] + ")")
    named = name.reindex(component)
    return named.set_axis(table.index).astype("string")
