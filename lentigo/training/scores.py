"""Loss and AUC of the answers for images, of which melanoma may not be known of all."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lentigo.evaluation.discrimination import auc
from lentigo.models.losses import weighted_bce


def log_loss(labels: NDArray[np.float32], logits: NDArray[np.float64]) -> float:
    """The cross-entropy of melanoma or not, of the images of which that is known."""
    known = ~np.isnan(labels)
    truth = torch.from_numpy(labels[known]).double()
    return float(weighted_bce(torch.from_numpy(logits[known]), truth, weights=(1.0, 1.0)))


def known_auc(labels: NDArray[np.float32], logits: NDArray[np.float64]) -> float:
    """The AUC of the answers for the images of which melanoma is known."""
    known = ~np.isnan(labels)
    return float(auc(labels[known] > 0.5, logits[known]))
