"""The classes of a network, and which of them the label of an image allows.

A label does not always name one class. "Benign" allows all benign ones, "no melanoma" all
but melanoma, and an archive that says benign keratosis allows the seborrheic keratosis that
another one tells apart. Such an image is learnt from by the summed probability of what its
label allows (`lentigo.models.losses.marginal_loss`).
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
"""The class of all diagnoses that are too rare for one of their own."""

Labels = NDArray[np.int64]
Allowed = NDArray[np.bool_]


class Label(NamedTuple):
    """The label of one image in a table; None is not known."""

    diagnosis: str | None
    melanoma: bool | None
    malignant: bool | None


@dataclass(frozen=True)
class Target:
    """Classes, and the label of each image as a set of classes that it allows."""

    classes: tuple[str, ...]
    """Melanoma among them."""
    allowed: Allowed
    """One row a label: which classes it allows, (L, K)."""
    labels: Labels
    """The label of each image, a row of `allowed`; -1 where it allows all classes."""


def target_of(
    table: pd.DataFrame, learnt: NDArray[np.bool_], config: TrainConfig
) -> Target:
    """Return what the rows `learnt` of a lesion table teach, with the labels of all rows.

    The classes are those of `diagnosis_classes`, or not melanoma and melanoma.
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
    """Return the diagnoses that are told apart: melanoma, then the others by their names.

    One that fewer than the share `rare` of the rows have counts to the diagnosis that it is
    a kind of, and so on upwards; what is rare at the top of the tree counts to `other`. No
    class is a kind of another one: where an archive says nevus and nothing more, the blue
    nevi of another one are nevi, too. What stands above melanoma in the tree is no class,
    for it leaves melanoma open. Where no diagnosis beside melanoma is named, the classes
    are melanoma and `other`.
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
    """Tell of each class whether an image with this label may be of it.

    A diagnosis allows the class that is it or stands above it in the tree; one that stands
    above classes allows these and `other`. Without one, malignant or benign leaves out what
    is known to be the other, and no melanoma leaves out melanoma. A label that would allow
    nothing says nothing: it allows all.
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
    """Tell whether a diagnosis is neither melanoma, nor a kind of it, nor above it."""
    return MELANOMA not in lineage(name) and name not in lineage(MELANOMA)


def _label(diagnosis: Any, melanoma: Any, malignant: Any) -> Label:
    def known(value: Any) -> bool | None:
        return None if pd.isna(value) else bool(value)

    name = None if pd.isna(diagnosis) else str(diagnosis)
    return Label(name, known(melanoma), known(malignant))
