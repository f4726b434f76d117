"""One step, one mixed batch and one line of the log, each computed by hand."""

from __future__ import annotations

import logging
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from lentigo.config import TrainConfig
from lentigo.models.batch import Batch
from lentigo.training import loop
from lentigo.training.mixing import _within, cutmix, mixed
from lentigo.training.step import gathered, over_samples, train_step

FABRIC = Fabric(accelerator="cpu", devices=1, precision="32-true")


class Line(nn.Module):
    """One weight: the answer to an image is its mean times the weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0]))

    def forward(self, images: Tensor) -> Tensor:
        return images.float().mean(dim=(1, 2, 3)) * self.weight


def batch(*levels: float) -> Batch:
    images = torch.stack([torch.full((1, 2, 2), level) for level in levels])
    return Batch(images, torch.zeros(len(levels)), torch.arange(len(levels)))


def step(slope: float, **options: Any) -> tuple[float, Tensor, float]:
    """The loss, the answers and the weight after a step of the rate 1."""
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)

    def loss(given: Tensor, labels: Tensor) -> Tensor:
        return (slope * (given - labels.repeat(len(given) // len(labels)))).mean()

    total, answers = train_step(
        FABRIC, model, batch(1, 2, 3, 6), loss, optimizer, **options
    )
    return float(total), answers, float(model.weight.detach())


def test_a_step_goes_down_the_gradient_and_tells_what_was_before_it() -> None:
    total, answers, after = step(0.5)
    # The images are 3 in the mean: loss 0.5 · 2 · 3, gradient 0.5 · 3.
    assert total == pytest.approx(3.0)
    assert answers.tolist() == [2, 4, 6, 12]
    assert after == pytest.approx(2 - 1.5)


@pytest.mark.parametrize(
    ("slope", "moved"),
    [(5 / 3 - 0.01, 4.97), (5 / 3 + 0.01, 5.0), (100.0, 5.0), (-100.0, -5.0)],
)
def test_a_gradient_longer_than_five_is_cut_to_five(slope: float, moved: float) -> None:
    assert 2 - step(slope)[2] == pytest.approx(moved, rel=1e-4)


def test_pieces_and_the_share_of_a_device_weigh_the_loss() -> None:
    assert step(0.5, micro_batch=2)[::2] == pytest.approx(step(0.5)[::2])
    total, _, after = step(0.5, share=0.5)
    assert (total, after) == pytest.approx((1.5, 2 - 0.75))


@pytest.mark.parametrize("slope", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_training(slope: float) -> None:
    with pytest.raises(FloatingPointError):
        step(slope)


class Twice(Line):
    """Answers of two dropout masks, the second four times the first."""

    def forward(self, images: Tensor) -> Tensor:
        first = super().forward(images)
        return torch.cat([first, 4 * first])


def test_answers_are_the_mean_over_the_masks_of_dropout() -> None:
    model = Twice()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    loss = over_samples(lambda given, labels: (given - labels).mean(), 2)
    total, answers = train_step(FABRIC, model, batch(1, 3), loss, optimizer, samples=2)
    assert answers.tolist() == [5, 15]  # (2 + 8) / 2 and (6 + 24) / 2
    assert float(total) == pytest.approx(10)


def test_the_loss_over_masks_is_of_all_or_of_each_alone() -> None:
    def spread(given: Tensor, labels: Tensor) -> Tensor:
        return given.max() - given.min() + 0 * labels.sum()

    given, labels = torch.tensor([0.0, 1.0, 10.0, 13.0]), torch.zeros(2)
    assert over_samples(spread, 1) is spread
    assert float(over_samples(spread, 2)(given, labels)) == 13
    assert float(over_samples(spread, 2, compares=True)(given, labels)) == 2  # (1 + 3) / 2


def test_logits_are_put_where_their_examples_are_and_others_are_unknown() -> None:
    found = gathered(FABRIC, torch.tensor([5.0, 7.0]), torch.tensor([2, 0]), count=4)
    assert found[[0, 2]].tolist() == [7, 5]
    assert np.isnan(found[[1, 3]]).all()


class Drawn:
    """Random numbers that are known: the middle of the rectangle, then the share."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = list(numbers)

    def uniform(self, low: float, high: float) -> float:
        assert low == 0
        return self.numbers.pop(0) * high

    def beta(self, one: float, two: float) -> float:
        assert one == two
        return self.numbers.pop(0)

    def integers(self, count: int) -> int:
        return int(self.numbers.pop(0))

    def permutation(self, count: int) -> np.ndarray:
        return np.roll(np.arange(count), -1)


