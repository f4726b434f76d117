"""The table of a synthetic data set: its patients, and the features of every image."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import numpy as np
import pandas as pd

from lentigo.datasets.synthetic.model import (
    MISSING,
    draw_atypia,
    draw_patient,
    draw_photograph,
    draw_site,
    draw_visible,
    probability,
)
from lentigo.errors import ColumnError, ConfigError
from lentigo.tables import check_table

NOTE = (
    "These lesions are drawn by a computer, not photographed: an AUC on them shows that "
    "the machinery works and says nothing about real melanoma."
)


def draw_features(images: int, *, seed: int = 0) -> pd.DataFrame:
    """Return the lesion table of a synthetic data set without drawing its images.

    One row per image, with the columns of `Lesion` and `Photograph`, the `lesion_seed` for
    all details that these leave open, and `true_probability`, the model's probability of
    melanoma from which the label was drawn. With the same seed row i is the same for any
    number of rows. Thousands of rows take a second.

    Raises `ConfigError` unless `images` is at least 1 and `seed` at least 0.
    """
    if images < 1:
        raise ConfigError(f"images is {images}; give 1 or more.")
    if seed < 0:
        raise ConfigError(f"seed is {seed}; give 0 or more.")
    rows = pd.DataFrame(list(islice(_rows(seed), images)))
    rows.insert(0, "image_id", [f"SYN_{number:07d}" for number in range(1, images + 1)])
    return check_table(rows, source="The drawn set")


def best_reachable_auc(table: pd.DataFrame) -> float:
    """Return the AUC of the true probabilities, which no model exceeds except by chance.

    It is computed from the labelled rows of `table`, so each part of a synthetic set has
    its own. NaN where a class is missing. With few images a model can exceed it slightly by
    chance.

    Raises `ColumnError` where `table` has no column `true_probability`.
    """
    if "true_probability" not in table:
        raise ColumnError("The table has no column true_probability: it is no drawn set.")
    labelled = table[table["melanoma"].notna()]
    truth = labelled["melanoma"].to_numpy(dtype=bool)
    score = labelled["true_probability"].to_numpy(dtype=float)
    benign = np.sort(score[~truth])
    if not benign.size or benign.size == truth.size:
        return float("nan")
    below = np.searchsorted(benign, score[truth], side="left")
    not_above = np.searchsorted(benign, score[truth], side="right")
    return float((below + not_above).mean() / (2 * benign.size))


def _rows(seed: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of a data set without end; each patient has a random generator."""
    for number in count():
        rng = np.random.default_rng([seed, number])
        patient = draw_patient(rng)
        person = {
            "dataset": "synthetic",
            "patient_id": f"SYN_P{number + 1:06d}",
            "sex": pd.NA if rng.random() < MISSING["sex"] else patient.sex,
            "age": np.nan if rng.random() < MISSING["age"] else float(patient.age),
            "skin_type": patient.skin_type,
            "modality": "dermoscopy",
        }
        for lesion_number in range(1 + int(rng.poisson(1.5))):
            site = draw_site(patient, rng)
            atypia = draw_atypia(patient, site, rng)
            lesion = draw_visible(atypia, patient.skin_tone, rng)
            chance = probability(lesion)
            melanoma = bool(rng.random() < chance)
            fixed = {
                **person,
                "lesion_id": f"{person['patient_id']}_L{lesion_number + 1}",
                "site": pd.NA if rng.random() < MISSING["site"] else site,
                "diagnosis": "melanoma" if melanoma else "nevus",
                "melanoma": melanoma,
                "malignant": melanoma,
                "true_probability": round(chance, 6),
                "lesion_seed": int(rng.integers(2**31)),
                **vars(lesion),
            }
            for view in range(int(rng.choice([1, 2, 3], p=[0.82, 0.13, 0.05]))):
                yield {**fixed, **vars(draw_photograph(view, rng))}
