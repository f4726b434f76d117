"""One fold in training: it diverges in words, stops between steps, and goes on alike."""

from __future__ import annotations

import math
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lentigo.config import Config
from lentigo.errors import RunError
from lentigo.models.folder import write_weights
from lentigo.models.network import build_model
from lentigo.run_layout import FoldLayout
from lentigo.stopping import Terminated, listening
from lentigo.training import averaging, network
from lentigo.training.arithmetic import Arithmetic
from lentigo.training.checkpoint import load_checkpoint, previous_of, save_checkpoint
from lentigo.training.data import Examples
from lentigo.training.divergence import check_not_diverged
from lentigo.training.fabric import make_fabric
from lentigo.training.fold import Fold
from lentigo.training.loop import fit
from lentigo.training.schedule import first_settled
from lentigo.training.trainer import Trainer
from tests.cohorts import disc, tiny_config


def examples(count: int, seed: int, *, every: int = 3) -> Examples:
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % every == 0).astype(np.float32)
    images = np.array([disc(rng, dark=bool(label)) for label in labels])
    return Examples(images, np.arange(count), labels, size=32)


def trainer(folder: Path, config: Config, *, validation: Examples | None = None) -> Trainer:
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    fold = Fold(FoldLayout(folder), config, examples(21, 0), validation or examples(12, 1))
    fabric = make_fabric(config.training, Arithmetic(device="cpu"))
    return Trainer(fabric, build_model(config.model), fold)


def settings(**more: Any) -> Config:
    return tiny_config(training__batch_size=8, **more)


def test_divergence_names_rate_and_epoch_and_is_never_resumed(tmp_path: Path) -> None:
    config = settings(
        training__learning_rate=1e3, training__optimizer="sgd", training__epochs=6,
        training__schedule="constant", training__average=0.0,
    )  # fmt: skip
    said = r"fold-0 diverged: from epoch \d on .* no number .* learning rate of 1000\."
    with pytest.raises(RunError, match=said):
        fit(trainer(tmp_path / "fold-0", config))
    with pytest.raises(RunError, match=f"cannot be resumed: {said}"):
        check_not_diverged(FoldLayout(tmp_path / "fold-0"))
    history = tmp_path / "fold-0" / "metrics.csv"
    if history.is_file():  # the epochs before
        assert pd.read_csv(history)["validation_auc"].notna().all()


def test_answers_that_are_no_numbers_are_never_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where only the batch statistics have overflowed: every loss was a number."""
    fold = trainer(tmp_path / "fold-0", settings(training__epochs=1))
    monkeypatch.setattr(fold, "predict", lambda *_, **__: np.array([math.nan] * 12))
    with pytest.raises(RunError, match="from epoch 1 on the network answers what is no"):
        fit(fold)
    assert [path.name for path in (tmp_path / "fold-0").iterdir()] == ["diverged.json"]


def test_of_one_class_the_loss_says_which_epoch_is_the_best(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    of_one = examples(6, 2, every=100)
    of_one.labels[:] = 0
    fold = trainer(tmp_path / "fold-0", settings(training__epochs=3), validation=of_one)
    with caplog.at_level("INFO", logger="lentigo"):
        fit(fold)
    losses = [row["validation_loss"] for row in fold.progress.history]
    assert fold.progress.best_epoch == 1 + int(np.argmin(losses))
    assert all(math.isnan(row["validation_auc"]) for row in fold.progress.history)
    assert "all of one class" in caplog.text


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Send ourselves SIGTERM in the middle of a step."""
    taken = 0
    take = Trainer._step

    def step(self: Trainer, *arguments: Any) -> None:
        nonlocal taken
        taken += 1
        if taken == steps:
            os.kill(os.getpid(), signal.SIGTERM)
        take(self, *arguments)

    monkeypatch.setattr(Trainer, "_step", step)


STOPPED = settings(
    training__epochs=2, model__dropout=0.3, model__dropout_samples=2, model__pooling="gem",
    training__average=0.9, training__mixup=0.4, training__cutmix=1.0,
    training__layer_decay=0.8, training__loss="focal",
    augment__erase=0.4, augment__constancy=0.5, augment__hair=0.5, augment__ruler=0.5,
)  # fmt: skip


