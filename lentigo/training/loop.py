"""The training loop: epochs, the best weights among them, early stopping."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import pandas as pd

from lentigo.errors import LentigoError, RunError
from lentigo.models.folder import write_weights
from lentigo.models.weights import read_weights
from lentigo.progress import log
from lentigo.stopping import deferred, stop_if_asked
from lentigo.tables import write_table
from lentigo.training.checkpoint import (
    Progress,
    Row,
    load_checkpoint,
    previous_of,
    save_checkpoint,
)
from lentigo.training.fold import Part
from lentigo.training.schedule import first_settled
from lentigo.training.trainer import Trainer
from lentigo.words import counted


def fit(trainer: Trainer) -> None:
    """Train a fold to its end, from its checkpoint if there is one.

    Writes `best.safetensors`, `checkpoint.pt` and `metrics.csv` to the fold's folder, until
    the end also the checkpoint before, and loads the best weights into the trainer's
    network. On a `KeyboardInterrupt` it saves a checkpoint and raises the interrupt again,
    with a message where the training stopped.

    Raises `RunError` if the network diverges, or if the checkpoint or `best.safetensors`
    cannot be read or belongs to another network.
    """
    fold, progress = trainer.fold, trainer.progress
    checkpoint = fold.layout.checkpoint
    if _resumed(trainer, checkpoint):
        log.info("%s goes on %s.", fold.layout.name, _where(trainer))
        tell(trainer)
    _say_one_class(trainer)
    while progress.epoch < fold.epochs and not _patience_is_over(trainer):
        try:
            row = trainer.epoch()
        except KeyboardInterrupt as stop:
            raise type(stop)(_saved(trainer, checkpoint)) from None
        except (LentigoError, RuntimeError, OSError):
            _keep_steps(trainer, checkpoint)
            raise
        with deferred():
            _note_epoch(trainer, row, checkpoint)
            tell(trainer)
            trainer.fabric.barrier()
        stop_if_asked()
    tell(trainer)
    _load_best(trainer)
    if trainer.fabric.is_global_zero:
        previous_of(checkpoint).unlink(missing_ok=True)


def _resumed(trainer: Trainer, checkpoint: Path) -> bool:
    """Restore a stopped training; return whether there was one.

    Where the checkpoint is damaged or missing, the one before it is taken, and takes its
    place. Raises `RunError` if that cannot be read either.
    """
    previous = previous_of(checkpoint)
    try:
        if checkpoint.is_file():
            _restore(trainer, checkpoint)
            return True
    except RunError as error:
        if not previous.is_file():
            raise
        if trainer.fabric.is_global_zero:
            log.warning(
                "%s The one before it is taken.", str(error).partition(" Delete")[0]
            )
    if not previous.is_file():
        return False
    _restore(trainer, previous)
    trainer.fabric.barrier()  # no device still looks for the damaged one
    if trainer.fabric.is_global_zero:
        previous.replace(checkpoint)
    trainer.fabric.barrier()
    return True


def _restore(trainer: Trainer, checkpoint: Path) -> None:
    before, state = load_checkpoint(checkpoint)
    trainer.restore(state, checkpoint)
    vars(trainer.progress).update(vars(before))


def _note_epoch(trainer: Trainer, row: Row, checkpoint: Path) -> None:
    """Add a finished epoch to the progress; write checkpoint, metrics and best weights."""
    fold, progress = trainer.fold, trainer.progress
    # Without validation images nothing tells epochs apart: the last one is kept.
    best = not len(fold.validation) or _is_best(
        row, progress.history, fold.config.training.monitor
    )
    progress.history.append(row)
    progress.epoch += 1
    trainer.part = Part()
    if best:
        progress.best_epoch = progress.epoch
    if trainer.fabric.is_global_zero:
        log.info("%s", _line(row, trainer))
        if best:
            write_weights(trainer.judged, fold.layout.best)
        _save_history(progress, fold.layout.metrics)
        save_checkpoint(checkpoint, progress, trainer.state())


def tell(trainer: Trainer) -> None:
    """Hand the rows of the epochs so far to `Fold.after_epoch`."""
    told = trainer.fold.after_epoch
    if told is not None and trainer.fabric.is_global_zero and trainer.progress.history:
        told(trainer.progress.history)


def _load_best(trainer: Trainer) -> None:
    path = trainer.fold.layout.best
    try:
        trainer.judged.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise RunError(
            f"{path} holds the weights of another network. Delete {path.parent} to train "
            "this fold again from the start."
        ) from error


def _saved(trainer: Trainer, checkpoint: Path) -> str:
    """Save an interrupted epoch if possible; return a sentence that says what is saved."""
    name = trainer.fold.layout.name
    # Several devices stop each in another step.
    if not trainer.between_steps or trainer.fabric.world_size > 1:
        trainer.part = Part()
    if trainer.part.steps and trainer.can_be_saved:
        with deferred():
            save_checkpoint(checkpoint, trainer.progress, trainer.state(within=True))
    return (
        f"Stopped; {name} is saved as it was {_where(trainer)}. The same command with "
        "--resume goes on from there."
    )


def _keep_steps(trainer: Trainer, checkpoint: Path) -> None:
    """Save the steps of an epoch that fails between steps, as where it cannot be judged.

    A training that diverges is not saved.
    """
    kept = trainer.part.steps and trainer.can_be_saved
    if not kept or trainer.fabric.world_size > 1 or trainer.fold.layout.diverged.is_file():
        return
    with suppress(LentigoError, OSError), deferred():  # what failed is said, not this
        save_checkpoint(checkpoint, trainer.progress, trainer.state(within=True))


def _where(trainer: Trainer) -> str:
    """Word the progress of a training: "after epoch 2", "in epoch 3, after 12 steps"."""
    epoch, steps = trainer.progress.epoch, trainer.part.steps
    if steps:
        return f"in epoch {epoch + 1}, after {counted(steps, 'step')}"
    return f"after epoch {epoch}" if epoch else "at the start"


def _say_one_class(trainer: Trainer) -> None:
    labels = trainer.fold.validation.labels > 0.5
    if len(labels) == 0:
        return
    if labels.all() or not labels.any():
        log.warning(
            "The validation images are all of one class, so they have no AUC: the lowest "
            "validation loss says which epoch is the best one."
        )


def _is_best(row: Row, history: list[Row], monitor: str) -> bool:
    if not history:
        return True
    if monitor == "loss" or math.isnan(row["validation_auc"]):
        return row["validation_loss"] < min(past["validation_loss"] for past in history)
    return row["validation_auc"] > max(past["validation_auc"] for past in history)


def _patience_is_over(trainer: Trainer) -> bool:
    config, progress = trainer.fold.config.training, trainer.progress
    since = max(progress.best_epoch, first_settled(config))
    if not config.patience or progress.epoch - since < config.patience:
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
    epochs = trainer.fold.epochs
    left = (epochs - row["epoch"]) * row["seconds"] / 60
    judged = (
        f"validation loss {row['validation_loss']:.4f}  "
        f"AUC {row['validation_auc']:.4f}  |  "
        if len(trainer.fold.validation)
        else ""
    )
    return (
        f"{trainer.fold.layout.name} epoch {row['epoch']}/{epochs}  "
        f"loss {row['loss']:.4f}  AUC {row['auc']:.4f}  |  "
        f"{judged}{row['seconds']:.0f} s{_waiting(trainer, row)}, {left:.1f} min left"
        f"{'  (frozen)' if row['frozen'] else ''}"
    )


def _waiting(trainer: Trainer, row: Row) -> str:
    """Word the share of the epoch spent waiting for images; empty below 5 %."""
    share = trainer.waited / max(row["seconds"], 1e-3)
    return f" ({share:.0%} waiting for images)" if share >= 0.05 else ""
