"""Explain the images of a request: outline of the lesion, similar cases, heat maps."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lentigo.errors import ImageError
from lentigo.explanation.registry import METHODS
from lentigo.explanation.run import ALL
from lentigo.explanation.served import CASES, LESION, TOO_SLOW, Examined, Gaps, Wish
from lentigo.inference.served import Row
from lentigo.service.crew import Closer, Crew
from lentigo.service.decoding import Decoder, Prepared, Square
from lentigo.service.problems import wrong_field
from lentigo.service.queue import DiedOverItError, Queue
from lentigo.service.worker import Hosted, RefusedError, UnexplainedError

METHODS_FIELD = "methods"
"""Name of the request fields that choose the methods of heat maps."""
EXPLAIN_FIELD = "explain"
"""Name of the request fields that choose the images to be explained."""
EXAMINED_SIDE = 640
"""Longer side, in pixels, of the image in which the lesion is segmented."""
_CASE_SIDE = 240
"""Longer side, in pixels, of the picture of a similar case."""


@dataclass(frozen=True)
class Look:
    """The parts of an explanation that a request asks for, beside predictions."""

    methods: tuple[str, ...] = ()
    """Methods of heat maps, as in `Wish`."""
    cases: int = 5
    """Number of similar cases."""
    side: int = EXAMINED_SIDE
    """Most pixels of the longer side of `Material.picture`."""
    case_pictures: bool = False
    """Whether to read the pictures of similar cases whose files exist."""
    places: tuple[int, ...] = ()
    """Positions, from 0, of the images of the request that are explained."""
    beside: Callable[[Square], Any] | None = None
    """Called in a thread with the picture of each image, while it is explained."""


@dataclass(frozen=True)
class Material:
    """One image of a request with its prediction and explanation."""

    file: Prepared
    """The file that was sent, decoded or not."""
    row: Row | None
    """The prediction; None if the file could not be decoded."""
    picture: Square | None = None
    """The image, (H, W, 3); None if it could not be decoded."""
    square: Square | None = None
    """The largest square that a network gets, (S, S, 3), on which maps are drawn."""
    examined: Examined | None = None
    """The explanation; None if none was computed."""
    case_pictures: dict[int, Square] = field(default_factory=dict)
    """Pictures of similar cases, by the rank of the case."""
    place: int = 0
    """Position of the image in the request, from 0."""
    beside: Any = None
    """What `Look.beside` returned for the picture; None without a picture."""


def chosen(values: Sequence[str], *, images: int, most: int) -> tuple[int, ...]:
    """Return the positions, from 0, of the images that a request wants explained.

    `values` hold the numbers of these images, from 1, separated by commas or spaces;
    without any, the first `most` images are meant. Raises `ProblemError` 422 for a number
    that is not that of an image, and for more than `most` of them.
    """
    words = [word for value in values for word in re.split(r"[\s,;，、]+", value) if word]
    if not words:
        return tuple(range(min(images, most)))
    known = {str(place + 1): place for place in range(images)}
    if any(word not in known for word in words):
        raise wrong_field(
            EXPLAIN_FIELD, f"It has numbers of images: from 1 to {images}, not else."
        )
    places = tuple(dict.fromkeys(known[word] for word in words))
    if len(places) > most:
        raise wrong_field(EXPLAIN_FIELD, f"At most {most} of the images at once.")
    return places


@dataclass
class Times:
    """By when the images of a request are to be explained, seeing how long each takes."""

    until: dict[int, float]
    """By the position of an image, when its share of the time ends."""
    end: float
    """When the last map has to be done, by the monotonic clock."""
    _longest: float = 0.0

    @contextmanager
    def of(self, place: int) -> Iterator[float | None]:
        """Yield by when the image at `place` is to be explained; None if it is not at all.

        Where a map as slow as those before would end too late, that time is over already.
        """
        begun, own = time.monotonic(), self.until.get(place)
        yield -math.inf if own is not None and begun + self._longest > self.end else own
        if own is not None:
            self._longest = max(self._longest, time.monotonic() - begun)


@dataclass(frozen=True)
class Eye:
    """Explains the images of one request, with the processes that decode and compute."""

    queue: Queue
    decoder: Decoder
    crew: Crew
    model: Hosted
    look: Look
    """What is to be explained, and how."""
    about: tuple[float | None, str, str] = (None, "", "")
    """Age in years, sex and site of the patient, as for the prediction."""
    end: float = math.inf
    """When a map that is not done is given up, by the monotonic clock."""
    last: float = math.inf
    """When an explanation is no longer waited for, so that the answer comes without it."""

    async def seen(
        self,
        content: bytes,
        file: Prepared,
        row: Row | None,
        ids: tuple[str, str],
        *,
        until: float | None,
        picture: Square | None = None,
    ) -> Material:
        """Return the `Material` of one image, explained unless `until` is None.

        A map that would not be done at `until`, by the monotonic clock, is missing, and so
        is an explanation that is not there at `last`.
        `content` is the image file, `row` its prediction, `ids` those of its patient and
        lesion, `picture` what `picture` returned if it was called before. Raises
        `ProblemError` 422 for a map method that the model does not allow.
        """
        if row is None:
            return Material(file, None)
        if picture is None:
            picture = await self.picture(content)
        if picture is None:
            return Material(file, row)
        if until is None:
            return Material(file, row, picture, beside=await self._beside(picture))
        drawing = asyncio.create_task(self._beside(picture))
        try:
            examined = await self._examined(file, picture, ids, until)
        finally:  # its thread ends before the images leave the queue
            beside = await drawing
        square = file.squares[max(self.model.ways, key=lambda each: each.size)]
        pictures = {}
        if self.look.case_pictures:
            pictures = await asyncio.to_thread(self._of_cases, examined)
        return Material(file, row, picture, square, examined, pictures, beside=beside)

    async def picture(self, content: bytes) -> Square | None:
        """Return the picture of an image file; None if it cannot be decoded."""
        try:
            return await asyncio.to_thread(
                self.decoder.picture, content, side=self.look.side
            )
        except ImageError:
            return None

    async def _beside(self, picture: Square) -> Any:
        if self.look.beside is None:
            return None
        return await asyncio.to_thread(self.look.beside, picture)

    async def _examined(
        self, file: Prepared, picture: Square, ids: tuple[str, str], until: float
    ) -> Examined:
        wish = Wish(
            methods=self.look.methods,
            cases=self.look.cases,
            size=file.size or (0, 0),
            patient=ids[0],
            own_lesion=ids[1],
            age=self.about[0],
            sex=self.about[1],
            site=self.about[2],
        )
        small = Image.fromarray(picture)
        small.thumbnail((EXAMINED_SIDE, EXAMINED_SIDE))
        closer = Closer(wish, np.array(small), until, self.end)
        squares = {way: [file.squares[way]] for way in self.model.ways}
        try:
            async with asyncio.timeout(max(0.0, self.last - time.monotonic())):
                return await self.queue.examine(self.crew, self.model, closer, squares)
        except RefusedError as error:
            raise wrong_field(METHODS_FIELD, str(error)) from None
        except (DiedOverItError, UnexplainedError) as error:
            return self._nothing("died", str(error))
        except TimeoutError:
            return self._nothing(*TOO_SLOW)

    def _nothing(self, kind: str, said: str) -> Examined:
        """Return an explanation without any of the parts that were asked for."""
        gaps, methods = Gaps(), self.look.methods
        for part in (LESION, CASES, *(METHODS if ALL in methods else methods)):
            gaps.add(part, kind, said)
        return Examined(missing=gaps.said, reasons=gaps.kinds)

    def _of_cases(self, examined: Examined) -> dict[int, Square]:
        found = {}
        for each in examined.cases:
            if each["path"]:
                try:
                    found[each["rank"]] = self.decoder.picture(
                        Path(each["path"]), side=_CASE_SIDE
                    )
                except ImageError:
                    continue  # moved or replaced since the training
        return found
