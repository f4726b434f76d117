"""Rank each patient's lesions by oddness (the "ugly duckling"), by a network's features."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.errors import ColumnError, DatasetError, ModelError
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.shares import clustered_share
from lentigo.inference.answers import reasons_of
from lentigo.inference.inputs import Source, as_sources
from lentigo.inference.oddness import FEWEST, oddness
from lentigo.inference.predict import Model
from lentigo.inference.squares import squares
from lentigo.progress import track
from lentigo.words import counted, verb

COLUMNS = (
    "patient_id", "lesion_id", "images", "image_id", "lesions", "oddness", "rank",
    "odder_than", "melanoma", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Ducklings:
    """The lesions of each patient, the oddest first."""

    table: pd.DataFrame
    """One row per lesion, with `COLUMNS`: number of its `images`, `image_id` of the first
    readable one, number of the patient's compared `lesions`, `oddness` (about 1 is usual),
    `rank` among the patient's lesions (1 is the oddest), `odder_than` (share of all
    compared lesions that are less odd), and the `reason` why `oddness` is missing, or
    why `Model.predict` does not answer for one of its images or doubts the answer: such a
    lesion is ranked all the same, and may be odd for this reason."""
    found: Interval
    """Share of patients whose oddest lesion is a melanoma, among the patients who have both
    a melanoma and a lesion labelled as not melanoma, and whose oddest lesion has a label;
    NaN without such patients."""
    chance: float
    """The same share for a lesion drawn at random from each patient."""
    n_patients: int
    """Number of patients behind `found` and `chance`."""
    n_unlabelled: int = 0
    """Number of patients like them but that the oddest lesion has no label."""

    @property
    def sentence(self) -> str:
        """Return a sentence on `found` and `chance`; empty without labelled patients."""
        every = self.n_patients + self.n_unlabelled
        if not every:
            return ""
        said = f"Of {counted(every, 'patient')} with a melanoma and other lesions, "
        if not self.n_patients:
            return f"{said}none has a label of the odd one."
        if self.n_unlabelled:
            told = f"{self.n_patients:,} {verb(self.n_patients, 'has', 'have')}"
            said += f"{told} a label of the odd one. Of these "
        return (
            f"{said}the odd one is a melanoma in {self.found.in_words}; by chance "
            f"{self.chance:.3f}."
        )


def image_features(
    model: Model, sources: Sequence[Source], *, batch_size: int = 32, device: str = "auto"
) -> tuple[NDArray[np.float32], dict[int, str]]:
    """Return F pooled features of N images by the model's first network, (N, F).

    An image that cannot be read has NaN. The second value holds the reasons, by the index
    of the image in `sources`.

    Raises `ModelError` if the engine gives no features, and `DatasetError` if no image can
    be read.
    """
    network = model.members[0]
    network.use(device)
    way = network.preparation
    rows: dict[int, NDArray[np.float32]] = {}
    reasons: dict[int, str] = {}
    with closing(squares(sources, [way], batch_size=batch_size)) as batches:
        total = -(-len(sources) // batch_size)
        for batch in track(batches, total=total, label="Looking at images"):
            reasons |= batch.reasons
            if not batch.places:
                continue
            looked = network.looked(np.stack(batch.squares[way]), looks=1)
            if looked is None:
                raise ModelError(
                    f"The engine {network.engine} gives no features of this model. Export "
                    "it anew with 'lentigo export', or take --engine torch."
                )
            rows |= dict(zip(batch.places, looked.features, strict=True))
    if not rows:
        why = next(iter(reasons.values()), "there is none")
        raise DatasetError(f"No image could be read; the first: {why}")
    width = len(next(iter(rows.values())))
    found = np.full((len(sources), width), np.nan, np.float32)
    for place, row in rows.items():
        found[place] = row
    return found, reasons


def ducklings(
    model: Model, table: pd.DataFrame, *, batch_size: int = 32, device: str = "auto"
) -> Ducklings:
    """Rank the lesions of each patient in `table` by their difference from the others.

    `table` is a lesion table with `patient_id` and, where lesions have several images,
    `lesion_id` (without it each image is a lesion). Features of a lesion's images are
    averaged. The same `patient_id` in two data sets means two patients.

    Raises `ColumnError` if no row has both a patient and a file, and what `image_features`
    raises.
    """
    known = table[table["patient_id"].notna() & table["path"].notna()]
    if known.empty:
        raise ColumnError(
            "No row has both a patient_id and a file, so there are no lesions to compare. "
            "Name the column of the patient: --column patient_id=NAME."
        )
    known = known.reset_index(drop=True)
    features, reasons = image_features(
        model, as_sources(known), batch_size=batch_size, device=device
    )
    said = reasons_of(model.predict_sources(as_sources(known), batch_size=batch_size))
    rows, means = _lesions(known, features, reasons, said)
    people = pd.factorize(rows["person"])[0].astype(np.intp)
    there = np.asarray(np.isfinite(means).all(axis=1))
    away = np.full(len(rows), np.nan)
    renumbered = np.unique(people[there], return_inverse=True)[1].astype(np.intp)
    away[there] = oddness(means[there], renumbered)
    return _ranked(rows.assign(oddness=away, read=there))


def _lesions(
    table: pd.DataFrame,
    features: NDArray[np.float32],
    reasons: dict[int, str],
    said: Sequence[str],
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return one row per lesion, and the mean features of its images that were read.

    `reasons` tells by its place why an image was not read; `said` why each is not answered.
    """
    own = table["lesion_id"].fillna("image " + table["image_id"])
    person = (
        table["dataset"].fillna("").astype(str) + "\0" + table["patient_id"].astype(str)
    )
    rows, means = [], []
    for (who, _), part in table.groupby([person, own], sort=False):
        places = part.index.to_numpy()
        read = places[np.isfinite(features[places]).all(axis=1)]
        first = int(read[0] if len(read) else places[0])
        labels = part["melanoma"].dropna()
        rows.append(
            {
                "person": who,
                "patient_id": table["patient_id"].iloc[first],
                "lesion_id": table["lesion_id"].iloc[first],
                "images": len(places),
                "image_id": table["image_id"].iloc[first],
                "melanoma": bool(labels.any()) if len(labels) else pd.NA,
                "reason": next((said[place] for place in read if said[place]), "")
                if len(read)
                else reasons.get(first, "cannot be read"),
            }
        )
        means.append(
            features[read].mean(axis=0, dtype=np.float64)
            if len(read)
            else np.full(features.shape[1], np.nan)
        )
    return pd.DataFrame(rows), np.stack(means)


