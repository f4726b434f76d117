"""The training losses for classes of unequal size, and the logit shift that they cause."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    kl_div,
    log_softmax,
    sigmoid,
)

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
    """Mean binary cross-entropy of N images, each weighted by its class.

    `logits` and `labels` (1 for melanoma, 0 for other lesions) are (N,). `weights` are the
    weight of other lesions and that of melanoma. Label smoothing replaces a label by
    (1 - `smoothing`) · label + `smoothing` · `towards`; `towards` should be the share of
    melanoma after sampling and weighting, or the mean predicted probability would move.
    `focus` and `offset` work as in `marginal_loss`.
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
    """The mean over N images of -log(summed probability of the label's allowed classes).

    `scores` are (N, K) for K classes; `labels`, (N,), are row numbers of `allowed`, (L, K),
    the classes that each of L labels allows. For a label that allows one class this is the
    cross-entropy (Cour et al. 2011, "Learning from partial labels", JMLR 12; as marginal
    loss in Shi et al. 2021, doi:10.1016/j.media.2021.101979). `smoothing` is the weight of
    an added cross-entropy against the probabilities `towards`, (K,). With `focus` the loss
    of an image whose allowed classes have the probability p is multiplied by
    (1 - p) ** `focus` (focal loss, Lin et al. 2017, arXiv:1708.02002). `offset`, (K,), is
    added to the scores beforehand; if it is the logarithm of each class's share, this is
    the logit-adjusted loss of Menon et al. 2021 (arXiv:2007.07314, their equation 10).
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


def distillation_loss(logits: Tensor, soft: Tensor, *, temperature: float) -> Tensor:
    """Return the distance of N softened predictions from those of a teacher; 0 if equal.

    `logits` are (N, K) for K classes, and `soft`, (N, K), are the probabilities of the
    teacher, softened in the same way: softmax(logits / `temperature`). The result is the
    mean Kullback-Leibler divergence times `temperature` squared, so that the size of its
    gradient does not depend on the temperature (Hinton, Vinyals and Dean 2015,
    arXiv:1503.02531, section 2).
    """
    log_p = log_softmax(logits.float() / temperature, dim=1)
    return temperature**2 * kl_div(log_p, soft, reduction="batchmean")


def auc_margin_loss(logits: Tensor, labels: Tensor, *, margin: float = 1.0) -> Tensor:
    """The AUC margin loss of a batch of N images; `logits` and `labels` are (N,).

    With h the predicted probabilities, it is the variance of h among melanomas, plus the
    variance of h among the other lesions, plus max(0, `margin` - d)², where d is the mean
    of h among melanomas minus that among the other lesions (Yuan et al. 2021,
    arXiv:2012.03173). The paper writes it with two free means and a multiplier, over all
    images; this is the same loss at their optimum within the batch. A batch with images of
    only one class has only the variance.
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
    """Return the weights of other lesions and of melanoma: n_images / (2 · n_class).

    `prevalence` is the share of melanoma. In SIIM-ISIC 2020 they are 0.509 and 28.36.
    """
    return 1 / (2 * (1 - prevalence)), 1 / (2 * prevalence)


def prior_logit(prevalence: float) -> float:
    """Return the log-odds of `prevalence`: the output bias of an untrained network."""
    return math.log(prevalence / (1 - prevalence))


def logit_shift(config: TrainConfig, prevalence: float) -> float:
    """Return the number to subtract from a logit so that it means a probability again.

    Giving both classes equal weight (class weights or oversampling) multiplies the odds
    that the network learns by (1 - p) / p, where p is `prevalence`, the share of melanoma
    among the training images (Elkan 2001, "The foundations of cost-sensitive learning",
    theorem 2). Without it (see `balances`) the result is 0.
    """
    return -prior_logit(prevalence) if balances(config) else 0.0


def balances(config: TrainConfig) -> bool:
    """Tell whether class weights or oversampling give both classes equal weight in total.

    False for a logistic head, which is fitted to the classes as they are.
    """
    return config.method == "gradient" and config.imbalance in {
        "class_weights",
        "oversample",
    }