@pytest.mark.parametrize(
    ("row", "column", "kept", "rows", "columns"),
    [
        (0.5, 0.5, 0.75, (5, 15), (10, 30)),  # half of each side, in the middle
        (0.0, 0.5, 0.875, (0, 5), (10, 30)),  # half of it is above the image
        (0.5, 1.0, 0.875, (5, 15), (30, 40)),
    ],
)
def test_a_rectangle_has_the_sides_of_the_image_times_the_root_of_its_share(
    row: float, column: float, kept: float, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    images, others = torch.zeros(1, 1, 20, 40), torch.ones(1, 1, 20, 40)
    drawn: Any = Drawn(row, column)
    pasted, share = cutmix(images, others, 0.75, rng=drawn)
    assert share == pytest.approx(kept)
    expected = torch.zeros(20, 40)
    expected[slice(*rows), slice(*columns)] = 1
    assert torch.equal(pasted[0, 0], expected)
    assert not images.any()


def test_a_piece_ends_at_the_edge_of_the_image() -> None:
    assert _within(5, 2, 10) == (3, 7)
    assert _within(1, 2, 10) == (0, 3)
    assert _within(9, 2, 10) == (7, 10)


@pytest.mark.parametrize("drawn", [0.25, 0.75])
def test_the_own_image_always_has_the_larger_share(drawn: float) -> None:
    given = Batch(
        torch.stack([torch.full((1, 4, 4), n, dtype=torch.uint8) for n in (0, 100)]),
        torch.tensor([0.0, 1.0]), torch.arange(2),
        metadata=torch.tensor([[0.0], [8.0]]), soft=torch.tensor([[0.0, 1.0], [1.0, 0.0]]),
    )  # fmt: skip
    rng: Any = Drawn(0, drawn)
    found, loss = mixed(
        given, lambda _, labels: labels.mean(), TrainConfig(mixup=0.4), rng=rng
    )
    assert found.images[:, 0, 0, 0].tolist() == [25, 75]
    assert found.labels.tolist() == [[0, 1], [1, 0]]
    assert found.metadata is not None
    assert found.metadata.flatten().tolist() == [2, 6]
    assert found.soft is not None
    assert found.soft.tolist() == [[0.25, 0.75], [0.75, 0.25]]
    assert float(loss(found.images, found.labels[:1])) == pytest.approx(0.25)


def test_a_single_image_has_no_other_to_be_mixed_with() -> None:
    one = Batch(torch.zeros(1, 1, 2, 2), torch.zeros(1), torch.arange(1))
    rng: Any = Drawn()
    assert mixed(one, torch.mean, TrainConfig(mixup=0.4), rng=rng)[0] is one


ROW = {
    "epoch": 2, "loss": 0.5, "auc": 0.75, "validation_loss": 0.625, "validation_auc": 0.7,
    "seconds": 30.0, "frozen": False,
}  # fmt: skip


def trainer(**changed: Any) -> Any:
    """As much of a trainer as is asked for words."""
    layout = SimpleNamespace(name="fold-0")
    labels = np.array(changed.pop("labels", [0.0, 1.0]))
    validation = type("Set", (), {"__len__": lambda self: len(labels), "labels": labels})()
    config = SimpleNamespace(training=TrainConfig(patience=changed.pop("patience", 0)))
    fold = SimpleNamespace(layout=layout, epochs=4, validation=validation, config=config)
    return SimpleNamespace(
        fold=fold, waited=changed.pop("waited", 0.0),
        progress=SimpleNamespace(epoch=changed.pop("epoch", 2), best_epoch=1),
        part=SimpleNamespace(steps=changed.pop("steps", 0)),
        fabric=SimpleNamespace(is_global_zero=True),
    )  # fmt: skip


def test_the_line_of_an_epoch() -> None:
    assert loop._line(ROW, trainer()) == (
        "fold-0 epoch 2/4  loss 0.5000  AUC 0.7500  |  validation loss 0.6250  "
        "AUC 0.7000  |  30 s, 1.0 min left"
    )
    said = loop._line({**ROW, "frozen": True}, trainer(labels=[]))
    assert said.endswith("AUC 0.7500  |  30 s, 1.0 min left  (frozen)")


@pytest.mark.parametrize(
    ("waited", "said"),
    [
        (0.0, ""),
        (1.49, ""),
        (1.5, " (5% waiting for images)"),
        (15, " (50% waiting for images)"),
    ],
)
def test_a_wait_for_images_is_told_from_a_twentieth_on(waited: float, said: str) -> None:
    assert loop._waiting(trainer(waited=waited), ROW) == said


@pytest.mark.parametrize(
    ("epoch", "steps", "where"),
    [(0, 0, "at the start"), (3, 0, "after epoch 3"), (3, 1, "in epoch 4, after 1 step"),
     (0, 12, "in epoch 1, after 12 steps")],
)  # fmt: skip
def test_where_a_training_is(epoch: int, steps: int, where: str) -> None:
    assert loop._where(trainer(epoch=epoch, steps=steps)) == where


@pytest.mark.parametrize(
    ("patience", "epoch", "over"),
    [(0, 99, False), (3, 3, False), (3, 4, True), (3, 5, True)],
)
def test_patience_is_over_so_many_epochs_after_the_best(
    patience: int, epoch: int, over: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert loop._patience_is_over(trainer(patience=patience, epoch=epoch)) == over
    said = f"Stopped after epoch {epoch}: no better one since epoch 1."
    assert (said in caplog.messages) == over


@pytest.mark.parametrize(
    ("labels", "said"), [([0, 1], False), ([0, 0], True), ([1, 1], True), ([], False)]
)
def test_validation_images_of_one_class_are_told_of(
    labels: list[int], said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    loop._say_one_class(trainer(labels=labels))
    assert bool(caplog.messages) == said


@pytest.mark.parametrize(
    ("changed", "monitor", "best"),
    [
        ({"validation_auc": 0.71}, "auc", True),
        ({"validation_auc": 0.7}, "auc", False),  # as good is not better
        ({"validation_auc": 0.69, "validation_loss": 0.1}, "auc", False),
        ({"validation_auc": 0.69, "validation_loss": 0.6}, "loss", True),
        ({"validation_loss": 0.625}, "loss", False),
        ({"validation_auc": math.nan, "validation_loss": 0.6}, "auc", True),
        ({"validation_auc": math.nan, "validation_loss": 0.7}, "auc", False),
    ],
)
def test_an_epoch_is_the_best_if_it_is_better_than_all_before(
    changed: dict[str, float], monitor: str, best: bool
) -> None:
    worse = {**ROW, "validation_auc": 0.6, "validation_loss": 0.9}
    assert loop._is_best({**ROW, **changed}, [worse, ROW], monitor) == best
    assert loop._is_best({**ROW, **changed}, [], monitor)


def test_the_table_of_epochs_marks_the_one_that_was_kept(tmp_path: Any) -> None:
    progress: Any = SimpleNamespace(history=[{"epoch": 1}, {"epoch": 2}], best_epoch=2)
    loop._save_history(progress, tmp_path / "metrics.csv")
    assert pd.read_csv(tmp_path / "metrics.csv")["best"].tolist() == [False, True]
