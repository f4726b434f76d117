"""Probabilities of diagnoses other than melanoma, from networks that distinguish them.

Such a network gives each of these diagnoses its share among lesions that are not melanoma.
The shares divide 1 − p, where p is the probability of melanoma, calibrated and adjusted to
a clinic's share of melanoma. So all probabilities of an image sum to 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lentigo.inference.columns import with_columns
from lentigo.models.backend import Logits, Predictor
from lentigo.models.calibration import probability
from lentigo.tables import diagnosis_column


def common_diagnoses(networks: Sequence[Predictor]) -> tuple[str, ...]:
    """Return the diagnoses, without melanoma, that the networks distinguish.

    Networks that only predict melanoma are ignored. The result is empty if two of the other
    networks distinguish different diagnoses, since their shares cannot be averaged.
    """
    return common_names([each.diagnoses for each in networks])


def common_names(told: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the diagnoses of several networks, `told` by each; see `common_diagnoses`."""
    said = [each for each in told if each]
    alike = len({frozenset(each) for each in said}) == 1
    return tuple(said[0]) if alike else ()


def mean_shares(networks: Sequence[Predictor], answers: Logits) -> Logits:
    """Return the share of each of D `common_diagnoses` among non-melanoma, (D, N).

    `answers` has the rows of `Answers.logits`, one column for each of N images: the logit
    of melanoma of each network, then the log shares of the first network, of the second,
    and so on. The mean over networks is taken of the logarithms, as it is of logits.
    """
    names = common_diagnoses(networks)
    place, found = len(networks), []
    for each in networks:
        if names and each.diagnoses:
            found += [answers[[place + each.diagnoses.index(name) for name in names]]]
        place += len(each.diagnoses)
    return shares_of(np.mean(found, axis=0)) if found else np.empty((0, answers.shape[1]))


def shares_of(log_shares: Logits) -> Logits:
    """Return the softmax of log shares over D diagnoses: shares that sum to 1, (D, N)."""
    if not len(log_shares):
        return log_shares
    powers = np.exp(log_shares - log_shares.max(axis=0))
    return np.asarray(powers / powers.sum(axis=0))


def with_diagnoses(
    predictions: pd.DataFrame, names: Sequence[str], shares: Logits
) -> pd.DataFrame:
    """Return `predictions` with a probability column per diagnosis; `reason` stays last.

    Melanoma comes first, then `names`, sorted. `shares`, (D, N), are the shares of the D
    diagnoses `names` among lesions that are not melanoma. Without `names` nothing is added.
    """
    if not names:
        return predictions
    rest = probability(-predictions["logit"].to_numpy(np.float64))
    columns = {diagnosis_column("melanoma"): predictions["probability"]}
    for name, share in sorted(zip(names, shares, strict=True), key=lambda each: each[0]):
        columns[diagnosis_column(name)] = rest * share
    return with_columns(predictions, columns)
