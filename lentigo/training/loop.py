"""The training loop: epochs, the judging between them, the best weights, early stopping."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn

from lentigo.config import Config
from lentigo.evaluation.discrimination import auc
from lentigo.inference.model_folder import write_weights
from lentigo.modeling.backbone import Classifier
from lentigo.modeling.losses import class_weights, logit_shift, prior_logit, weighted_bce
from lentigo.modeling.weights import read_weights
from lentigo.progress import Meter, log
from lentigo.tables import write_table
from lentigo.training.checkpoint import (
    Progress,
    Row,
    fitting,
    load_checkpoint,
    save_checkpoint,
)
from lentigo.training.data import Examples, Order, in_order, load, worker_count
from lentigo.training.schedule import (
    build_optimizer,
    epoch_length,
    learning_rate,
    set_rate,
    start_at_prior,
)
from lentigo.training.step import (
    everywhere,
    gathered,
    predict_logits,
    set_mode,
    train_step,
)


@dataclass
class Fold:
    """What one training works on: its folder, its settings, its images."""

    folder: Path
    config: Config
    train: Examples
    validation: Examples
    channels_last: bool = False

    @property
    def prevalence(self) -> float:
        """The share of melanoma among the training images."""
        return float(self.train.labels.mean())

    @property
    def shift(self) -> float:
        """What is subtracted from a logit so that it means a probability."""
        return logit_shift(self.config.training, self.prevalence)


class Trainer:
    """Everything that moves while a fold is trained."""

    def __init__(self, fabric: Fabric, model: Classifier, fold: Fold) -> None:
        self.fabric, self.model, self.fold, self.progress = fabric, model, fold, Progress()
        config = fold.config.training
        self.optimizer = build_optimizer(model, config)
        weights = (1.0, 1.0)
        if config.imbalance == "class_weights":
            weights = class_weights(fold.prevalence)
        elif config.imbalance == "bias":
            start_at_prior(model.output, prior_logit(fold.prevalence))
        self.loss = partial(weighted_bce, weights=weights, smoothing=config.label_smoothing)
        self.order = Order(
            fold.train.labels,
            epoch_images=epoch_length(config, len(fold.train)),
            batch_size=min(config.batch_size, len(fold.train)),
            seed=fold.config.seed,
            alike=config.imbalance == "oversample",
        )
        if fold.channels_last:
            model.to(memory_format=torch.channels_last)
        model.to(fabric.device)
        self.average = (
            ModelEmaV3(model, decay=config.average, use_warmup=True)
            if config.average
            else None
        )
        self._wrapped: tuple[nn.Module, torch.optim.Optimizer] | None = None
        self._frozen = False

    @property
    def judged(self) -> nn.Module:
        """The network whose answers count: the moving average where there is one."""
        return self.average.module if self.average is not None else self.model

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where a checkpoint was written."""
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])

    def epoch(self) -> Row:
        """Train one epoch, judge it, and return its row of `metrics.csv`."""
        start = time.perf_counter()
        epoch = self.progress.epoch
        frozen = epoch < self.fold.config.training.frozen_epochs
        # Dropout draws from the global generator: seeded anew, a resumed run draws alike.
        torch.manual_seed(self._seed_of(epoch))
        losses, logits, places, rate = self._learn(epoch, frozen)
        row = self._judge()
        labels = self.fold.train.labels[places] > 0.5
        return {
            "epoch": epoch + 1,
            "loss": float(losses.mean()),
            "auc": float(auc(labels, logits)),
            **row,
            "learning_rate": rate,
            "seconds": round(time.perf_counter() - start, 2),
            "frozen": frozen,
        }

    def _seed_of(self, epoch: int) -> int:
        # No two (epoch, device) share one.
        steps = self.fold.config.seed * 1_000_003 + epoch
        return steps * self.fabric.world_size + self.fabric.global_rank

    def _learn(
        self, epoch: int, frozen: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], float]:
        model, optimizer = self._ready(frozen)
        config, fabric = self.fold.config.training, self.fabric
        batches = self.order.epoch(epoch, rank=fabric.global_rank, world=fabric.world_size)
        losses: list[Tensor] = []
        logits: list[Tensor] = []
        places: list[Tensor] = []
        rate = math.nan
        label = f"epoch {epoch + 1}/{config.epochs}"
        workers = worker_count(fabric.device, config.workers)
        quiet = not fabric.is_global_zero
        with Meter(total=len(batches), label=label, quiet=quiet) as meter:
            read = load(self.fold.train, batches, workers=workers, device=fabric.device)
            for nth, batch in enumerate(read):
                step = epoch * len(batches) + nth
                rate = learning_rate(config, step, steps_per_epoch=len(batches))
                set_rate(optimizer, rate)
                loss, answer = train_step(fabric, model, batch, self.loss, optimizer)
                if self.average is not None:
                    self.average.update(self.model, step=step)
                losses.append(loss)
                logits.append(answer)
                places.append(batch.places)
                if meter.live and (nth % 10 == 0 or nth + 1 == len(batches)):
                    meter.step_to(
                        nth + 1, said=_so_far(losses, logits, places, self.fold.train)
                    )
        return (
            everywhere(fabric, torch.stack(losses)).double().numpy(),
            everywhere(fabric, torch.cat(logits)).double().numpy(),
            everywhere(fabric, torch.cat(places)).numpy(),
            rate,
        )

    def _ready(self, frozen: bool) -> tuple[nn.Module, torch.optim.Optimizer]:
        set_mode(self.model, frozen=frozen)
        if self._wrapped is None or self._frozen != frozen:
            # Which weights learn is fixed when devices agree on their buckets, so a change
            # of phase has to be announced anew.
            optimizer: Any = self.fabric.setup_optimizers(self.optimizer)
            self._wrapped = (self.fabric.setup_module(self.model), optimizer)
            self._frozen = frozen
        return self._wrapped

    def _judge(self) -> Row:
        logits = self.predict(self.fold.validation)
        labels = self.fold.validation.labels
        loss = weighted_bce(
            torch.from_numpy(logits), torch.from_numpy(labels).double(), weights=(1.0, 1.0)
        )
        return {
            "validation_loss": float(loss),
            "validation_auc": float(auc(labels > 0.5, logits)),
        }

    def predict(self, examples: Examples, *, exact: bool = False) -> NDArray[np.float64]:
        """The logits of `examples`, corrected to mean probabilities, (N,).

        `exact` computes in 32 bits, as the finished model will, whatever trains faster.
        """
        config, fabric = self.fold.config.training, self.fabric
        batches = in_order(
            len(examples),
            batch_size=2 * config.batch_size,
            rank=fabric.global_rank,
            world=fabric.world_size,
        )
        workers = worker_count(fabric.device, config.workers)
        read = load(examples, batches, workers=workers, device=fabric.device)
        logits, places = predict_logits(
            self.judged,
            read,
            mirror=config.flip_predictions,
            context=nullcontext() if exact else fabric.autocast(),
        )
        return gathered(fabric, logits, places, count=len(examples)) - self.fold.shift


