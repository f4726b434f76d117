"""Mixup and CutMix on images of one grey level each, so that shares can be read off."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from lentigo.config import TrainConfig, with_settings
from lentigo.errors import ConfigError
from lentigo.models.batch import Batch
from lentigo.recipes import recipe
from lentigo.training.mixing import cutmix, mixed, mixup

LEVELS = (0, 100, 200)


def batch() -> Batch:
    images = torch.stack(
        [torch.full((3, 10, 10), level, dtype=torch.uint8) for level in LEVELS]
    )
    return Batch(images, torch.tensor([0.0, 1.0, 2.0]), torch.arange(3))


def label(_given: Tensor, labels: Tensor) -> Tensor:
    """A loss that is the mean label, so that the share of the others can be read off."""
    return labels.mean()


def test_mixup_is_the_weighted_mean() -> None:
    images = batch().images
    found = mixup(images, images[[1, 2, 0]], 0.75)
    # 0.75 · 0 + 0.25 · 100, 0.75 · 100 + 0.25 · 200, 0.75 · 200 + 0.25 · 0
    assert found[:, 0, 0, 0].tolist() == [25, 125, 150]
    assert found.dtype == torch.uint8


def test_cutmix_keeps_what_it_says() -> None:
    images = batch().images
    for seed in range(50):
        found, kept = cutmix(
            images, images[[1, 2, 0]], 0.75, rng=np.random.default_rng(seed)
        )
        same = (found == images).float().mean(dim=(1, 2, 3))
        assert same.tolist() == pytest.approx([kept] * 3)
        assert kept >= 0.7  # a quarter of 100 pixels, rounded, or less at the edge


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_the_loss_is_weighted_as_the_images_are(kind: str) -> None:
    """A label is the level of its image / 100, so the mixed one tells the mixed level."""
    config = TrainConfig(**{kind: 1.0})  # type: ignore[arg-type]
    for seed in range(20):
        given = batch()
        found, loss = mixed(given, label, config, rng=np.random.default_rng(seed))
        assert torch.equal(found.labels[:, 0], given.labels)
        for n in range(3):
            level = found.images[n].float().mean().item()
            told = float(loss(found.images, found.labels[n : n + 1]))
            assert level == pytest.approx(100 * told, abs=0.6)


def test_one_draw_can_be_followed_by_hand() -> None:
    rng = np.random.default_rng(3)
    rng.integers(1)
    share = rng.beta(0.4, 0.4)
    share, partner = max(share, 1 - share), rng.permutation(3)
    found, loss = mixed(
        batch(), label, TrainConfig(mixup=0.4), rng=np.random.default_rng(3)
    )
    wanted = [share * LEVELS[n] + (1 - share) * LEVELS[partner[n]] for n in range(3)]
    assert found.images[:, 0, 0, 0].tolist() == pytest.approx(wanted, abs=0.5)
    told = [float(loss(found.images, found.labels[n : n + 1])) for n in range(3)]
    assert told == pytest.approx([level / 100 for level in wanted])


def test_without_mixing_nothing_changes() -> None:
    given = batch()
    found, loss = mixed(given, label, TrainConfig(), rng=np.random.default_rng(0))
    assert found is given
    assert loss is label


def test_kept_features_are_not_mixed() -> None:
    with pytest.raises(ConfigError, match="frozen_views keeps the features"):
        with_settings(recipe("seed"), {"training.mixup": 0.2})


def test_a_rectangle_within_the_image_has_the_sides_of_the_paper() -> None:
    """With a quarter to paste it is half as high and half as wide as the image."""
    images = torch.zeros(1, 1, 16, 8, dtype=torch.uint8)
    whole = 0
    for seed in range(50):
        drawn = np.random.default_rng(seed)
        found, _ = cutmix(images, images + 1, 0.75, rng=drawn)
        row, column = np.random.default_rng(seed).uniform(0, (16, 8))
        if 4 <= row <= 12 and 2 <= column <= 6:
            whole += 1
            assert int(found.sum()) == 32
            assert int(found[0, 0].any(dim=1).sum()) == 8
    assert whole > 5
