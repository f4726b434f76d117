"""The queue with workers that fail: none is lost, and nobody's work is done in vain."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lentigo.config.serving import ServingConfig
from lentigo.errors import DatasetError, ExchangedError, ModelError
from lentigo.explanation.served import Examined, Examiner, Wish
from lentigo.inference.predict import load
from lentigo.inference.served import Question, Reply
from lentigo.models.backend import Preparation
from lentigo.models.description import version_of
from lentigo.service.answered import Answered
from lentigo.service.asked import Asked
from lentigo.service.closer import Eye, Look
from lentigo.service.core import Service, _decision
from lentigo.service.crew import Crew, agreed, same
from lentigo.service.decoding import Prepared
from lentigo.service.problems import ProblemError
from lentigo.service.queue import DiedOverItError, Queue
from lentigo.service.telemetry import Telemetry
from lentigo.service.worker import Hosted, Place, RefusedError, Worker, WorkerDiedError
from lentigo.service.worker_process import _answered, _examined
from tests.inference.test_predict import save

WAY = Preparation(4, "stretch", 100)
DESCRIBED: Any = None
HOSTED = Hosted("m", "v", 0, "onnx", 1, False, None, (), (), (WAY,), (), DESCRIBED)
SQUARES = {WAY: [np.zeros((4, 4, 3), np.uint8)]}


class FailingWorker:
    """A worker that is dead at first, and whose next starts fail as they are told to."""

    pid = 1
    seconds_until_ready = load_seconds = 0.0

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


def queue_of(worker: FailingWorker | Worker, monkeypatch: Any) -> Queue:
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


def test_a_worker_is_expected_to_start_as_fast_as_the_last_time(monkeypatch: Any) -> None:
    worker, now = Worker([], engine="auto", seconds=1), [100.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("lentigo.service.worker.time", clock)
    waits = []

    def started() -> list[Hosted]:
        now[0] += 3
        waits.append(worker.seconds_until_ready)
        now[0] += 5
        return [HOSTED]

    monkeypatch.setattr(worker, "_started", started)
    worker.start()
    waits.append(worker.seconds_until_ready)  # there is no process: it starts again
    worker.start()
    monkeypatch.setattr(worker, "has_died", lambda: False)
    assert [*waits, worker.seconds_until_ready] == [1, 8, 5, 0]
    worker.close()


@pytest.mark.parametrize(("left", "retry"), [(8.2, "9"), (0.0, "12")])
def test_who_cannot_be_answered_in_time_hears_when_the_worker_will_be_ready(
    left: float, retry: str, monkeypatch: Any
) -> None:
    """With 8.2 s left of a start it is refused at once; else it waits in vain for 0.1 s."""
    worker = FailingWorker()
    worker.seconds_until_ready, worker.load_seconds = left, 12.0

    async def waiting(service: Service) -> None:
        async with service._admitted(1):
            assert not left
            await asyncio.sleep(60)

    async def live() -> ProblemError:
        monkeypatch.setattr("lentigo.service.queue.Worker", lambda *_, **__: worker)
        service = Service([], ServingConfig(answer_seconds=0.1), Telemetry())
        await service.queue.load()
        with pytest.raises(ProblemError) as problem:
            await waiting(service)
        await service.close()
        return problem.value

    problem = asyncio.run(live())
    assert (problem.status, problem.headers["retry-after"]) == (503, retry)
    assert f"try again in {retry} s" in problem.detail


class PoisonedWorker(FailingWorker):
    """A worker that dies over a white image, and answers how light others are."""

    def ask(self, _: int, questions: list[Question], squares: Any) -> list[Reply]:
        self.asked += 1
        if self.dead or any(square.max() == 255 for square in squares[WAY]):
            self.dead = True
            raise WorkerDiedError
        return [
            Reply([{"probability": int(square.max())}], [])
            for _, square in zip(questions, squares[WAY], strict=True)
        ]


def test_one_image_that_kills_the_worker_fails_alone(monkeypatch: Any) -> None:
    async def live() -> tuple[list[Any], int]:
        worker = PoisonedWorker()
        queue = queue_of(worker, monkeypatch)
        await queue.load()
        asked = [
            queue.ask(
                queue.crew, HOSTED, Question(1),
                {WAY: [np.full((4, 4, 3), light, np.uint8)]},
            )
            for light in (7, 255, 9)
        ]  # fmt: skip
        found = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 8)
        await queue.close()
        return list(found), worker.asked

    found, asked = asyncio.run(live())
    assert [found[0].images, found[2].images] == [
        [{"probability": 7}],
        [{"probability": 9}],
    ]
    assert isinstance(found[1], DiedOverItError)
    assert asked == 1 + 1 + 3 + 1  # together, then each alone, the white one thrice


class StrictWorker(PoisonedWorker):
    """A worker that refuses a batch with a white image, as one that makes no sense."""

    def ask(self, _: int, questions: list[Question], squares: Any) -> list[Reply]:
        try:
            return super().ask(_, questions, squares)
        except WorkerDiedError:
            self.dead = False
            raise RefusedError("Two patients have it.") from None


def test_a_request_that_makes_no_sense_is_refused_alone_and_kills_nothing(
    monkeypatch: Any,
) -> None:
    async def live() -> tuple[list[Any], int]:
        queue = queue_of(StrictWorker(), monkeypatch)
        await queue.load()
        asked = [
            queue.ask(
                queue.crew, HOSTED, Question(1),
                {WAY: [np.full((4, 4, 3), light, np.uint8)]},
            )
            for light in (7, 255)
        ]  # fmt: skip
        found = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 8)
        await queue.close()
        return list(found), queue.replaced

    (fine, refused), replaced = asyncio.run(live())
    assert fine.images == [{"probability": 7}]
    assert isinstance(refused, RefusedError)
    assert replaced == 0


def test_what_a_worker_process_finds_wrong_with_a_request_is_an_answer(
    monkeypatch: Any,
) -> None:
    def refuse(*_: Any) -> list[Reply]:
        raise DatasetError("Two patients have a lesion called 1.")

    monkeypatch.setattr("lentigo.service.worker_process.answer", refuse)
    said = _answered(None, {"questions": []}, {})  # type: ignore[arg-type]
    assert said == {"refused": "Two patients have a lesion called 1."}


def test_a_fault_of_the_model_is_not_blamed_on_the_request(monkeypatch: Any) -> None:
    """It is a 503 without the server's paths, and another process answers the next."""

    def fail(*_: Any) -> list[Reply]:
        raise ModelError("/srv/model.onnx cannot be run by ONNX Runtime: no memory.")

    monkeypatch.setattr("lentigo.service.worker_process.answer", fail)
    said = _answered(None, {"questions": []}, {})  # type: ignore[arg-type]
    worker = Worker([], engine="auto", seconds=1)
    dropped: list[bool] = []
    monkeypatch.setattr(worker, "_said", lambda *_: said)
    monkeypatch.setattr(worker, "_drop", lambda: dropped.append(True))
    monkeypatch.setattr(worker, "start", lambda: [HOSTED])

    async def live() -> ProblemError:
        queue = queue_of(worker, monkeypatch)
        await queue.load()
        with pytest.raises(ProblemError) as problem:
            await queue.ask(queue.crew, HOSTED, Question(1), SQUARES)
        assert dropped == [True]
        await queue.close()
        return problem.value

    problem = asyncio.run(live())
    assert problem.status == 503
    assert "/srv" not in str(problem)


