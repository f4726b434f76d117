"""Log loss and AUC of melanoma over the images whose label is known (not NaN)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lentigo.evaluation.discrimination import auc
from lentigo.models.losses import weighted_bce


def log_loss(labels: NDArray[np.float32], logits: NDArray[np.float64]) -> float:
    """Return the mean cross-entropy of melanoma over the images with a known label.

    `labels`, (N,), are 1 for melanoma, 0 for others, NaN for not known; `logits` are (N,).
    """
    known = ~np.isnan(labels)
    truth = torch.from_numpy(labels[known]).double()
    return float(weighted_bce(torch.from_numpy(logits[known]), truth, weights=(1.0, 1.0)))


def known_auc(labels: NDArray[np.float32], logits: NDArray[np.float64]) -> float:
    """Return the AUC of melanoma over the images with a known label; see `log_loss`."""
    known = ~np.isnan(labels)
    return float(auc(labels[known] > 0.5, logits[known]))
