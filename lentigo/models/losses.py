"""The loss against rare melanomas, and how to take its shift out of the output again."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from lentigo.config import TrainConfig


def weighted_bce(
    logits: Tensor,
    labels: Tensor,
    *,
    weights: tuple[float, float],
    smoothing: float = 0.0,
    towards: float = 0.5,
) -> Tensor:
    """Binary cross-entropy, each image weighted by its class; all tensors are (N,).

    `weights` are those of the other lesions and of melanoma. `smoothing` pulls the labels
    `towards` a probability: the share of melanoma that the loss sees, or the mean answer
    would move.
    """
    rest, melanoma = weights
    target = labels * (1 - smoothing) + smoothing * towards
    weight = torch.where(labels > 0.5, melanoma, rest)
    return binary_cross_entropy_with_logits(logits.float(), target, weight=weight)


def marginal_loss(
    scores: Tensor,
    labels: Tensor,
    *,
    allowed: Tensor,
    smoothing: float = 0.0,
    towards: Tensor | None = None,
) -> Tensor:
    """The mean of -log of the summed probability of the classes that a label allows.

    `scores` are (N, K), `labels` (N,) are rows of `allowed`, (L, K). Of a label that allows
    one class it is the cross-entropy (Cour et al. 2011, "Learning from partial labels",
    JMLR 12; as marginal loss in Shi et al. 2021, doi:10.1016/j.media.2021.101979).
    `smoothing` is the share of a cross-entropy `towards` probabilities (K,).
    """
    log_p = log_softmax(scores.float(), dim=1)
    among = log_p.masked_fill(~allowed[labels], -math.inf)
    loss = -among.logsumexp(dim=1)
    if smoothing and towards is not None:
        loss = (1 - smoothing) * loss - smoothing * (log_p * towards).sum(dim=1)
    return loss.mean()


def class_weights(prevalence: float) -> tuple[float, float]:
    """Return total / (2 · n_class) of the other lesions and of melanoma.

    They are 0.509 and 28.36 in SIIM-ISIC 2020.
    """
    return 1 / (2 * (1 - prevalence)), 1 / (2 * prevalence)


def prior_logit(prevalence: float) -> float:
    """Return the bias that answers the share of melanoma before anything is learnt."""
    return math.log(prevalence / (1 - prevalence))


def logit_shift(config: TrainConfig, prevalence: float) -> float:
    """Return what to subtract from a logit so that it means a probability again.

    Weighing or drawing the classes alike multiplies the odds that the network learns by
    (1 - p) / p, p being the share of melanoma among the training images (Elkan 2001,
    "The foundations of cost-sensitive learning", theorem 2).
    """
    return -prior_logit(prevalence) if balances(config) else 0.0


def balances(config: TrainConfig) -> bool:
    """Tell whether the network learns as if melanoma were as frequent as everything else.

    A logistic head is fitted to the classes as they are, whatever `imbalance` says.
    """
    return config.method == "gradient" and config.imbalance in {
        "class_weights",
        "oversample",
    }
