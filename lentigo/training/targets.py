"""The classes of a network, and the classes that the label of an image allows.

A label does not always name one class. "Benign" allows all benign classes, "no melanoma"
all classes but melanoma, and "benign keratosis" of one data set allows the class seborrheic
keratosis that another data set has. The loss of such an image is that of the summed
probability of the classes that its label allows (`lentigo.models.losses.marginal_loss`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import TrainConfig
from lentigo.datasets.reading.diagnoses import is_malignant, lineage
from lentigo.models.classifier import MELANOMA

OTHER = "other"
"""The class of all diagnoses that are too rare for a class of their own."""

Labels = NDArray[np.int64]
Allowed = NDArray[np.bool_]


class Label(NamedTuple):
    """The label of one image in a table; None means not known."""

    diagnosis: str | None
    melanoma: bool | None
    malignant: bool | None


@dataclass(frozen=True)
class Target:
    """K classes, L labels as sets of allowed classes, and the label of each image."""

    classes: tuple[str, ...]
    """Names of the K classes; melanoma is one of them."""
    allowed: Allowed
    """Which classes each label allows, (L, K)."""
    labels: Labels
    """The label of each image, as a row number of `allowed`; -1 if it tells nothing."""


def target_of(
    table: pd.DataFrame, learnt: NDArray[np.bool_], config: TrainConfig
) -> Target:
    """Return the classes that a network learns, and the label of each row of `table`.

    For the target diagnosis the classes are the `diagnosis_classes` of the rows where
    `learnt` is True; for the target melanoma, "not melanoma" and "melanoma".
    """
    rows = [_label(*row) for row in table[list(Label._fields)].itertuples(index=False)]
    if config.target == "melanoma":
        known = [-1 if row.melanoma is None else int(row.melanoma) for row in rows]
        return Target(
            (f"not {MELANOMA}", MELANOMA), np.eye(2, dtype=np.bool_), np.array(known)
        )
    taught = [row for row, mine in zip(rows, learnt, strict=True) if mine]
    classes = diagnosis_classes(taught, rare=config.rare_diagnosis)
    sets = {row: allowed_classes(row, classes) for row in set(rows)}
    whole = (True,) * len(classes)
    known_sets = sorted({each for each in sets.values() if each != whole}, reverse=True)
    number = {each: place for place, each in enumerate(known_sets)}
    labels = [number.get(sets[row], -1) for row in rows]
    return Target(classes, np.array(known_sets, dtype=np.bool_), np.array(labels))


def diagnosis_classes(rows: Sequence[Label], *, rare: float) -> tuple[str, ...]:
    """Return the classes: melanoma, then the other diagnoses in alphabetical order.

    Ancestors of melanoma in the tree of diagnoses are no classes, because they do not tell
    whether the lesion is melanoma. A diagnosis of less than the share `rare` of the rows,
    or of only one row, is merged into its nearest ancestor that may be a class, and so on
    upwards; without such an ancestor, into `other`. No class is a descendant of another
    class: if some rows say only nevus, blue nevi belong to the class nevus, too. If the
    rows name no diagnosis but melanoma, the classes are melanoma and `other`.
    """
    named = [str(row.diagnosis) for row in rows if row.diagnosis and not row.melanoma]
    counts = Counter(name for name in named if _beside_melanoma(name))
    least = max(2.0, rare * len(rows))
    # A parent may be rare until its last rare kind is counted to it: the lowest come first.
    waiting = set(counts)
    while waiting:
        name = max(waiting, key=lambda each: (len(lineage(each)), each))
        waiting.remove(name)
        if counts[name] < least and name != OTHER:
            kept = next(filter(_beside_melanoma, lineage(name)[1:]), OTHER)
            counts[kept] += counts.pop(name)
            waiting.add(kept)
    highest = [name for name in counts if not counts.keys() & set(lineage(name)[1:])]
    return (MELANOMA, *(sorted(highest) or [OTHER]))


def allowed_classes(row: Label, classes: Sequence[str]) -> tuple[bool, ...]:
    """Tell for each of K `classes` whether an image with the label `row` may belong to it.

    A diagnosis allows the class that equals it or is its ancestor in the tree; if there is
    none, it allows `other` and the classes that are its descendants. Without a diagnosis,
    "malignant" excludes the classes known to be benign, and "benign" those known to be
    malignant. A label "no melanoma" excludes melanoma, and "melanoma" everything else. A
    label that would exclude all classes allows all, but for melanoma if that is excluded.
    """
    if row.melanoma:
        return tuple(name == MELANOMA for name in classes)
    found = [_may_be(name, row, classes) for name in classes]
    if row.melanoma is False:
        found[classes.index(MELANOMA)] = False
    if not any(found):
        return tuple(row.melanoma is None or name != MELANOMA for name in classes)
    return tuple(found)


def _may_be(name: str, row: Label, classes: Sequence[str]) -> bool:
    if row.diagnosis is None:
        return row.malignant is None or is_malignant(name) in {None, row.malignant}
    above = lineage(row.diagnosis)
    if any(each in classes for each in above):
        return name in above
    return name == OTHER or row.diagnosis in lineage(name)


def _beside_melanoma(name: str) -> bool:
    """Tell whether a diagnosis is neither melanoma nor its ancestor or descendant."""
    return MELANOMA not in lineage(name) and name not in lineage(MELANOMA)


def _label(diagnosis: Any, melanoma: Any, malignant: Any) -> Label:
    def known(value: Any) -> bool | None:
        return None if pd.isna(value) else bool(value)

    name = None if pd.isna(diagnosis) else str(diagnosis)
    return Label(name, known(melanoma), known(malignant))
