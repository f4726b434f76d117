"""The workers that have loaded the same models, and the requests that wait for them."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ExchangedError
from lentigo.explanation.served import Wish
from lentigo.inference.served import Question
from lentigo.inference.squares import Square
from lentigo.models.backend import Preparation
from lentigo.service.problems import not_ready
from lentigo.service.worker import Hosted, Ways, Worker


@dataclass
class Waiting:
    """A request that waits for a worker."""

    model: Hosted
    asked: Question | Closer
    """The request: a prediction (`Question`) or an explanation (`Closer`)."""
    squares: dict[Preparation, list[Square]]
    """How images were made square → the images of the request, so made square."""
    answer: asyncio.Future[Any]
    """Receives the result of the worker, or its exception."""

    @property
    def images(self) -> int:
        """Return the number of images of the request."""
        return self.asked.images if isinstance(self.asked, Question) else 1


@dataclass(frozen=True)
class Closer:
    """One image to be explained."""

    wish: Wish
    """The parts of the explanation that are requested."""
    picture: NDArray[np.uint8]
    """The image, (H, W, 3) RGB."""
    until: float = math.inf
    """When it is to be done, by the monotonic clock, though it may have to wait before."""
    end: float = math.inf
    """When a map that is not done is given up, by the monotonic clock."""


@dataclass
class Crew:
    """Workers that have loaded the same models; a reload makes a new crew."""

    workers: list[Worker]
    models: list[Hosted] = field(default_factory=list)
    waiting: deque[Waiting] = field(default_factory=deque)
    """The requests that wait, the oldest first."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    """One task for each worker, which gives it waiting requests."""
    more: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request begins to wait or the crew is closed."""
    busy: int = 0
    closed: bool = False
    """Whether a new crew has replaced this one."""

    def find(self, wanted: str) -> Hosted:
        """Return the model `wanted`: NAME or NAME@VERSION; the first one if it is empty.

        Raises `KeyError` if there is no such model.
        """
        for model in self.models:
            if wanted in {"", model.name, f"{model.name}@{model.version}"}:
                return model
        raise KeyError(wanted)


def taken(crew: Crew, most: int) -> list[Waiting]:
    """Take the next requests of one model: at least one, with at most `most` images.

    An explanation is taken alone. Requests that were cancelled are dropped.
    """
    batch: list[Waiting] = []
    images = 0
    while crew.waiting:
        following = crew.waiting[0]
        if following.answer.done():
            crew.waiting.popleft()
            continue
        images += following.images
        alone = isinstance(following.asked, Closer)
        other = batch and (following.model != batch[0].model or alone)
        if batch and (images > most or other):
            break
        if alone:
            return [crew.waiting.popleft()]
        batch.append(crew.waiting.popleft())
    return batch


def compute(worker: Worker, batch: Sequence[Waiting]) -> list[Any]:
    """Let a worker compute a batch of predictions, or one explanation. Blocks."""
    first = batch[0]
    squares: Ways = {
        way: [square for each in batch for square in each.squares[way]]
        for way in first.squares
    }
    if isinstance(first.asked, Closer):
        closer = first.asked
        now = time.monotonic()
        wish = replace(
            closer.wish,
            seconds=min(closer.until - now, closer.wish.seconds),
            at_most=min(closer.end - now, closer.wish.at_most),
        )
        return [worker.examine(first.model.index, wish, squares, closer.picture)]
    questions = [each.asked for each in batch if isinstance(each.asked, Question)]
    return list(worker.ask(first.model.index, questions, squares))


def fail(batch: Sequence[Waiting], error: Exception) -> None:
    """Give an error to each request of a batch that has no answer yet."""
    for each in batch:
        if not each.answer.done():
            each.answer.set_exception(error)


def agreed(loaded: Sequence[list[Hosted] | BaseException]) -> list[Hosted]:
    """Return the models that all workers loaded; raise what one of them raised.

    Raises `ExchangedError` if a folder was changed between the starts of two workers.
    """
    found: list[list[Hosted]] = []
    for each in loaded:
        if isinstance(each, BaseException):
            raise each
        found.append(each)
    if len({tuple((m.name, m.version) for m in models) for models in found}) > 1:
        raise ExchangedError("A model was changed while it was loaded; try again.")
    return found[0]


def same(crew: Crew, model: Hosted) -> Hosted:
    """Return the model of `crew` that is `model`; raise `ProblemError` 503 if none is."""
    for each in crew.models:
        if (each.name, each.version) == (model.name, model.version):
            return each
    raise not_ready("The model was exchanged while the request was read.")
