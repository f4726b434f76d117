"""What the service does with a request, whoever asks: a program, or the page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from lentigo.config.serving import ServingConfig
from lentigo.errors import LentigoError
from lentigo.inference.decide import Decision, decision
from lentigo.inference.served import Question, Reply, Row
from lentigo.service.asked import Asked
from lentigo.service.audit_log import AuditLog, Entry
from lentigo.service.decoding import Decoder, Prepared
from lentigo.service.problems import ProblemError, wrong_field
from lentigo.service.queue import Crew, Queue
from lentigo.service.telemetry import Telemetry
from lentigo.service.upload import FILES
from lentigo.service.worker import Hosted, Place


@dataclass(frozen=True)
class Answered:
    """A request with its answer."""

    request_id: str
    asked: Asked
    model: Hosted
    decision: Decision
    files: list[Prepared]
    images: list[Row | None]
    """One a file; None where it could not be decoded."""
    lesions: list[Row]


class Service:
    """Models, workers, decoders and logs; made once, used by all requests."""

    def __init__(
        self, places: Sequence[Place], config: ServingConfig, telemetry: Telemetry
    ) -> None:
        self.places, self.config, self.telemetry = tuple(places), config, telemetry
        self.decoder = Decoder(max_pixels=config.max_pixels)
        self.queue = Queue(
            lambda: self.places,
            engine=config.engine,
            workers=config.workers,
            batch=config.batch,
            limit=config.queue,
            seconds=config.answer_seconds,
            computed=telemetry.batch_computed,
        )
        self._audit = AuditLog(config.audit_log) if config.audit_log else None
        self._audit_turn = asyncio.Lock()

    async def start(self) -> None:
        """Load the models; raises `LentigoError` where one cannot be loaded."""
        await self.queue.load()
        await asyncio.to_thread(self.decoder.start)
        for model in self.queue.crew.models:
            self.telemetry.log(
                "model", name=model.name, version=model.version, engine=model.engine
            )

    async def reload(self) -> None:
        """Load the models anew; what cannot be loaded leaves those before in place."""
        try:
            await self.queue.load()
        except (LentigoError, OSError, ValueError) as error:
            self.telemetry.log("reload failed", error=str(error))
            return
        told = [f"{each.name}@{each.version}" for each in self.queue.crew.models]
        self.telemetry.log("reloaded", models=told)

    async def close(self) -> None:
        """Answer what waits, then end all processes."""
        await self.queue.close()
        await asyncio.to_thread(self.decoder.close)
        if self._audit is not None:
            self._audit.close()

    def model(self, wanted: str) -> tuple[Crew, Hosted]:
        """Return the model that a request wants; `ProblemError` where there is none."""
        crew = self.queue.crew
        with suppress(KeyError):
            return crew, crew.find(wanted)
        known = ", ".join(dict.fromkeys(each.name for each in crew.models))
        raise wrong_field("model", f"There is no such model or version. Models: {known}.")

    async def predict(
        self, files: Sequence[bytes], asked: Asked, request_id: str
    ) -> Answered:
        """Answer a request.

        Raises `ProblemError`: 422 for fields that do not fit the model, 503 where the
        queue is full.
        """
        if not files:
            raise wrong_field(FILES, "Send one image at least.")
        crew, model = self.model(asked.model)
        decided = _decision(model, asked)
        room = self.queue.room
        room.enter(len(files))
        try:
            async with asyncio.timeout(self.config.answer_seconds):
                answered = await self._answer(
                    files, Answered(request_id, asked, model, decided, [], [], []), crew
                )
        except TimeoutError:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "not-ready",
                f"No answer within {self.config.answer_seconds:g} s; try again.",
                headers={"retry-after": "5"},
            ) from None
        finally:
            room.leave(len(files))
        await self._noted(answered)
        return answered

    async def _answer(
        self, files: Sequence[bytes], answered: Answered, crew: Crew
    ) -> Answered:
        model, asked = answered.model, answered.asked
        found = await asyncio.to_thread(self.decoder.prepare, files, model.ways)
        there = [place for place, each in enumerate(found) if not each.reason]
        images: list[Row | None] = [None] * len(found)
        reply = Reply([], [])
        if there:
            lesions = tuple(asked.lesions[place] for place in there if asked.lesions)
            question = Question(
                len(there), lesions, asked.prevalence, asked.operating_point
            )
            squares = {w: [found[p].squares[w] for p in there] for w in model.ways}
            reply = await self.queue.ask(crew, model, question, squares)
            for place, row in zip(there, reply.images, strict=True):
                images[place] = row
        bare = [Prepared(each.sha256, each.size, {}, each.reason) for each in found]
        return Answered(
            answered.request_id, asked, model, answered.decision, bare, images,
            reply.lesions,
        )  # fmt: skip

    async def _noted(self, answered: Answered) -> None:
        model = answered.model
        for row in answered.images:
            outcome = "refused" if row is None else "doubted" if row["reason"] else "fine"
            self.telemetry.images.labels(model.name, model.version, outcome).inc()
        if self._audit is None:
            return
        async with self._audit_turn:
            await asyncio.to_thread(self._audit.add, _entry(answered))


def _decision(model: Hosted, asked: Asked) -> Decision:
    try:
        return decision(
            model.points,
            meant_for=model.prevalence,
            prevalence=asked.prevalence,
            operating_point=asked.operating_point,
        )
    except LentigoError as error:
        name = "prevalence" if "share" in str(error) else "operating_point"
        raise wrong_field(name, str(error)) from None


def _entry(answered: Answered) -> Entry:
    """Return what is written down: numbers and words of ours, no id that was sent."""
    images = [
        {"reason": "not decoded", "probability": None} if row is None else _kept(row)
        for row in answered.images
    ]
    lesions = [_kept(row) for row in answered.lesions]
    return Entry(
        request=answered.request_id,
        model=answered.model.name,
        version=answered.model.version,
        engine=answered.model.engine,
        images=tuple(each.sha256 for each in answered.files),
        answer={"images": images, "lesions": lesions},
    )


_NOT_KEPT = {"image_id", "lesion_id", "group_id"}


def _kept(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _NOT_KEPT}
