"""Explain the images of a request: outline of the lesion, similar cases, heat maps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from lentigo.errors import ImageError
from lentigo.explanation.served import CASES, LESION, Examined, Gaps, Wish
from lentigo.inference.served import Row
from lentigo.service.decoding import Decoder, Prepared, Square
from lentigo.service.problems import wrong_field
from lentigo.service.queue import Closer, Crew, DiedOverItError, Queue
from lentigo.service.worker import Hosted, RefusedError

METHODS_FIELD = "methods"
"""Name of the request fields that choose the methods of heat maps."""
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


@dataclass(frozen=True)
class Material:
    """One image of a request with its prediction and explanation."""

    file: Prepared
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


@dataclass(frozen=True)
class Eye:
    """Explains the images of one request, with the processes that decode and compute."""

    queue: Queue
    decoder: Decoder
    crew: Crew
    model: Hosted
    look: Look

    async def seen(
        self,
        content: bytes,
        file: Prepared,
        row: Row | None,
        ids: tuple[str, str],
        *,
        close: bool,
    ) -> Material:
        """Return the `Material` of one image, explained if `close`.

        `content` is the image file, `row` its prediction, `ids` those of its patient and
        lesion. Raises `ProblemError` 422 for a map method that the model does not allow.
        """
        if row is None:
            return Material(file, None)
        try:
            picture = await asyncio.to_thread(
                self.decoder.picture, content, side=self.look.side
            )
        except ImageError:
            return Material(file, row)
        if not close:
            return Material(file, row, picture)
        examined = await self._examined(file, picture, ids)
        square = file.squares[max(self.model.ways, key=lambda each: each.size)]
        pictures = {}
        if self.look.case_pictures:
            pictures = await asyncio.to_thread(self._of_cases, examined)
        return Material(file, row, picture, square, examined, pictures)

    async def _examined(
        self, file: Prepared, picture: Square, ids: tuple[str, str]
    ) -> Examined:
        wish = Wish(
            methods=self.look.methods,
            cases=self.look.cases,
            size=file.size or (0, 0),
            patient=ids[0],
            own_lesion=ids[1],
        )
        small = Image.fromarray(picture)
        small.thumbnail((EXAMINED_SIDE, EXAMINED_SIDE))
        closer = Closer(wish, np.array(small))
        squares = {way: [file.squares[way]] for way in self.model.ways}
        try:
            return await self.queue.examine(self.crew, self.model, closer, squares)
        except RefusedError as error:
            raise wrong_field(METHODS_FIELD, str(error)) from None
        except DiedOverItError as error:
            gaps = Gaps()
            for part in (LESION, CASES):
                gaps.add(part, "died", str(error))
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