def test_an_explanation_that_fails_is_not_blamed_on_the_request(monkeypatch: Any) -> None:
    def fail(*_: Any) -> Any:
        raise DatasetError("/srv/runs/secret/table.parquet cannot be read.")

    size = {"size": WAY.size, "fit": WAY.fit, "max_pixels": WAY.max_pixels}
    examiner: Any = SimpleNamespace(examine=fail)
    asked = {"wish": asdict(Wish(cases=3)), "ways": [size]}
    said = _examined(examiner, asked, SQUARES, np.zeros((4, 4, 3), np.uint8))  # type: ignore[arg-type]
    worker = Worker([], engine="auto", seconds=1)
    monkeypatch.setattr(worker, "_said", lambda *_: said)
    monkeypatch.setattr(worker, "start", lambda: [HOSTED])

    async def live() -> Examined:
        queue = queue_of(worker, monkeypatch)
        await queue.load()
        look = Look(methods=("occlusion",), cases=3)
        unused: Any = None
        eye = Eye(queue, unused, queue.crew, HOSTED, look)
        file = Prepared("0", (4, 4), {WAY: SQUARES[WAY][0]})
        grey = np.zeros((4, 4, 3), np.uint8)
        seen = await eye.seen(b"", file, {}, ("", ""), until=math.inf, picture=grey)
        await queue.close()
        assert seen.examined is not None
        return seen.examined

    examined = asyncio.run(live())
    assert set(examined.missing) == {"lesion", "cases", "occlusion"}
    assert "/srv" not in str(examined)


