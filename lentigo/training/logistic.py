"""Logistic regression on features of a frozen backbone: the baseline of fine-tuning."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from numpy.typing import NDArray

from lentigo.errors import RunError
from lentigo.evaluation.discrimination import auc
from lentigo.models.features import Features, pooled_features
from lentigo.models.network import Classifier
from lentigo.progress import log
from lentigo.training.checkpoint import Row
from lentigo.training.data import Examples, in_order, load
from lentigo.words import counted

Labels = NDArray[np.bool_]

PENALTIES = tuple(10.0 ** (power / 2) for power in range(-10, 3))
"""Candidates for the inverse strength of the L2 penalty (`C`), from strong to weak."""


def features_of(
    model: Classifier, examples: Examples, *, batch_size: int, device: torch.device
) -> Features:
    """Return the backbone's F pooled features of each of N examples, (N, F)."""
    order = in_order(len(examples), batch_size=batch_size)
    batches = load(examples, order, workers=0, device=device)
    return pooled_features(model, (batch.images for batch in batches))


def fit_logistic(
    model: Classifier,
    train: Examples,
    validation: Examples,
    *,
    batch_size: int,
    device: torch.device,
) -> Row:
    """Fit the output layer of `model` by logistic regression; return its `metrics.csv` row.

    The features are standardised by the mean and standard deviation of the training images,
    and the standardisation is then merged into the layer. The penalty is weakened along
    `PENALTIES` as long as the log loss on the validation images falls.

    Raises `RunError` if a feature is NaN or infinite.
    """
    start = time.perf_counter()
    features, others = (
        features_of(model, examples, batch_size=batch_size, device=device)
        for examples in (train, validation)
    )
    log.info(
        "Features of %d images are there; fitting the head.", len(features) + len(others)
    )
    _check_finite(np.concatenate([features, others]))
    truth, other_truth = train.labels > 0.5, validation.labels > 0.5
    weights, bias = _best_head(features, truth, others, other_truth)
    _put(model, weights, bias)
    scores, other_scores = features @ weights + bias, others @ weights + bias
    return {
        "epoch": 1,
        "loss": _cross_entropy(truth, scores),
        "auc": float(auc(truth, scores)),
        "validation_loss": _cross_entropy(other_truth, other_scores),
        "validation_auc": float(auc(other_truth, other_scores)),
        "learning_rate": float("nan"),
        "seconds": round(time.perf_counter() - start, 2),
        "frozen": True,
        "best": True,
    }


def _best_head(
    features: Features, truth: Labels, others: Features, other_truth: Labels
) -> tuple[Features, float]:
    """Weights (F,) and bias of the regression with the lowest validation log loss."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled, shown = (features - mean) / spread, (others - mean) / spread
    # By likelihood, not by AUC: the AUC of a head that is almost 0 can be as good. It falls
    # and then rises along the penalties, and weak ones take minutes each: stop in time.
    least = math.inf
    for strength in PENALTIES:
        head = LogisticRegression(C=strength, max_iter=2000).fit(scaled, truth)
        found = _cross_entropy(other_truth, head.decision_function(shown))
        if found >= least:
            break
        best, least = head, found
    weights = best.coef_[0] / spread
    return weights, float(best.intercept_[0] - weights @ mean)


def _check_finite(features: Features) -> None:
    broken = int((~np.isfinite(features).all(axis=1)).sum())
    if broken:
        raise RunError(
            f"The backbone's features of {broken:,} of {counted(len(features), 'image')} "
            "are no numbers (NaN or infinite), so no head can be fitted. Look at the "
            "weights file (model.weights) and at model.mean and model.std."
        )


def _put(model: Classifier, weights: Features, bias: float) -> None:
    with torch.no_grad():
        model.output.weight.copy_(torch.from_numpy(weights)[None])
        model.output.bias.fill_(bias)


def _cross_entropy(truth: Labels, logits: Features) -> float:
    return float(np.logaddexp(0, np.where(truth, -logits, logits)).mean())
