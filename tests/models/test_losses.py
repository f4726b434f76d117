"""Weights against imbalance, and taking their shift out again."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from torch.nn.functional import binary_cross_entropy_with_logits

from lentigo.config import TrainConfig
from lentigo.models.losses import (
    auc_margin_loss,
    balances,
    class_weights,
    distillation_loss,
    logit_shift,
    marginal_loss,
    prior_logit,
    weighted_bce,
)
from lentigo.training.data import Order


def test_class_weights_are_those_of_siim_isic_2020() -> None:
    benign, melanoma = class_weights(584 / 33_126)
    assert benign == pytest.approx(33_126 / (2 * 32_542))
    assert melanoma == pytest.approx(33_126 / (2 * 584))
    assert round(benign, 3) == 0.509
    assert round(melanoma, 2) == 28.36


def test_the_prior_logit_is_that_of_siim_isic_2020() -> None:
    assert prior_logit(584 / 33_126) == pytest.approx(math.log(584 / 32_542))


def test_without_weights_it_is_the_ordinary_cross_entropy() -> None:
    logits, labels = torch.tensor([-2.0, 0.5, 3.0]), torch.tensor([0.0, 1.0, 0.0])
    ours = weighted_bce(logits, labels, weights=(1.0, 1.0))
    assert torch.isclose(ours, binary_cross_entropy_with_logits(logits, labels))


@pytest.mark.parametrize("imbalance", ["class_weights", "oversample"])
def test_what_weights_promise_is_brought_back_to_the_prior(imbalance: str) -> None:
    """The best constant answer under the weighted loss, corrected, is the prevalence."""
    prevalence = 0.02
    config = TrainConfig(imbalance=imbalance)  # type: ignore[arg-type]
    logits = np.linspace(-8, 8, 16_001)
    weights = class_weights(prevalence)
    loss = prevalence * weights[1] * np.logaddexp(0, -logits)
    loss += (1 - prevalence) * weights[0] * np.logaddexp(0, logits)
    corrected = logits[loss.argmin()] - logit_shift(config, prevalence)
    assert 1 / (1 + np.exp(-corrected)) == pytest.approx(prevalence, rel=0.01)


@pytest.mark.parametrize("imbalance", ["none", "bias"])
def test_without_weights_there_is_nothing_to_correct(imbalance: str) -> None:
    config = TrainConfig(imbalance=imbalance)  # type: ignore[arg-type]
    assert logit_shift(config, 0.02) == 0


def test_a_logistic_head_sees_the_classes_as_they_are() -> None:
    for imbalance in ("none", "bias", "class_weights", "oversample"):
        config = TrainConfig(method="logistic", imbalance=imbalance)
        assert logit_shift(config, 0.02) == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("imbalance", ["none", "bias", "class_weights", "oversample"])
def test_the_mean_probability_is_the_prevalence(imbalance: str, smoothing: float) -> None:
    """A regression on one number, under each loss and the draws that go with it."""
    rng = np.random.default_rng(0)
    labels = (rng.random(2_000) < 0.1).astype(np.float32)
    numbers = torch.tensor(rng.normal(size=2_000) + labels)
    config = TrainConfig(imbalance=imbalance, label_smoothing=smoothing)  # type: ignore[arg-type]
    prevalence = float(labels.mean())
    order = Order(
        labels, epoch_images=18_000, batch_size=18_000, seed=0,
        alike=imbalance == "oversample",
    )  # fmt: skip
    drawn = torch.tensor([place for batch in order.epoch(0) for place, _ in batch])
    weights = class_weights(prevalence) if imbalance == "class_weights" else (1.0, 1.0)
    line = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([line], max_iter=50)

    def loss() -> torch.Tensor:
        solver.zero_grad()
        value = weighted_bce(
            line[0] + line[1] * numbers[drawn],
            torch.from_numpy(labels)[drawn],
            weights=weights,
            smoothing=smoothing,
            towards=0.5 if balances(config) else prevalence,
        )
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(loss)  # type: ignore[no-untyped-call]
    logits = (line[0] + line[1] * numbers).detach() - logit_shift(config, prevalence)
    mean = float(torch.sigmoid(logits).mean())
    assert mean == pytest.approx(
        prevalence, rel=0.25 if smoothing and balances(config) else 0.05
    )


PARTLY = torch.tensor([[True, False, False], [False, True, True], [True, True, True]])
"""Labels: the first class, one of the two others, any."""


def test_a_label_that_allows_two_classes_is_learnt_by_their_sum() -> None:
    """Of probabilities 1/8, 2/8 and 5/8: -log of 1/8, of 7/8 and of 1."""
    scores = torch.log(torch.tensor([[1.0, 2.0, 5.0]] * 3))
    losses = [
        marginal_loss(scores[:1], torch.tensor([label]), allowed=PARTLY).item()
        for label in range(3)
    ]
    assert losses == pytest.approx([math.log(8), math.log(8 / 7), 0.0], abs=1e-6)
    whole = marginal_loss(scores, torch.arange(3), allowed=PARTLY)
    assert whole.item() == pytest.approx(sum(losses) / 3)


def test_of_exact_labels_the_marginal_loss_is_the_cross_entropy() -> None:
    scores, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    ours = marginal_loss(scores, labels, allowed=torch.eye(3, dtype=torch.bool))
    assert torch.isclose(ours, torch.nn.functional.cross_entropy(scores, labels))


def test_classes_that_a_label_allows_are_not_pushed_apart() -> None:
    scores = torch.zeros(1, 3, requires_grad=True)
    loss = marginal_loss(scores, torch.tensor([1]), allowed=PARTLY)
    loss.backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad.tolist()[0] == pytest.approx([1 / 3, -1 / 6, -1 / 6])


def test_smoothing_is_a_cross_entropy_towards_the_shares() -> None:
    scores = torch.log(torch.tensor([[1.0, 2.0, 5.0]]))
    found = marginal_loss(
        scores, torch.tensor([0]), allowed=PARTLY, smoothing=0.1,
        towards=torch.tensor([0.5, 0.5, 0.0]),
    )  # fmt: skip
    assert found.item() == pytest.approx(
        0.9 * math.log(8) + 0.1 * (0.5 * math.log(8) + 0.5 * math.log(4))
    )


EIGHTHS = torch.log(torch.tensor([[1.0, 2.0, 5.0]]))
"""Scores of probabilities 1/8, 2/8 and 5/8."""


def test_focal_counts_what_is_right_already_for_less() -> None:
    """Of 1/8, 7/8 allowed: -log p times the square of 7/8, 1/8."""
    for label, p in ((0, 1 / 8), (1, 7 / 8)):
        found = marginal_loss(EIGHTHS, torch.tensor([label]), allowed=PARTLY, focus=2.0)
        assert found.item() == pytest.approx(-math.log(p) * (1 - p) ** 2, abs=1e-6)


def test_focal_of_two_classes_is_that_of_one_logit() -> None:
    """Checked against the formula of Lin et al. at p = 0.9 and 0.1."""
    logits = torch.tensor([math.log(9.0), math.log(9.0)])
    labels = torch.tensor([1.0, 0.0])
    each = [
        weighted_bce(logits[n : n + 1], labels[n : n + 1], weights=(1, 1), focus=2.0).item()
        for n in range(2)
    ]
    assert each == pytest.approx([-math.log(0.9) * 0.01, -math.log(0.1) * 0.81], rel=1e-5)
    two = torch.stack([torch.zeros(2), logits], dim=1)
    both = marginal_loss(
        two, labels.long(), allowed=torch.eye(2, dtype=torch.bool), focus=2.0
    )
    assert both.item() == pytest.approx(sum(each) / 2, rel=1e-5)


def test_a_certain_image_has_a_gradient_that_is_a_number() -> None:
    scores = torch.tensor([[100.0, 0.0, 0.0]], requires_grad=True)
    loss = marginal_loss(scores, torch.tensor([0]), allowed=PARTLY, focus=0.5)
    loss.backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()


def test_the_logit_adjusted_loss_is_that_of_the_paper() -> None:
    """Equation 10 of Menon et al.: -log of pi_y e^f_y over the sum of pi e^f."""
    shares = torch.tensor([0.7, 0.2, 0.1])
    found = marginal_loss(
        EIGHTHS, torch.tensor([0]), allowed=PARTLY, offset=torch.log(shares)
    )
    weighed = 0.7 * 1 + 0.2 * 2 + 0.1 * 5
    assert found.item() == pytest.approx(-math.log(0.7 / weighed), rel=1e-6)


def test_of_one_logit_the_adjustment_is_the_prior() -> None:
    found = weighted_bce(
        torch.zeros(1), torch.ones(1), weights=(1, 1), offset=prior_logit(0.02)
    )
    assert found.item() == pytest.approx(-math.log(0.02), rel=1e-5)


def logits_of(*probabilities: float) -> torch.Tensor:
    return torch.logit(torch.tensor(probabilities))


def test_the_margin_loss_by_hand() -> None:
    """Melanomas 0.6 and 0.8, others 0.1 and 0.3: variances 0.01 each, 0.5 lack to 1."""
    logits, labels = logits_of(0.6, 0.8, 0.1, 0.3), torch.tensor([1.0, 1, 0, 0])
    found = auc_margin_loss(logits, labels)
    assert found.item() == pytest.approx(0.01 + 0.01 + (1 - 0.5) ** 2, abs=1e-6)
    assert auc_margin_loss(logits, labels, margin=0.4).item() == pytest.approx(0.02)


def test_the_margin_loss_is_the_best_of_the_papers_saddle() -> None:
    """The paper's function of two means and a multiplier, minimised and maximised."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, generator=generator)
    labels = (torch.arange(40) % 4 == 0).float()
    h, ours = torch.sigmoid(logits), auc_margin_loss(logits, labels).item()
    melanoma = labels > 0.5
    a, b = h[melanoma].mean(), h[~melanoma].mean()  # where the squares are least

    def papers(alpha: float) -> float:
        squares = ((h[melanoma] - a) ** 2).mean() + ((h[~melanoma] - b) ** 2).mean()
        return (squares + 2 * alpha * (1 + b - a) - alpha**2).item()

    assert ours == pytest.approx(max(papers(x / 1000) for x in range(2000)), abs=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_distillation_is_the_divergence_times_the_square_of_the_temperature(
    temperature: float,
) -> None:
    """SciPy's divergence of two images with three classes each."""
    teacher = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0]])
    student = torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.5, 3.0]])
    soft = torch.softmax(teacher / temperature, dim=1)
    own = torch.softmax(student / temperature, dim=1)
    found = distillation_loss(student, soft, temperature=temperature)
    expected = temperature**2 * entropy(soft[0], own[0]) / 2  # the second one is equal
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_distillation_has_the_gradient_of_the_paper() -> None:
    """T (q - p) / N, and at a high temperature (z - v) / (N K): equations 2 and 4."""
    student = torch.tensor([[1.0, -1.0], [3.0, -3.0]], requires_grad=True)
    teacher = torch.tensor([[2.0, -2.0], [-1.0, 1.0]])
    for temperature in (2.0, 1000.0):
        soft = torch.softmax(teacher / temperature, dim=1)
        loss = distillation_loss(student, soft, temperature=temperature)
        (found,) = torch.autograd.grad(loss, student)
        own = torch.softmax(student / temperature, dim=1)
        torch.testing.assert_close(
            found, temperature * (own - soft) / 2, atol=1e-4, rtol=1e-3
        )
    torch.testing.assert_close(found, (student - teacher) / (2 * 2), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_batch_of_one_class_has_a_variance_only(label: float) -> None:
    found = auc_margin_loss(logits_of(0.2, 0.4), torch.full((2,), label))
    assert found.item() == pytest.approx(0.01)