def _ranked(rows: pd.DataFrame) -> Ducklings:
    person = rows["person"]
    rows["lesions"] = rows["read"].groupby(person).transform("sum").astype(int)
    rows["rank"] = rows["oddness"].groupby(person).rank(ascending=False, method="first")
    rows["rank"] = rows["rank"].astype("Int64")
    share = rows["oddness"].rank(method="min").sub(1) / max(rows["oddness"].count() - 1, 1)
    # Rounded down, so that 1 is the oddest lesion alone.
    rows["odder_than"] = np.floor(1000 * share + 1e-9) / 1000
    few = rows["read"] & (rows["lesions"] < FEWEST)
    rows.loc[few, "reason"] = [
        f"too few lesions: {number} {verb(number, 'is', 'are')} not enough to tell which "
        f"is odd, it takes {FEWEST}"
        for number in rows.loc[few, "lesions"]
    ]
    rows["oddness"] = rows["oddness"].round(4)
    found = _melanomas(rows)
    order = pd.factorize(person)[0]
    ordered = rows.assign(order=order).sort_values(["order", "rank"], kind="stable")
    table = ordered[list(COLUMNS)].reset_index(drop=True)
    return Ducklings(table, *found)


def _melanomas(rows: pd.DataFrame) -> tuple[Interval, float, int, int]:
    """Return `found`, `chance`, `n_patients` and `n_unlabelled` of `Ducklings`."""
    ranked = rows[rows["oddness"].notna()]
    hits, chances, unlabelled = [], [], 0
    for _, part in ranked.groupby("person", sort=False):
        known = part[part["melanoma"].notna()]
        label = known["melanoma"].to_numpy(dtype=bool)
        if label.all() or not label.any():
            continue
        first = (known["rank"] == 1).to_numpy(dtype=bool)
        if not first.any():
            unlabelled += 1
            continue
        hits.append(bool(label[first][0]))
        chances.append(float(label.mean()))
    if not hits:
        return Interval(float("nan")), float("nan"), 0, unlabelled
    share = clustered_share(np.array(hits), np.arange(len(hits)))
    return share, float(np.mean(chances)), len(hits), unlabelled
