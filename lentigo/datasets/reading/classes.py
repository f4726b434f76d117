"""To which of a model's classes a lesion belongs, by its diagnosis in a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.datasets.reading.diagnoses import lineage

_MELANOMA, _OTHER = "melanoma", "other"


def class_of(diagnosis: object, melanoma: object, classes: Sequence[str]) -> int:
    """Return the place of a lesion's class in `classes`, −1 if that is not known.

    A melanoma belongs to the class melanoma. Any other lesion belongs to its `diagnosis` or
    the nearest ancestor of it that is a class; without one, to the class `other`, if there
    is one and no class is a kind of this diagnosis. A missing value is None, NaN or NA.
    """
    if pd.isna(melanoma):  # type: ignore[call-overload]
        return -1
    if melanoma:
        return _place(_MELANOMA, classes)
    if pd.isna(diagnosis):  # type: ignore[call-overload]
        return -1
    name = str(diagnosis)
    for above in lineage(name):
        if above in classes and above != _MELANOMA:
            return _place(above, classes)
    wider = any(name in lineage(each) for each in classes)
    return -1 if wider else _place(_OTHER, classes)


def classes_of(
    diagnosis: pd.Series[Any], melanoma: pd.Series[Any], classes: Sequence[str]
) -> NDArray[np.intp]:
    """Return `class_of` of each of N lesions, (N,)."""
    rows = zip(diagnosis.tolist(), melanoma.tolist(), strict=True)
    return np.array([class_of(*row, classes) for row in rows], dtype=np.intp)


def _place(name: str, classes: Sequence[str]) -> int:
    return list(classes).index(name) if name in classes else -1
