"""The queue with workers that fail: none is lost, and nobody's work is done in vain."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import numpy as np

from lentigo.inference.served import Question, Reply
from lentigo.models.backend import Preparation
from lentigo.service.queue import Queue
from lentigo.service.worker import Hosted, WorkerDiedError

WAY = Preparation(4, "stretch", 100)
HOSTED = Hosted("m", "v", 0, "onnx", 1, None, (), (), (WAY,), ())
SQUARES = {WAY: [np.zeros((4, 4, 3), np.uint8)]}


class FailingWorker:
    """A worker that is dead at first, and whose next starts fail as they are told to."""

    pid = 1

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.dead, self.asked = list(failures), False, 0

    def start(self) -> list[Hosted]:
        if self.failures and self.dead:
            raise self.failures.pop(0)
        self.dead = False
        return [HOSTED]

    def has_died(self) -> bool:
        return self.dead

    def ask(self, *_: Any) -> list[Reply]:
        self.asked += 1
        if self.dead:
            raise WorkerDiedError
        return [Reply([{"probability": 0.5}], [])]

    def close(self) -> None: ...


def queue_of(worker: FailingWorker, monkeypatch: Any) -> Queue:
    monkeypatch.setattr("lentigo.service.queue.Worker", lambda *_, **__: worker)
    return Queue(list, engine="auto", workers=1, batch=4, limit=4, seconds=1)


def test_a_worker_that_cannot_be_started_at_once_is_started_later(monkeypatch: Any) -> None:
    async def live() -> Reply:
        worker = FailingWorker(OSError("no memory"), ValueError("half a line"))
        queue = queue_of(worker, monkeypatch)
        await queue.load()
        worker.dead = True
        await asyncio.sleep(2.2)  # it is found dead, and starting it fails
        assert len(worker.failures) < 2
        asked = queue.ask(queue.crew, HOSTED, Question(1), SQUARES)
        answer = await asyncio.wait_for(asked, 8)
        await queue.close()
        return answer

    assert asyncio.run(live()).images == [{"probability": 0.5}]


def test_a_batch_for_which_nobody_waits_is_not_tried_again(monkeypatch: Any) -> None:
    async def live() -> int:
        worker = FailingWorker(*[OSError("no memory")] * 3)
        queue = queue_of(worker, monkeypatch)
        await queue.load()
        worker.dead = True
        asked = queue.ask(queue.crew, HOSTED, Question(1), SQUARES)
        with suppress(TimeoutError):
            await asyncio.wait_for(asked, 0.3)
        await asyncio.sleep(1.2)
        await queue.close()
        return worker.asked

    assert asyncio.run(live()) == 1
