"""The logistic head against scikit-learn on the same features."""

from __future__ import annotations

import numpy as np
import torch

from lentigo.config import ModelConfig
from lentigo.models.network import build_model
from lentigo.training.data import Examples
from lentigo.training.logistic import features_of, fit_logistic
from tests.cohorts import disc


def examples(count: int, seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 3 == 0).astype(np.float32)
    images = np.stack([disc(rng, dark=bool(label)) for label in labels])
    return Examples(images, np.arange(count), labels, size=32)


def test_the_head_answers_what_its_row_says_and_tells_discs_apart() -> None:
    torch.manual_seed(0)
    model = build_model(ModelConfig(backbone="resnet10t", pretrained=False))
    train, validation = examples(60, 0), examples(30, 1)
    cpu = torch.device("cpu")
    row = fit_logistic(model, train, validation, batch_size=16, device=cpu)
    features = features_of(model, validation, batch_size=16, device=cpu)
    weight = model.output.weight.detach().double().numpy()[0]
    logits = features @ weight + model.output.bias.item()
    truth = validation.labels > 0.5
    loss = np.logaddexp(0, np.where(truth, -logits, logits)).mean()
    assert np.isclose(loss, row["validation_loss"], atol=1e-3)
    assert row["validation_auc"] == 1
    assert logits[truth].min() > logits[~truth].max()


def test_features_do_not_depend_on_the_batch() -> None:
    model = build_model(ModelConfig(backbone="resnet10t", pretrained=False))
    cpu = torch.device("cpu")
    one, many = (
        features_of(model, examples(7, 0), batch_size=size, device=cpu) for size in (1, 7)
    )
    assert np.allclose(one, many, atol=1e-4)
