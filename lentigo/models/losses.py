"""The loss against rare melanomas, and how to take its shift out of the output again."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, sigmoid

from lentigo.config import TrainConfig


def weighted_bce(
    logits: Tensor,
    labels: Tensor,
    *,
    weights: tuple[float, float],
    smoothing: float = 0.0,
    towards: float = 0.5,
    focus: float = 0.0,
    offset: float = 0.0,
) -> Tensor:
    """Binary cross-entropy, each image weighted by its class; all tensors are (N,).

    `weights` are those of the other lesions and of melanoma. `smoothing` pulls the labels
    `towards` a probability: the share of melanoma that the loss sees, or the mean answer
    would move. `focus` and `offset` are those of `marginal_loss`.
    """
    rest, melanoma = weights
    logits = logits.float() + offset
    target = labels * (1 - smoothing) + smoothing * towards
    weight = torch.where(labels > 0.5, melanoma, rest)
    loss = binary_cross_entropy_with_logits(logits, target, weight=weight, reduction="none")
    if focus:
        right = torch.where(labels > 0.5, logits, -logits)
        loss = loss * sigmoid(-right).clamp(min=1e-7) ** focus
    return loss.mean()


def marginal_loss(
    scores: Tensor,
    labels: Tensor,
    *,
    allowed: Tensor,
    smoothing: float = 0.0,
    towards: Tensor | None = None,
    focus: float = 0.0,
    offset: Tensor | None = None,
) -> Tensor:
    """The mean of -log of the summed probability of the classes that a label allows.

    `scores` are (N, K), `labels` (N,) are rows of `allowed`, (L, K). Of a label that allows
    one class it is the cross-entropy (Cour et al. 2011, "Learning from partial labels",
    JMLR 12; as marginal loss in Shi et al. 2021, doi:10.1016/j.media.2021.101979).
    `smoothing` is the share of a cross-entropy `towards` probabilities (K,). With `focus`
    the loss of an image whose allowed classes have the probability p is multiplied by
    (1 - p) to this power (focal loss, Lin et al. 2017, arXiv:1708.02002). The `offset` (K,)
    is added to the scores beforehand; with the logarithm of each class's share it is the
    logit-adjusted loss of Menon et al. 2021 (arXiv:2007.07314, their equation 10).
    """
    scores = scores.float() if offset is None else scores.float() + offset
    log_p = log_softmax(scores, dim=1)
    among = log_p.masked_fill(~allowed[labels], -math.inf)
    loss = -among.logsumexp(dim=1)
    if focus:
        loss = loss * (-torch.expm1(-loss)).clamp(min=1e-7) ** focus
    if smoothing and towards is not None:
        loss = (1 - smoothing) * loss - smoothing * (log_p * towards).sum(dim=1)
    return loss.mean()


def auc_margin_loss(logits: Tensor, labels: Tensor, *, margin: float = 1.0) -> Tensor:
    """The AUC margin loss of a batch; both tensors are (N,).

    Of probabilities h: the variance of h among melanomas, plus that among the others, plus
    the square of what the difference of their means lacks of `margin` (Yuan et al. 2021,
    arXiv:2012.03173). The paper writes it with two free means and a multiplier, over all
    images; at their best values, which a batch gives in closed form, it is this. A batch
    without melanomas, or with nothing else, has a variance only.
    """
    found = sigmoid(logits.float())
    melanoma = labels > 0.5
    parts = [found[melanoma], found[~melanoma]]
    means = [each.mean() for each in parts if len(each)]
    spread = sum(
        ((each - each.mean()) ** 2).mean() if len(each) else found.sum() * 0
        for each in parts
    )
    if len(means) < 2:
        return torch.as_tensor(spread)
    lacking = (margin - (means[0] - means[1])).clamp(min=0)
    return spread + lacking**2


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
