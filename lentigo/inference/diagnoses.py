"""Probabilities of the diagnoses beside melanoma, of networks that tell them apart.

A network says of each of them its share among what is no melanoma. These shares divide what
the probability of melanoma, calibrated and moved to a clinic's own share, leaves: all
probabilities of an image sum to one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lentigo.models.backend import Logits, Predictor
from lentigo.models.calibration import probability
from lentigo.tables import diagnosis_column


def common_diagnoses(networks: Sequence[Predictor]) -> tuple[str, ...]:
    """Return the diagnoses beside melanoma that the networks tell apart.

    None where two of them tell different ones apart, for their shares have no mean. Those
    that only know melanoma have no say.
    """
    said = [each.diagnoses for each in networks if each.diagnoses]
    alike = len({frozenset(each) for each in said}) == 1
    return said[0] if alike else ()


def mean_shares(networks: Sequence[Predictor], answers: Logits) -> Logits:
    """Return the share of each common diagnosis among what is no melanoma, (D, N).

    `answers` are those of `Model.answers`: the logit of melanoma of each network, then the
    log shares of the first network, of the second, and so on. The mean is taken over
    logarithms, as it is over logits.
    """
    names = common_diagnoses(networks)
    place, found = len(networks), []
    for each in networks:
        if names and each.diagnoses:
            found += [answers[[place + each.diagnoses.index(name) for name in names]]]
        place += len(each.diagnoses)
    return shares_of(np.mean(found, axis=0)) if found else np.empty((0, answers.shape[1]))


def shares_of(log_shares: Logits) -> Logits:
    """Return shares that sum to one, (D, N), of their logarithms, whatever was added."""
    if not len(log_shares):
        return log_shares
    powers = np.exp(log_shares - log_shares.max(axis=0))
    return np.asarray(powers / powers.sum(axis=0))


def with_diagnoses(
    predictions: pd.DataFrame, names: Sequence[str], shares: Logits
) -> pd.DataFrame:
    """Return predictions with a column a diagnosis, melanoma first; `reason` stays last.

    `shares` are those of `names`, the diagnoses beside melanoma, (D, N).
    """
    if not names:
        return predictions
    rest = probability(-predictions["logit"].to_numpy(np.float64))
    columns = {diagnosis_column("melanoma"): predictions["probability"]}
    for name, share in sorted(zip(names, shares, strict=True), key=lambda each: each[0]):
        columns[diagnosis_column(name)] = rest * share
    last = [name for name in ("reason",) if name in predictions]
    whole = predictions.assign(**columns)
    return whole[[*whole.columns.drop(last), *last]]
