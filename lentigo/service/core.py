"""What the service does with a request, whoever asks: a program, or the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from lentigo.config.serving import ServingConfig
from lentigo.errors import LentigoError
from lentigo.inference.decide import Decision, decision
from lentigo.inference.served import FEATURES, Question, Reply, Row
from lentigo.service.asked import Asked
from lentigo.service.audit_log import AuditLog, Entry
from lentigo.service.closer import Eye, Look, Material
from lentigo.service.decoding import Decoder, Prepared
from lentigo.service.problems import not_ready, wrong_field
from lentigo.service.queue import Crew, DiedOverItError, Queue
from lentigo.service.telemetry import Telemetry
from lentigo.service.upload import FILES
from lentigo.service.worker import Hosted, Place

T = TypeVar("T")

EXPLAINED = 4
"""Images that an explained one counts as: it takes many times as long."""


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
        crew, answered = self._begun(files, asked, request_id)
        async with self._admitted(len(files)):
            found = await self._decoded(files, answered.model)
            answered = await self._answer(found, answered, crew)
        await self._noted(answered)
        return answered

    async def read(
        self,
        files: Sequence[bytes],
        asked: Asked,
        request_id: str,
        look: Look,
        show: Callable[[Material], T],
    ) -> tuple[Answered, list[T]]:
        """Answer a request, and look closer at its images.

        `show` makes of each image what its answer holds, in a thread. All of it counts as
        under way until it is done; an image that is explained counts as several.

        Raises what `predict` does, and 422 for a method that the model does not allow.
        """
        crew, answered = self._begun(files, asked, request_id)
        close = min(len(files), self.config.max_explained)
        weight = len(files) + (EXPLAINED - 1) * close * bool(look.methods)
        async with self._admitted(weight):
            found = await self._decoded(files, answered.model)
            answered = await self._answer(found, answered, crew)
            eye = Eye(self.queue, self.decoder, crew, answered.model, look)
            shown = []
            for place, content in enumerate(files):
                row, own = answered.images[place], found[place]
                ids = asked.ids(place)
                seen = await eye.seen(content, own, row, ids, close=place < close)
                shown.append(await asyncio.to_thread(show, replace(seen, place=place)))
        await self._noted(answered)
        return answered, shown

    def _begun(
        self, files: Sequence[bytes], asked: Asked, request_id: str
    ) -> tuple[Crew, Answered]:
        if not files:
            raise wrong_field(FILES, "Send one image at least.")
        crew, model = self.model(asked.model)
        return crew, Answered(request_id, asked, model, _decision(model, asked), [], [], [])

    @asynccontextmanager
    async def _admitted(self, images: int) -> AsyncIterator[None]:
        """Count images as under way, for a bounded time."""
        room = self.queue.room
        room.enter(images)
        try:
            async with asyncio.timeout(self.config.answer_seconds):
                yield
        except TimeoutError:
            raise not_ready(
                f"No answer within {self.config.answer_seconds:g} s; try again."
            ) from None
        except DiedOverItError as error:
            raise not_ready(str(error)) from None
        finally:
            room.leave(images)

    async def _decoded(self, files: Sequence[bytes], model: Hosted) -> list[Prepared]:
        return await asyncio.to_thread(self.decoder.prepare, files, model.ways)

    async def _answer(
        self, found: list[Prepared], answered: Answered, crew: Crew
    ) -> Answered:
        there = [place for place, each in enumerate(found) if not each.reason]
        try:
            reply = await self._reply(found, there, answered, crew)
        except DiedOverItError:
            if len(there) == 1:
                raise
            there = await self._survivors(found, there, answered, crew)
            reply = await self._reply(found, there, answered, crew)
        images: list[Row | None] = [None] * len(found)
        for place, row in zip(there, reply.images, strict=True):
            images[place] = row
        bare = [Prepared(each.sha256, each.size, {}, each.reason) for each in found]
        return replace(answered, files=bare, images=images, lesions=reply.lesions)

    async def _reply(
        self, found: list[Prepared], there: list[int], answered: Answered, crew: Crew
    ) -> Reply:
        if not there:
            return Reply([], [])
        model, asked = answered.model, answered.asked
        lesions = tuple(asked.lesions[place] for place in there if asked.lesions)
        question = Question(
            len(there), lesions, asked.prevalence, asked.operating_point, asked.features,
            age=asked.age, sex=asked.sex, site=asked.our_site,
        )  # fmt: skip
        squares = {way: [found[p].squares[way] for p in there] for way in model.ways}
        return await self.queue.ask(crew, model, question, squares)

    async def _survivors(
        self, found: list[Prepared], there: list[int], answered: Answered, crew: Crew
    ) -> list[int]:
        """Return the images over which no worker dies; the others get their reason."""
        survivors = []
        for place in there:
            try:
                await self._reply(found, [place], answered, crew)
            except DiedOverItError as error:
                found[place] = replace(found[place], squares={}, reason=str(error))
            else:
                survivors.append(place)
        if not survivors:
            raise DiedOverItError("The process that computes died over each image.")
        return survivors

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


_NOT_KEPT = {"image_id", "lesion_id", "group_id", FEATURES}


def _kept(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _NOT_KEPT}