GROWING = settings(
    training__epochs=3, training__average=0.0, training__swa=0.6, model__dropout=0.3,
    training__progressive=0.5, training__image_size=64,
)  # fmt: skip
"""Epochs 2 and 3 are averaged; the first has images of half the side."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Trainer]:
    """Two trainings that were not stopped: without and with images that grow."""
    found = {False: STOPPED, True: GROWING}
    folder = tmp_path_factory.mktemp("whole")
    folds = {key: trainer(folder / f"{key}", config) for key, config in found.items()}
    for fold in folds.values():
        fit(fold)
    return folds


@pytest.mark.parametrize(
    ("steps", "grows"),
    [(2, False), (3, False), (4, False), (6, True)],
)
def test_a_stopped_training_goes_on_from_that_very_step(
    steps: int,
    grows: bool,
    whole: dict[bool, Trainer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config, expected = (GROWING if grows else STOPPED), whole[grows]
    with monkeypatch.context() as patched:
        stop_after(patched, steps)
        with (
            pytest.raises(Terminated, match=r"Stopped; fold-0 is saved as it was .*resume"),
            listening(),
        ):
            fit(trainer(tmp_path / "fold-0", config))
    resumed = trainer(tmp_path / "fold-0", config)
    fit(resumed)
    found, wanted = resumed.progress.history, expected.progress.history
    for ours, theirs in zip(found, wanted, strict=True):
        assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}
    weights = resumed.judged.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in expected.judged.state_dict().items())


def test_stopping_while_batch_statistics_are_computed_averages_no_epoch_twice(
    whole: dict[bool, Trainer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(averaging, "stop_if_asked", _stop)
        with pytest.raises(Terminated, match="in epoch 2, after 3 steps"):
            fit(trainer(tmp_path / "fold-0", GROWING))
    resumed = trainer(tmp_path / "fold-0", GROWING)
    fit(resumed)
    assert resumed.swa is not None
    assert resumed.swa.epochs == 2
    weights = resumed.judged.state_dict()
    wanted = whole[True].judged.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in wanted.items())


def _stop() -> None:
    raise Terminated


def test_a_checkpoint_of_another_network_is_refused_in_one_line(tmp_path: Path) -> None:
    config = settings(training__epochs=1)
    fold = trainer(tmp_path / "fold-0", config)
    fit(fold)
    path = tmp_path / "fold-0" / "checkpoint.pt"
    progress, state = load_checkpoint(path)
    other = {**state["model"], "head.1.weight": torch.zeros(1, 7)}
    wrong: list[dict[str, Any]] = [
        {"model": other},
        {"optimizer": {"state": {}}},
        {"average": None},
        {"model": 3},
    ]
    for change in wrong:
        save_checkpoint(path, progress, {**state, **change})
        previous_of(path).unlink()
        with pytest.raises(RunError, match="is no checkpoint of this run"):
            fit(trainer(tmp_path / "fold-0", config))


def test_best_weights_of_another_network_are_refused_in_one_line(tmp_path: Path) -> None:
    config = settings(training__epochs=1)
    fold = trainer(tmp_path / "fold-0", config)
    fit(fold)
    write_weights(torch.nn.Linear(2, 1), FoldLayout(tmp_path / "fold-0").best)
    with pytest.raises(RunError, match="weights of another network"):
        fit(trainer(tmp_path / "fold-0", config))


@pytest.mark.parametrize("imbalance", ["bias", "class_weights", "oversample"])
def test_a_logistic_head_answers_the_share_of_melanomas_whatever_is_set(
    imbalance: str, tmp_path: Path
) -> None:
    config = settings(
        training__method="logistic", training__imbalance=imbalance, training__average=0.9
    )
    fold = trainer(tmp_path / "fold-0", config)
    network._fit_logistic(fold)
    shown = 1 / (1 + np.exp(-fold.answers(fold.fold.train)[0]))
    # Without the mirror images it would be the share itself.
    assert shown.mean() == pytest.approx(fold.fold.prevalence, abs=0.02)
    assert (shown[::3] > shown[1::3]).mean() > 0.9


@pytest.mark.parametrize(
    "more", [{"training__swa": 0.4}, {"training__progressive": 0.5}], ids=str
)
def test_patience_begins_where_results_can_be_compared(
    more: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first epoch seems best; of five the last two are averaged, or see it all."""
    config = settings(
        training__epochs=5, training__patience=1, training__average=0.0,
        training__image_size=64, **more,
    )  # fmt: skip
    best = iter([0.9, 0.5, 0.5, 0.5, 0.5])
    monkeypatch.setattr(
        Trainer, "_judge",
        lambda _: {"validation_loss": 1.0, "validation_auc": next(best)},
    )  # fmt: skip
    fold = trainer(tmp_path / "fold-0", config)
    fit(fold)
    assert len(fold.progress.history) == first_settled(config.training) + 1 >= 4