def fit(trainer: Trainer) -> None:
    """Train a fold to its end, going on from its checkpoint where there is one.

    Leaves `best.safetensors`, `checkpoint.pt` and `metrics.csv` in the fold's folder and
    the best weights in the trainer's network.
    """
    fold, progress, fabric = trainer.fold, trainer.progress, trainer.fabric
    checkpoint = fold.folder / "checkpoint.pt"
    if checkpoint.is_file():
        state = load_checkpoint(checkpoint)
        with fitting(checkpoint):
            trainer.restore(state)
        vars(progress).update(state["progress"])
        log.info("%s goes on after epoch %d.", fold.folder.name, progress.epoch)
    while progress.epoch < fold.config.training.epochs and not _patience_is_over(trainer):
        row = trainer.epoch()
        best = _is_best(row, progress.history, fold.config.training.monitor)
        progress.history.append(row)
        progress.epoch += 1
        if best:
            progress.best_epoch = progress.epoch
        if fabric.is_global_zero:
            log.info("%s", _line(row, trainer))
            if best:
                write_weights(trainer.judged, fold.folder / "best.safetensors")
            _save_history(progress, fold.folder / "metrics.csv")
            save_checkpoint(
                checkpoint,
                progress,
                model=trainer.model,
                average=trainer.average,
                optimizer=trainer.optimizer,
            )
        fabric.barrier()
    best_weights = fold.folder / "best.safetensors"
    state = read_weights(best_weights)
    with fitting(best_weights):
        trainer.judged.load_state_dict(state)


def _is_best(row: Row, history: list[Row], monitor: str) -> bool:
    if not history:
        return True
    if monitor == "loss":
        return row["validation_loss"] < min(past["validation_loss"] for past in history)
    return row["validation_auc"] > max(past["validation_auc"] for past in history)


def _patience_is_over(trainer: Trainer) -> bool:
    patience = trainer.fold.config.training.patience
    progress = trainer.progress
    if not patience or progress.epoch - progress.best_epoch < patience:
        return False
    if trainer.fabric.is_global_zero:
        log.info(
            "Stopped after epoch %d: no better one since epoch %d.",
            progress.epoch,
            progress.best_epoch,
        )
    return True


def _save_history(progress: Progress, path: Path) -> None:
    table = pd.DataFrame(progress.history)
    table["best"] = table["epoch"] == progress.best_epoch
    write_table(table, path)


def _line(row: Row, trainer: Trainer) -> str:
    epochs = trainer.fold.config.training.epochs
    left = (epochs - row["epoch"]) * row["seconds"] / 60
    return (
        f"{trainer.fold.folder.name} epoch {row['epoch']}/{epochs}  "
        f"loss {row['loss']:.4f}  AUC {row['auc']:.4f}  |  "
        f"validation loss {row['validation_loss']:.4f}  AUC {row['validation_auc']:.4f}"
        f"  |  {row['seconds']:.0f} s, {left:.1f} min left"
        f"{'  (frozen)' if row['frozen'] else ''}"
    )


def _so_far(
    losses: list[Tensor], logits: list[Tensor], places: list[Tensor], examples: Examples
) -> str:
    seen = torch.cat(places).cpu().numpy()
    scores = torch.cat(logits).cpu().double().numpy()
    rank = auc(examples.labels[seen] > 0.5, scores)
    return f"loss {float(torch.stack(losses[-50:]).mean()):.4f}  AUC {rank:.4f}"