def test_of_one_request_the_image_that_kills_the_worker_has_a_reason(
    monkeypatch: Any,
) -> None:
    asks: list[int] = []

    async def ask(_: Any, __: Any, question: Question, squares: Any) -> Reply:
        asks.append(question.images)
        if any(square.max() == 255 for square in squares[WAY]):
            raise DiedOverItError("The process that computes died over it.")
        return Reply(
            [{"probability": int(s.max()), "reason": ""} for s in squares[WAY]], []
        )

    async def live() -> Answered:
        service = Service([], ServingConfig(), Telemetry())
        monkeypatch.setattr(service.queue, "ask", ask)
        found = [
            Prepared("0", (4, 4), {WAY: np.full((4, 4, 3), light, np.uint8)})
            for light in (7, 255, 9)
        ]
        nothing = Answered("r", Asked(), HOSTED, _decision(HOSTED, Asked()), [], [], [])
        answered = await service._answer(found, nothing, Crew([]))
        await service.close()
        return answered

    answered = asyncio.run(live())
    assert [row and row["probability"] for row in answered.images] == [7, None, 9]
    assert "died over it" in answered.files[1].reason
    assert asks == [3, 1, 1, 1, 2]


TALKING = """
import json, sys
answers = sys.stdout
print(json.dumps({"models": []}), flush=True)
for line in sys.stdin:
    sys.stderr.write("remark " * 100_000)
    sys.stderr.flush()
    print(json.dumps({"replies": []}), flush=True)
"""


def test_what_libraries_say_in_a_worker_is_kept_within_bounds(monkeypatch: Any) -> None:
    monkeypatch.setattr("lentigo.service.worker._CODE", TALKING)
    worker = Worker([], engine="auto", seconds=20)
    worker.start()
    for _ in range(5):  # 700 kB each time
        assert worker.ask(0, [], {}) == []
        assert os.fstat(worker._remarks.fileno()).st_size < 1_700_000
    worker.close()


class ChangedWorker(FailingWorker):
    """A worker that without a process starts one at a question, as `Worker` does."""

    def ask(self, *_: Any) -> list[Reply]:
        if self.asked:
            self.start()
        return super().ask()


