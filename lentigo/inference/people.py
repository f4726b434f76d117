"""Tell which images are of one patient, and which of them show one lesion.

Two photographs of one lesion are no evidence about each other, so they must not count as
two lesions of a patient. By the ids of a table, by copies of a file and by the pairs that
a split knows, images are joined here as `lentigo.curation.assign_groups` joins them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.errors import LentigoError
from lentigo.files import digest
from lentigo.imaging.decoding import packed
from lentigo.inference.sources import Source
from lentigo.models.context import People


def people_of_table(table: pd.DataFrame, pairs: pd.DataFrame | None = None) -> People:
    """Return the patients and the lesions of the rows of a lesion table.

    Images show one lesion if they share its id, their bytes (`sha256`), an id of the ISIC
    archive or a duplicate that the archive names (`duplicate_of`), or if they are one of
    `pairs` (columns `a` and `b`), and through other images; other images show a lesion
    each. Images of two patients never show one lesion. A patient is known by the id in the
    data set, or by an id of the ISIC archive in all data sets.

    Raises `ColumnError` if `pairs` names an image that the table does not have.
    """
    # Imported here: few models compare lesions, and an image is answered sooner without.
    from lentigo.curation.groups import lesion_numbers, patient_numbers

    patient = patient_numbers(table)
    both = lesion_numbers(table, pairs) * (len(table) + 1) + patient + 1
    lesion = np.unique(both, return_inverse=True)[1]
    return People(patient.astype(np.intp), lesion.astype(np.intp))


def people_of(sources: Sequence[Source]) -> People:
    """Return the patients and the lesions of images to predict; see `people_of_table`.

    Of a patient's files those with the same bytes show one lesion.
    """
    rows = [(each.dataset, each.patient_id, each.lesion_id) for each in sources]
    columns = ["dataset", "patient_id", "lesion_id"]
    table = pd.DataFrame(rows, columns=columns, dtype="string")
    return people_of_table(table.assign(sha256=_digests(sources, table["patient_id"])))


def _digests(sources: Sequence[Source], patient: pd.Series) -> pd.Series:
    """Return the SHA-256 of each file that may be a copy of a file of the same patient.

    Only files of one size are read; it is missing for the others, and for arrays.
    """
    size = np.full(len(sources), -1, dtype=np.int64)
    for place in np.flatnonzero(patient.duplicated(keep=False) & patient.notna()).tolist():
        size[place] = _size(sources[place].path)
    alike = pd.DataFrame({"patient": patient, "size": size}).duplicated(keep=False)
    found = pd.Series(pd.NA, index=patient.index, dtype="string")
    for place in np.flatnonzero(alike & (size > 0)).tolist():
        path = sources[place].path
        with suppress(OSError, LentigoError):
            found[place] = _digest(Path(path or ""))
    return found


def _size(path: Path | None) -> int:
    """Return the size of a file in bytes; 0 for an array, or a file that has gone."""
    with suppress(*packed.BROKEN):
        if path is not None:
            return packed.length(path) or path.stat().st_size
    return 0


def _digest(path: Path) -> str:
    if packed.is_there(path):
        return hashlib.sha256(packed.read_bytes(path)).hexdigest()
    return digest(path)
