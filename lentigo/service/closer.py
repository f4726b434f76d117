"""A closer look at the images of a request: lesion, similar cases, maps."""

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
"""Name of the fields that choose maps."""
EXAMINED_SIDE = 640
"""Pixels of the longer side of the picture in which a lesion is looked for."""
_CASE_SIDE = 240
"""Pixels of the longer side of the picture of a similar case."""


@dataclass(frozen=True)
class Look:
    """What is wanted of each image beside its prediction."""

    methods: tuple[str, ...] = ()
    """Maps, as in `Wish`."""
    cases: int = 5
    side: int = EXAMINED_SIDE
    """Pixels of the longer side of the picture, at most."""
    case_pictures: bool = False
    """Whether pictures of similar cases are wanted, where their files are at hand."""


@dataclass(frozen=True)
class Material:
    """All that an image gives to be shown."""

    file: Prepared
    row: Row | None
    picture: Square | None = None
    """(H, W, 3); None where it cannot be decoded."""
    square: Square | None = None
    """What maps are drawn on, (S, S, 3)."""
    examined: Examined | None = None
    """None where it was not looked at closer."""
    case_pictures: dict[int, Square] = field(default_factory=dict)
    """By the rank of the case."""
    place: int = 0


@dataclass(frozen=True)
class Eye:
    """What looks closer, for one request."""

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
        """Return what one image gives; `ids` are those of its patient and its lesion.

        Only a `close` one is examined. Raises `ProblemError` 422 for a method that the
        model does not allow.
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