def holding(most: int, fold: Trainer, *, asked: list[int]) -> Trainer:
    """Let the memory hold `most` images where nothing learns, and note what is asked."""

    def full(_: object, given: tuple[torch.Tensor]) -> None:
        if not torch.is_grad_enabled():
            asked.append(len(given[0]))
            if len(given[0]) > most:
                raise torch.OutOfMemoryError("CUDA out of memory. (pretended)")

    fold.model.backbone.register_forward_pre_hook(full)
    return fold


SHORT = {"training__epochs": 2, "training__views": 1, "training__average": 0.0}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"training__frozen_epochs": 2, "training__frozen_views": 1},
        {"training__swa": 0.5},
    ],
)
def test_images_are_judged_within_the_memory(tmp_path: Path, more: dict[str, Any]) -> None:
    """A batch of 8 is judged 16 at once, of which the memory holds 4."""
    asked: list[int] = []
    fold = trainer(tmp_path / "fold-0", settings(**SHORT, **more))
    fit(holding(4, fold, asked=asked))
    assert max(asked) == (12 if not fold.frozen.keeps(0) else 8)
    assert asked[-1] <= 4
    assert len(fold.progress.history) == 2
    plain = trainer(tmp_path / "plain", settings(**SHORT, **more))
    fit(plain)
    for ours, theirs in zip(fold.progress.history, plain.progress.history, strict=True):
        tolerance = 0.2 if fold.swa else 1e-5  # batch statistics are those of 4 images
        assert ours["validation_loss"] == pytest.approx(
            theirs["validation_loss"], abs=tolerance
        )


def test_what_is_processed_at_once_is_also_judged_so(tmp_path: Path) -> None:
    asked: list[int] = []
    fold = trainer(tmp_path / "fold-0", settings(training__micro_batch=2, **SHORT))
    fit(holding(99, fold, asked=asked))
    assert max(asked) == 4


def test_an_epoch_that_cannot_be_judged_is_kept_and_goes_on_in_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trainer(tmp_path / "whole", STOPPED)
    fit(whole)

    def full(_self: Trainer, *_: Any, **__: Any) -> None:
        raise RunError("The memory of cuda does not hold 1 image at once.")

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "predict", full)
        with pytest.raises(RunError, match="does not hold 1 image at once"):
            fit(trainer(tmp_path / "fold-0", STOPPED))
    state = load_checkpoint(tmp_path / "fold-0" / "checkpoint.pt")[1]
    assert state["part"]["steps"] == 3
    resumed = trainer(tmp_path / "fold-0", STOPPED)
    fit(resumed)
    weights = resumed.judged.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in whole.judged.state_dict().items())


@pytest.mark.parametrize("damage", ["torn", "missing"])
def test_where_the_checkpoint_is_damaged_the_one_before_ends_in_the_same_bits(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Stopped in the second epoch: the checkpoint before is that of the first."""
    whole = trainer(tmp_path / "whole", STOPPED)
    fit(whole)
    with monkeypatch.context() as patched:
        stop_after(patched, 5)
        with pytest.raises(Terminated, match="resume"), listening():
            fit(trainer(tmp_path / "fold-0", STOPPED))
    path = tmp_path / "fold-0" / "checkpoint.pt"
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.unlink()
    resumed = trainer(tmp_path / "fold-0", STOPPED)
    with caplog.at_level("INFO", logger="lentigo"):
        fit(resumed)
    assert ("The one before it is taken." in caplog.text) == (damage == "torn")
    assert "fold-0 goes on after epoch 1." in caplog.text
    weights = resumed.judged.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in whole.judged.state_dict().items())
    names = {each.name for each in (tmp_path / "fold-0").iterdir()}
    assert names == {each.name for each in (tmp_path / "whole").iterdir()}
