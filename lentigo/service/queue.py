"""A bounded queue of requests, and the worker processes that compute them in batches.

A free worker takes the waiting requests, up to a whole batch: under little load a request
is computed alone and at once, under much load many together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from lentigo.errors import ExchangedError, LentigoError
from lentigo.explanation.served import Examined
from lentigo.inference.served import Question, Reply
from lentigo.inference.squares import Square
from lentigo.models.backend import Preparation
from lentigo.progress import log
from lentigo.service.crew import (
    Closer,
    Crew,
    Waiting,
    agreed,
    compute,
    fail,
    same,
    taken,
)
from lentigo.service.problems import not_ready
from lentigo.service.room import Room
from lentigo.service.worker import (
    Hosted,
    Place,
    RefusedError,
    Worker,
    WorkerDiedError,
)

_TRIES = 3
"""How often a request is tried when the worker process dies: not the request but a signal
may have killed it, or the new process may not start at once."""


class DiedOverItError(Exception):
    """The worker process died each time that it computed a request, also alone."""


class Queue:
    """The queue in which requests wait for a worker."""

    def __init__(
        self,
        places: Callable[[], Sequence[Place]],
        *,
        engine: str,
        workers: int,
        batch: int,
        limit: int,
        seconds: float,
        computed: Callable[[int, float], None] = lambda _images, _seconds: None,
    ) -> None:
        self._places, self._engine, self._count = places, engine, workers
        self._batch, self._seconds, self._computed = batch, seconds, computed
        self.room = Room(limit)
        self.replaced = 0
        """Number of worker processes that died and were replaced."""
        self._crew: Crew | None = None
        self._turn = asyncio.Lock()
        self._loading: asyncio.Task[None] | None = None
        self._threads = ThreadPoolExecutor(4 * workers + 2, thread_name_prefix="work")

    @property
    def crew(self) -> Crew:
        """Return the workers that take new requests.

        Raises `ProblemError` 503 until the models are loaded for the first time.
        """
        if self._crew is None:
            raise not_ready("The models are being loaded.")
        return self._crew

    @property
    def depth(self) -> int:
        """Return the number of waiting requests."""
        return len(self._crew.waiting) if self._crew else 0

    @property
    def pids(self) -> list[int]:
        """Return the process ids of the worker processes."""
        found = self._crew.workers if self._crew else []
        return [each.pid for each in found if each.pid is not None]

    @property
    def is_ready(self) -> bool:
        """Tell whether the models are loaded and a worker process runs."""
        return bool(self.pids)

    @property
    def seconds_until_ready(self) -> float:
        """Return the expected seconds until a worker can compute; 0 if one can now."""
        found = self._crew.workers if self._crew else []
        return min((each.seconds_until_ready for each in found), default=0.0)

    @property
    def load_seconds(self) -> float:
        """Return how long a worker process takes to load the models, in seconds."""
        found = self._crew.workers if self._crew else []
        return max((each.load_seconds for each in found), default=0.0)

    async def load(self) -> None:
        """Load the models in new workers, then close the workers before, if any.

        Until then the workers before answer requests. Raises `LentigoError` if a model
        cannot be loaded; the workers before then stay.
        """
        async with self._turn:
            await self._load()

    async def _load(self) -> None:
        crew = Crew(
            [
                Worker(self._places(), engine=self._engine, seconds=self._seconds)
                for _ in range(self._count)
            ]
        )
        loop = asyncio.get_running_loop()
        starts = [loop.run_in_executor(self._threads, each.start) for each in crew.workers]
        loaded = await asyncio.gather(*starts, return_exceptions=True)
        try:
            crew.models = agreed(loaded)
        except BaseException:
            for worker in crew.workers:
                worker.close()
            raise
        crew.tasks = [asyncio.create_task(self._work(crew, w)) for w in crew.workers]
        before, self._crew = self._crew, crew
        if before is not None:
            await self._close(before)

    async def ask(
        self,
        crew: Crew,
        model: Hosted,
        question: Question,
        squares: dict[Preparation, list[Square]],
    ) -> Reply:
        """Return the predictions for one request, whose images `room` has counted.

        Raises `RefusedError` for a request that makes no sense to the model, and
        `DiedOverItError` if the worker process dies each time that it computes it.
        """
        reply: Reply = await self._put(crew, model, question, squares)
        return reply

    async def examine(
        self,
        crew: Crew,
        model: Hosted,
        closer: Closer,
        squares: dict[Preparation, list[Square]],
    ) -> Examined:
        """Return the explanation of one image, which `room` has counted.

        Raises `RefusedError` for a method that the model does not allow, and
        `DiedOverItError` if the worker process dies each time that it computes it.
        """
        found: Examined = await self._put(crew, model, closer, squares)
        return found

    async def _put(
        self,
        crew: Crew,
        model: Hosted,
        asked: Question | Closer,
        squares: dict[Preparation, list[Square]],
    ) -> Any:
        loop = asyncio.get_running_loop()
        waiting = Waiting(model, asked, squares, loop.create_future())
        if crew.closed:  # reloaded while the images were decoded
            crew = self.crew
            waiting.model = same(crew, model)
        crew.waiting.append(waiting)
        crew.more.set()
        return await waiting.answer

    async def close(self) -> None:
        """Answer the waiting requests, then end the workers."""
        if self._loading is not None:
            await self._loading
        if self._crew is not None:
            await self._close(self._crew)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _close(self, crew: Crew) -> None:
        crew.closed = True
        crew.more.set()
        await asyncio.gather(*crew.tasks, return_exceptions=True)
        for worker in crew.workers:
            worker.close()

    async def _work(self, crew: Crew, worker: Worker) -> None:
        """Let a worker answer waiting requests until the crew is closed and none waits."""
        while True:
            batch = taken(crew, self._batch)
            if batch:
                await self._answer(worker, batch)
            elif crew.closed:
                return
            else:
                crew.more.clear()
                # A worker that died while nobody asked is replaced within a second.
                with suppress(TimeoutError):
                    await asyncio.wait_for(crew.more.wait(), 1)
                if not crew.waiting and not crew.closed and worker.has_died():
                    await self._replace(worker)

    async def _answer(self, worker: Worker, batch: list[Waiting]) -> None:
        """Answer a batch; if the worker dies over it or refuses it, try each request alone.

        So only the request that kills the process, or makes no sense, fails.
        """
        begun = time.monotonic()
        try:
            replies = await self._tried(worker, batch)
        except Exception as error:
            ours = isinstance(error, LentigoError)
            fail(batch, not_ready(str(error)) if ours else error)
            if isinstance(error, ExchangedError):
                self._load_anew()
            return
        if replies is None:
            for each in batch:
                await self._answer(worker, [each])
            return
        if not replies:
            return
        images = sum(each.images for each in batch)
        self.room.learn(images, time.monotonic() - begun)
        self._computed(images, time.monotonic() - begun)
        for each, reply in zip(batch, replies, strict=True):
            if not each.answer.done():  # whoever asked may have gone
                each.answer.set_result(reply)

    async def _tried(self, worker: Worker, batch: list[Waiting]) -> list[Any] | None:
        """Return the replies to a batch; None if each request is to be tried alone.

        Raises `DiedOverItError` if the worker died each time over a single request, and
        any other error of the worker.
        """
        loop = asyncio.get_running_loop()
        for _ in range(_TRIES if len(batch) == 1 else 1):
            try:
                return await loop.run_in_executor(self._threads, compute, worker, batch)
            except RefusedError:
                if len(batch) == 1:
                    raise
                return None
            except WorkerDiedError as error:
                await self._replace(worker, str(error))
                if all(each.answer.done() for each in batch):
                    return []  # nobody waits for it any more
        if len(batch) == 1:
            raise DiedOverItError("The process that computes died over it.")
        return None

    async def _replace(self, worker: Worker, how: str = "") -> None:
        self.replaced += 1
        told = f" ({how})" if how else ""
        log.warning("A process that computes died%s; another one is started.", told)
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, worker.start)
        except (LentigoError, OSError, ValueError) as error:
            # Such as no memory for another process: the next question tries again.
            log.error("%s", error)
            if isinstance(error, ExchangedError):
                self._load_anew()
            await asyncio.sleep(1)

    def _load_anew(self) -> None:
        """Begin to load the models as their folders are now; once at a time."""
        if self._loading is None or self._loading.done():
            log.warning("A model folder was changed: the models are loaded anew.")
            self._loading = asyncio.create_task(self._loaded_anew())

    async def _loaded_anew(self) -> None:
        try:
            await self.load()
        except (LentigoError, OSError, ValueError) as error:
            log.error("%s", error)