def test_a_folder_that_was_changed_answers_nothing_before_all_is_loaded_anew(
    monkeypatch: Any,
) -> None:
    async def live() -> tuple[int, str, Reply]:
        worker = ChangedWorker(*[ExchangedError("The model was changed.")] * 9)
        queue = queue_of(worker, monkeypatch)
        await queue.load()
        new = FailingWorker()
        new.start = lambda: [replace(HOSTED, version="new")]  # type: ignore[method-assign]
        monkeypatch.setattr("lentigo.service.queue.Worker", lambda *_, **__: new)
        worker.dead = True  # as if it had been killed
        with pytest.raises(ProblemError) as problem:
            await asyncio.wait_for(queue.ask(queue.crew, HOSTED, Question(1), SQUARES), 8)
        while queue.crew.models == [HOSTED]:
            await asyncio.sleep(0.01)
        (model,) = queue.crew.models
        reply = await queue.ask(queue.crew, model, Question(1), SQUARES)
        await queue.close()
        return int(problem.value.status), model.version, reply

    status, version, reply = asyncio.run(live())
    assert (status, version) == (503, "new")
    assert reply.images == [{"probability": 0.5}]


STARTING = """
import json, pathlib, sys
version = pathlib.Path(json.loads(sys.argv[1])["engine"]).read_text()
print(json.dumps({"models": [{"version": version}]}), flush=True)
sys.stdin.read()
"""


def test_a_worker_does_not_start_again_with_another_version(
    monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr("lentigo.service.worker._CODE", STARTING)
    monkeypatch.setattr("lentigo.service.worker._hosted", lambda *given: given[2])
    version = tmp_path / "version"
    version.write_text("1")
    worker = Worker([Place("m", tmp_path)], engine=str(version), seconds=20)
    told: list[Any] = [worker.start(), worker.start()]
    assert told == [[{"version": "1"}]] * 2
    version.write_text("2")
    with pytest.raises(ExchangedError):
        worker.start()
    assert worker.has_died()
    worker.close()


def test_what_was_asked_of_one_version_is_not_computed_by_another() -> None:
    one, two = HOSTED, replace(HOSTED, version="w", index=1)
    assert same(Crew([], [one, two]), two) is two
    with pytest.raises(ProblemError, match="exchanged"):
        same(Crew([], [one]), two)
    with pytest.raises(ExchangedError):
        agreed([[one], [two]])


def test_an_explanation_is_not_computed_by_a_changed_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save(folder)
    version = version_of([folder])
    examiner = Examiner(load(folder, engine="torch"), folder, version=version)
    way = Preparation(32, "stretch", 10**6)
    squares, picture = {way: np.zeros((32, 32, 3), np.uint8)}, np.zeros((8, 8, 3), np.uint8)
    asked = Wish(cases=1, lesion=False)
    assert "no index" in examiner.examine(asked, squares, picture).missing["cases"]
    text = (folder / "model.json").read_text(encoding="utf-8")
    (folder / "model.json").write_text(text + " ", encoding="utf-8")
    examiner = Examiner(load(folder, engine="torch"), folder, version=version)
    for wish in (asked, Wish(methods=("occlusion",), lesion=False)):
        with pytest.raises(ExchangedError, match="was changed since"):
            examiner.examine(wish, squares, picture)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise TypeError('Jane Doe')", "by TypeError"),
        ("import os; os.kill(os.getpid(), 9)", "by signal 9"),
        ("import sys; sys.exit('Jane')", "with exit code 1"),
        ("import os; os._exit(7)", "with exit code 7"),
    ],
)
def test_the_log_says_of_what_a_worker_died_and_nothing_of_the_request(
    code: str, told: str
) -> None:
    worker = Worker([], engine="auto", seconds=1)
    command = [sys.executable, "-c", code]
    worker._process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=worker._remarks
    )
    worker._process.wait()
    assert worker._why_died() == told
    worker.close()


def test_the_log_says_that_a_worker_was_too_slow() -> None:
    worker = Worker([], engine="auto", seconds=0.1)
    worker._process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=worker._remarks,
    )
    with pytest.raises(WorkerDiedError, match=r"^after 0\.1 seconds without an answer$"):
        worker.ask(0, [], {})
    worker.close()
