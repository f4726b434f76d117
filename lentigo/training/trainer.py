"""A network in training: its epochs, its judging, and its state for a checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn

from lentigo.evaluation.discrimination import auc
from lentigo.models.batch import Batch
from lentigo.models.classifier import Answers, Head, Taught
from lentigo.models.lora import base_parameters
from lentigo.models.network import Classifier
from lentigo.models.stages import first_stages
from lentigo.progress import Meter
from lentigo.stopping import deferred, stop_if_asked
from lentigo.training.averaging import ENOUGH, EpochAverage
from lentigo.training.checkpoint import Progress, Row, no_checkpoint
from lentigo.training.compiling import compiled
from lentigo.training.data import Draw, Examples, Order, load, worker_count
from lentigo.training.distillation import class_logits_of
from lentigo.training.divergence import check_finite, diverged
from lentigo.training.fold import Fold, Part
from lentigo.training.frozen import FrozenEpochs, move_head
from lentigo.training.judging import answered, views_of_an_epoch
from lentigo.training.memory import Steps
from lentigo.training.mixing import mixed
from lentigo.training.prefix import frozen_stages
from lentigo.training.schedule import (
    build_optimizer,
    epoch_length,
    first_averaged,
    image_side,
    learning_rate,
    restore_optimizer,
    set_rate,
)
from lentigo.training.scores import known_auc, log_loss
from lentigo.training.step import (
    over_samples,
    overflows,
    pieces_of,
    random_state,
    set_mode,
    set_random_state,
    share_buffers,
)


class Trainer:
    """The training of a fold: network, optimiser, sampler, weight averages and progress."""

    def __init__(self, fabric: Fabric, model: Classifier, fold: Fold) -> None:
        self.fabric, self.model, self.fold, self.progress = fabric, model, fold, Progress()
        config, lesson = fold.config.training, fold.lesson
        lesson.begin(model)
        self.stages = first_stages(model, config.frozen_stages)
        frozen = (*self.stages.parameters, *base_parameters(model.backbone))
        self.optimizer = build_optimizer(
            model, config, frozen=frozen, scaled=overflows(fabric)
        )
        self.order = Order(
            fold.train.labels,
            epoch_images=epoch_length(config, len(fold.train)),
            batch_size=min(config.batch_size, len(fold.train)),
            seed=fold.config.seed,
            alike=config.imbalance == "oversample",
            cells=lesson.cells,
        )
        if fold.channels_last:
            model.to(memory_format=torch.channels_last)
        model.to(fabric.device)
        self.samples = fold.config.model.dropout_samples
        compares = config.loss == "auc_margin"
        loss = lesson.loss(fabric.device)
        self.loss = over_samples(loss, self.samples, compares=compares)
        self.average = (
            ModelEmaV3(model, decay=config.average, use_warmup=True)
            if config.average and config.method == "gradient"
            else None
        )
        averages = config.swa and config.method == "gradient"
        self.swa = EpochAverage(model) if averages else None
        engine = frozen_stages(model, self.stages, config, len(fold.train), fold.frozen_by)
        self.steps = Steps(
            fabric, samples=self.samples, micro_batch=config.micro_batch, compares=compares,
            stages=engine,
        )  # fmt: skip
        self.waited = 0.0
        """Seconds of the current epoch in which the network waited for images."""
        self.frozen = FrozenEpochs(
            self.steps, config, fold.train, fold.validation, self.order, fold.teacher
        )
        self._wrapped: tuple[nn.Module, torch.optim.Optimizer] | None = None
        self._frozen = False
        self.part = Part()
        self._random: dict[str, Tensor] | None = None
        self.between_steps = True
        """False during a step, when the weights must not be saved."""

    @property
    def judged(self) -> nn.Module:
        """The network that is validated and saved: the weight average if there is one."""
        if self.swa is not None and self.swa.epochs:
            return self.swa.module
        return self.average.module if self.average is not None else self.model

    @property
    def can_be_saved(self) -> bool:
        """Whether the current epoch could go on from its `state`: not during a step."""
        return self.between_steps and self._random is None

    def state(self, *, within: bool = False) -> dict[str, Any]:
        """Return the state for a checkpoint; `within` adds that of the current epoch."""
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.fabric._precision.state_dict(),
            "micro_batch": self.steps.micro_batch,
            "most_looked_at": self.steps.most_looked_at,
        }
        if self.swa is not None:
            state["swa"] = self.swa.state()
        if within:
            random = random_state(self.fabric.device)
            state["part"] = {**self.part.state(), "random": random}
        return state

    def restore(self, state: dict[str, Any], path: Path) -> None:
        """Restore the `state` of a checkpoint; raise `RunError` if it does not fit."""
        try:
            self.model.load_state_dict(state["model"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            if self.swa is not None:
                self.swa.restore(state["swa"])
            restore_optimizer(self.optimizer, state["optimizer"])
            self.fabric._precision.load_state_dict(state.get("scaler") or {})
            self.steps.micro_batch = state.get("micro_batch") or self.steps.micro_batch
            self.steps.most_looked_at = state.get("most_looked_at")
            if part := state.get("part"):
                self._random = part.pop("random")
                self.part = Part.restored(part, self.fabric.device)
        except (LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise no_checkpoint(path, type(error).__name__) from error

    def epoch(self) -> Row:
        """Train one epoch, judge it, and return its row of `metrics.csv`.

        Raises `RunError` where the network diverges.
        """
        start = time.perf_counter()
        epoch = self.progress.epoch
        if self._random is None:
            # Dropout draws from the global generator; a resumed run has to draw alike.
            torch.manual_seed(self._seed_of(epoch))
        try:
            losses, logits, places = self._learn(epoch)
            self._average_epoch(epoch)
            row = self._judge()
        except FloatingPointError:
            raise diverged(
                self.fold.layout,
                self.fold.config.training,
                epoch=epoch + 1,
                first=self.fabric.is_global_zero,
            ) from None
        return {
            "epoch": epoch + 1,
            "loss": self.fold.loss_to_show(losses, logits, places),
            "auc": known_auc(self.fold.train.labels[places], logits),
            **row,
            "learning_rate": self.part.rate,
            "seconds": round(time.perf_counter() - start, 2),
            "frozen": epoch in self.frozen,
            **self._also(epoch),
        }

    def _also(self, epoch: int) -> Row:
        """The columns `image_size` and `averaged` of an epoch, if the settings use them."""
        config, row = self.fold.config.training, Row()
        if config.progressive < 1:
            row["image_size"] = image_side(config, epoch)
        if self.swa is not None:
            row["averaged"] = self.swa.last == epoch
        return row

    def _average_epoch(self, epoch: int) -> None:
        """Add an epoch to the SWA weight average and recompute its batch statistics."""
        if self.swa is None or epoch < first_averaged(self.fold.config.training):
            return
        with deferred():
            self.swa.add(self.model, epoch)
        if self.frozen.keeps(epoch):
            return
        self.recompute(self.swa, epoch, side=image_side(self.fold.config.training, epoch))

    def recompute(self, average: EpochAverage, epoch: int, *, side: int) -> None:
        """Recompute the batch statistics of `average` from the first images of `epoch`.

        The images have `side` × `side` pixels.
        """
        # The same images on every device, so that all have the same statistics.
        batches = list(islice(self.order.epoch(epoch), -(-ENOUGH // self.order.batch_size)))
        examples = self.fold.train.of_size(side)

        def computed(at_once: int) -> None:
            read = self._load(examples, batches)
            pieces = (each for batch in read for each in pieces_of(batch, at_once))
            average.recompute(self.model, pieces, self.fabric.autocast())

        self.steps.look(computed, self.steps.learnt_from(self.order.batch_size))

    def _seed_of(self, epoch: int) -> int:
        # No two (epoch, device) share one.
        steps = self.fold.config.seed * 1_000_003 + epoch
        return steps * self.fabric.world_size + self.fabric.global_rank

    def _learn(
        self, epoch: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Take the remaining steps of an epoch; return what `Part.gathered` returns."""
        network = self._ready(epoch)
        config, fabric, part = self.fold.config.training, self.fabric, self.part
        batches = self.frozen.draws(epoch)
        label = f"epoch {epoch + 1}/{self.fold.epochs}"
        quiet = not fabric.is_global_zero
        if self._random is not None:
            set_random_state(self._random, fabric.device)
            self._random = None
        if self.frozen.keeps(epoch):
            self.frozen.look(self.model, epoch)  # draws nothing at random
        with Meter(total=len(batches), label=label, quiet=quiet) as meter, deferred():
            for batch in self._awaited(self._read(epoch, batches[part.steps :])):
                step = epoch * len(batches) + part.steps
                part.rate = learning_rate(config, step, steps_per_epoch=len(batches))
                self._step(network, batch, step)
                if meter.live and (part.steps % 10 == 0 or part.steps == len(batches)):
                    meter.step_to(part.steps, said=part.so_far(self.fold.train.labels))
                stop_if_asked()
        return self.part.gathered(fabric)

    def _awaited(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield `batches`, and add up the time until each is there."""
        self.waited, reader = 0.0, iter(batches)
        while True:
            start = time.perf_counter()
            batch = next(reader, None)
            self.waited += time.perf_counter() - start
            if batch is None:
                return
            yield batch

    def _read(self, epoch: int, batches: list[list[Draw]]) -> Iterable[Batch]:
        if not batches:
            return ()
        if self.frozen.keeps(epoch):
            return self.frozen.read(epoch, batches)
        side = image_side(self.fold.config.training, epoch)
        return self._load(self.fold.train.of_size(side), batches)

    def _load(self, examples: Examples, batches: list[list[Draw]]) -> Iterator[Batch]:
        device = self.fabric.device
        workers = worker_count(device, self.fold.config.training)
        return load(examples, batches, workers=workers, device=device)

    def _step(
        self, network: tuple[nn.Module, torch.optim.Optimizer], batch: Batch, step: int
    ) -> None:
        model, optimizer = network
        set_rate(optimizer, self.part.rate)
        self.between_steps = False
        teacher = self.fold.teacher
        taught, loss_of = mixed(
            self.fold.lesson.asked_of(
                batch if teacher is None else teacher.with_plain(batch)
            ),
            self.loss,
            self.fold.config.training,
            rng=np.random.default_rng((self._seed_of(self.progress.epoch), step)),
        )
        if teacher is not None:
            taught, loss_of = teacher.add_to(
                taught,
                loss_of,
                partial(class_logits_of, self.model, self.fold.shift),
                at_once=self.steps.micro_batch,
            )
        share = self._share(len(batch.images))
        loss, answers = self.steps.take(model, taught, loss_of, optimizer, share=share)
        logits = self.model.melanoma(answers) if self.model.classes else answers
        if self.average is not None:
            if self.frozen.keeps(self.progress.epoch):
                move_head(self.average, self.model, step)
            else:
                self.average.update(self.model, step=step)
        self.part.add(loss, logits, batch.places)
        self.between_steps = True

    def _share(self, mine: int) -> float:
        """Return this device's images of a step over the mean of all devices."""
        world = self.fabric.world_size
        return (
            1.0 if world == 1 else mine * world / self.order.sizes(world)[self.part.steps]
        )

    def probe(
        self, batches: Iterator[list[Draw]], rates: Sequence[float]
    ) -> Iterator[float]:
        """Take a step at each of `rates`; yield the loss before each step.

        The backbone learns, too, unless all epochs of the settings are frozen ones. Raises
        `FloatingPointError` if the loss or the gradient is NaN or infinite.
        """
        config = self.fold.config.training
        epoch = min(config.frozen_epochs, config.epochs - 1)
        plain = self._load(self.fold.train, list(islice(batches, len(rates))))
        network = self._ready(epoch)
        for step, (batch, rate) in enumerate(zip(plain, rates, strict=True)):
            self.part.rate = rate
            self._step(network, batch, step)
            yield float(self.part.losses[-1])

    def _ready(self, epoch: int) -> tuple[nn.Module, torch.optim.Optimizer]:
        frozen = epoch in self.frozen
        set_mode(self.model, frozen=frozen, stages=self.stages)
        if self._wrapped is None or self._frozen != frozen:
            # Which weights learn is fixed when devices agree on their buckets, so a change
            # of phase has to be announced anew.
            optimizer: Any = self.fabric.setup_optimizers(self.optimizer)
            kept = self.frozen.keeps(epoch)
            if not kept:
                self.frozen.forget()
            scores = self.fold.lesson.tells_diagnoses
            taught: nn.Module = (Head if kept else Taught)(
                self.model, scores=scores, samples=self.samples
            )
            if self.fold.compiled and not kept:
                taught = compiled(taught)
            self._wrapped = (self.fabric.setup_module(taught), optimizer)
            self._frozen = frozen
        return self._wrapped

    def _judge(self) -> Row:
        if not len(self.fold.validation):
            return {"validation_loss": math.nan, "validation_auc": math.nan}
        config, judged = self.fold.config.training, self.judged
        share_buffers(self.fabric, judged)
        views = views_of_an_epoch(
            config, validation=len(self.fold.validation), learnt=self.order.epoch_images
        )
        if self.frozen.keeps(self.progress.epoch) and isinstance(judged, Classifier):
            logits = self.frozen.judge(self.model, judged, views=views) - self.fold.shift
        else:
            logits = self.predict(self.fold.validation, views=views)
        check_finite(torch.from_numpy(logits))
        labels = self.fold.validation.labels
        return {
            "validation_loss": log_loss(labels, logits),
            "validation_auc": float(auc(labels > 0.5, logits)),
        }

    def predict(
        self, examples: Examples, *, views: int | None = None
    ) -> NDArray[np.float64]:
        """Return the logits of N `examples`, (N,), after subtracting the logit shift.

        The logits are means over `views`, by default those of the settings.
        """
        config, context = self.fold.config.training, self.fabric.autocast
        found = answered(
            self.steps, self.judged, examples, config, context=context, views=views
        )
        return found - self.fold.shift

    def answers(self, examples: Examples) -> NDArray[np.float64]:
        """Return the answers for N `examples`, (1 + D, N), as `Predictor.answers` does.

        They are computed in 32 bits, as by the finished model, even if the training uses
        another precision.
        """
        judged = self.judged
        if not isinstance(judged, Classifier):
            raise TypeError(f"A {type(judged).__name__} is no Classifier.")
        config = self.fold.config.training
        found = answered(self.steps, Answers(judged), examples, config).T
        found[0] -= self.fold.shift
        return found
