"""The service itself: it answers requests of programs and of the page."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from lentigo.config.serving import ServingConfig
from lentigo.errors import LentigoError
from lentigo.inference.decide import Decision, decision
from lentigo.inference.served import FEATURES, MEMO, Memo, Question, Reply, Row
from lentigo.progress import log
from lentigo.service.answered import Answered
from lentigo.service.asked import Asked
from lentigo.service.audit_log import AuditLog, Entry
from lentigo.service.closer import Eye, Look, Material, Times
from lentigo.service.crew import Crew
from lentigo.service.decoding import Decoder, Prepared
from lentigo.service.memo import BEFORE_FIELD, Notary, no_note
from lentigo.service.problems import ProblemError, not_ready, wrong_field
from lentigo.service.queue import DiedOverItError, Queue
from lentigo.service.telemetry import Telemetry
from lentigo.service.upload import FILES
from lentigo.service.worker import Hosted, Place, RefusedError

T = TypeVar("T")

EXPLAINED = 4
"""Number of images that an explained image counts as in the queue: it takes longer."""
_FOR_MAPS = 0.75
"""Share of the time for an answer in which maps are drawn. Without the rest, a slow map
would take the answer away, and not only itself."""
_AT_MOST = 0.9
"""Share of the time for an answer after which a map is given up."""
_WAITED_FOR = 0.95
"""Share of the time for an answer after which no explanation is waited for. Each of these
leaves the answer itself."""


class Service:
    """Models, workers, decoders and logs, which all requests share."""

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
        self.notary = Notary()
        self._audit = AuditLog(config.audit_log) if config.audit_log else None
        self._audit_turn = asyncio.Lock()
        self._audit_failed = -1.0
        """When the audit log last could not be written, by the monotonic clock."""

    async def start(self) -> None:
        """Load the models and start decoding; raise `LentigoError` if a model fails."""
        await self.queue.load()
        await asyncio.to_thread(self.decoder.start)
        for model in self.queue.crew.models:
            self.telemetry.log(
                "model", name=model.name, version=model.version, engine=model.engine
            )
        self._say_unread()

    async def reload(self) -> None:
        """Reload the models; if one cannot be loaded, keep the present ones and log it."""
        try:
            await self.queue.load()
        except (LentigoError, OSError, ValueError) as error:
            self.telemetry.log("reload failed", error=str(error))
            return
        told = [f"{each.name}@{each.version}" for each in self.queue.crew.models]
        self.telemetry.log("reloaded", models=told)
        self._say_unread()

    def _say_unread(self) -> None:
        for model in self.queue.crew.models:
            if said := model.unread_said:
                log.warning("%s: %s", model.name, said)

    async def close(self) -> None:
        """Answer waiting requests, then end all processes and close the audit log."""
        await self.queue.close()
        await asyncio.to_thread(self.decoder.close)
        if self._audit is not None:
            self._audit.close()

    def model(self, wanted: str) -> tuple[Crew, Hosted]:
        """Return the model `wanted` and its crew; raise `ProblemError` 422 if unknown."""
        crew = self.queue.crew
        with suppress(KeyError):
            return crew, crew.find(wanted)
        known = ", ".join(dict.fromkeys(each.name for each in crew.models))
        raise wrong_field("model", f"There is no such model or version. Models: {known}.")

    async def predict(
        self, files: Sequence[bytes], asked: Asked, request_id: str
    ) -> Answered:
        """Predict the images of a request, or without images the lesions of its notes.

        Raises `ProblemError`: 422 for fields that do not fit the model, 503 if the queue is
        full or there is no answer within the time limit.
        """
        crew, answered = self._begun(files, asked, request_id)
        async with self._admitted(max(1, len(files))):
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
        """Predict the images of a request, and explain those at `look.places`.

        `show` turns the material of each image into its answer, in a thread. Until all is
        done, the images count in the queue; with maps, an explained image counts as 4.

        Raises what `predict` raises, and 422 for a map method that the model does not
        allow.
        """
        if not files:
            raise no_image()
        crew, answered = self._begun(files, asked, request_id)
        until = self._until(look.places)
        begun, whole = time.monotonic(), self.config.answer_seconds
        end, last = begun + _AT_MOST * whole, begun + _WAITED_FOR * whole
        weight = len(files) + (EXPLAINED - 1) * len(until) * bool(look.methods)
        async with self._admitted(weight):
            about = (asked.age, asked.sex, asked.our_site)
            eye = Eye(
                self.queue, self.decoder, crew, answered.model, look, about, end, last
            )
            drawing = asyncio.create_task(eye.picture(files[0]))
            try:
                found = await self._decoded(files, answered.model)
            finally:  # its thread ends before the images leave the queue
                first = await drawing
            answered = await self._answer(found, answered, crew)
            shown, times = [], Times(until, end)
            for place, content in enumerate(files):
                row, own = answered.images[place], found[place]
                ids = asked.ids(place)
                with times.of(place) as by:
                    seen = await eye.seen(
                        content, own, row, ids, until=by,
                        picture=None if place else first,
                    )  # fmt: skip
                    seen = replace(seen, place=place)
                    shown.append(await asyncio.to_thread(show, seen))
            await self._noted(answered)
        return answered, shown

    def _until(self, places: Sequence[int]) -> dict[int, float]:
        """Return by when each image is to be explained, by the monotonic clock.

        The images at `places` share the time; what an early one leaves is for those after.
        """
        now, whole = time.monotonic(), _FOR_MAPS * self.config.answer_seconds
        shares = enumerate(sorted(set(places)), start=1)
        return {place: now + whole * nth / len(set(places)) for nth, place in shares}

    def _begun(
        self, files: Sequence[bytes], asked: Asked, request_id: str
    ) -> tuple[Crew, Answered]:
        if not files and not asked.before:
            raise no_image()
        crew, model = self.model(asked.model)
        self._before(model, asked)  # refused before anything is decoded
        return crew, Answered(request_id, asked, model, _decision(model, asked), [], [], [])

    @asynccontextmanager
    async def _admitted(self, images: int) -> AsyncIterator[None]:
        """Count `images` in the queue during the block, which has a time limit.

        Raises `ProblemError` 503 if the queue is full, if the workers are being started
        and will not be ready within the time limit, or if the block takes too long.
        """
        room, queue, limit = self.queue.room, self.queue, self.config.answer_seconds
        if (wait := queue.seconds_until_ready) > limit:
            raise not_ready(
                f"The models are being loaded; try again in {math.ceil(wait)} s.", wait
            )
        room.enter(images)
        try:
            async with asyncio.timeout(limit):
                yield
        except TimeoutError:
            # A worker that computed as long as this is killed, and its place loads anew.
            wait = max(5, queue.seconds_until_ready or queue.load_seconds)
            said = f"No answer within {limit:g} s; try again in {math.ceil(wait)} s."
            raise not_ready(said, wait) from None
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
        answered = replace(answered, before=self._before(answered.model, answered.asked))
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
        for row in reply.lesions:
            if MEMO in row:
                row[MEMO] = self._note(row, images, answered)
        bare = [Prepared(each.sha256, each.size, {}, each.reason) for each in found]
        return replace(answered, files=bare, images=images, lesions=reply.lesions)

    def _note(self, row: Row, images: Sequence[Row | None], answered: Answered) -> str:
        """Return the note of a lesion, which counts its unreadable images, too."""
        memo = dict(row[MEMO])
        own = answered.places(row)
        memo["left_out"] += sum(images[place] is None for place in own)
        about = _about(answered.model, answered.asked)
        patient, lesion = answered.ids(row)
        return self.notary.written(
            memo, about, patient=patient, lesion=lesion, request=answered.request_id
        )

    def _before(self, model: Hosted, asked: Asked) -> tuple[Memo, ...]:
        """Return what the notes of a request say, in the order of the request.

        Raises `ProblemError` 422 for a note of none of its patients and lesions, for two
        of one lesion and, without images, for notes of several patients.
        """
        about = _about(model, asked)
        found = tuple(self.notary.read(each, about) for each in asked.before)
        own = {asked.ids(place) for place in range(len(asked.lesions))}
        patients = {patient for patient, _ in own} or {each.patient for each in found[:1]}
        for each in found:
            known = (each.patient, each.lesion) in own
            if not known and (not each.patient or each.patient not in patients):
                raise no_note()
        if len({(each.patient, each.lesion) for each in found}) < len(found):
            raise wrong_field(BEFORE_FIELD, "Two of the notes are of one lesion.")
        return found

    async def _reply(
        self, found: list[Prepared], there: list[int], answered: Answered, crew: Crew
    ) -> Reply:
        model, asked = answered.model, answered.asked
        if not there and (found or not answered.before):
            return Reply([], [])
        lesions = tuple(asked.lesion_keys[place] for place in there if asked.lesions)
        patients = tuple(asked.patients[place] for place in there if asked.patients)
        question = Question(
            len(there), lesions, patients, asked.prevalence, asked.operating_point,
            asked.features, age=asked.age, sex=asked.sex, site=asked.our_site,
            numbers=tuple(place + 1 for place in there), memo=asked.memo,
            before=answered.keyed,
        )  # fmt: skip
        squares = {way: [found[p].squares[way] for p in there] for way in model.ways}
        try:
            return await self.queue.ask(crew, model, question, squares)
        except RefusedError as error:
            raise wrong_field(FILES, str(error)) from None

    async def _survivors(
        self, found: list[Prepared], there: list[int], answered: Answered, crew: Crew
    ) -> list[int]:
        """Return the positions of images that do not kill a worker; others get a reason."""
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
        """Write an answer to the audit log and count it; nobody gets one that is not noted.

        Raises `ProblemError` 503 if the log cannot be written now.
        """
        if self._audit is not None:
            begun = time.monotonic()
            async with self._audit_turn:
                # Who waited while it failed would only fail later.
                if self._audit_failed < begun:
                    await self._written(self._audit, _entry(answered))
            if self._audit_failed >= begun:
                raise not_ready("The audit log cannot be written now.")
        model = answered.model
        for row in answered.images:
            outcome = "refused" if row is None else "doubted" if row["reason"] else "fine"
            self.telemetry.images.labels(model.name, model.version, outcome).inc()

    async def _written(self, audit: AuditLog, entry: Entry) -> None:
        """Add an entry to the audit log; that it failed is noted in `_audit_failed`.

        If the request runs out of time meanwhile, this still ends with the writing.
        """
        adding = asyncio.create_task(asyncio.to_thread(audit.add, entry))
        try:
            await asyncio.shield(adding)
        except asyncio.CancelledError:
            await asyncio.wait([adding])
            raise
        except sqlite3.OperationalError as error:
            self._audit_failed = time.monotonic()
            log.error("The audit log cannot be written: %s.", error)


def no_image() -> ProblemError:
    """Return the problem (422) of a request without the images that it needs."""
    return wrong_field(FILES, "Send one image at least.")


def _about(model: Hosted, asked: Asked) -> list[object]:
    """Return what all images of a patient have in common, whose notes go together."""
    return [model.version, asked.age, asked.sex, asked.our_site]


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
    """Return the entry for the audit log, without any id that the client sent."""
    images = [
        {"reason": "not decoded", "probability": None} if row is None else _kept(row)
        for row in answered.images
    ]
    lesions = [_kept(row) for row in answered.lesions]
    answer: dict[str, Any] = {"images": images, "lesions": lesions}
    if answered.before:  # the requests in whose entries the earlier images stand
        answer["before"] = [each.request for each in answered.before]
    return Entry(
        request=answered.request_id,
        model=answered.model.name,
        version=answered.model.version,
        engine=answered.model.engine,
        images=tuple(each.sha256 for each in answered.files),
        answer=answer,
    )


_NOT_KEPT = {"image_id", "lesion_id", "group_id", FEATURES, MEMO}


def _kept(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _NOT_KEPT}
