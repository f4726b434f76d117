"""Images to predict, held in columns: a list of objects would take 480 bytes an image."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

_LETTERS = "utf-8", "surrogatepass"
"""Encoding of a text that may hold the bytes of a file name that are no UTF-8."""
_NONE = b"\xff"
"""Stands for None: no text in UTF-8 has this byte."""
_TEXTS = (
    "image_id", "path", "group_id", "dataset", "lesion_id", "sex", "site", "patient_id"
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """One image to predict: a file, or an array of pixels."""

    image_id: str
    path: Path | None = None
    """File of the image; None for an array."""
    image: NDArray[np.uint8] | None = None
    """Pixels, (H, W, 3) RGB; None for a file."""
    group_id: str | None = None
    """Id of the group (patient, lesion or other unit); None if no table gives it."""
    dataset: str | None = None
    """Name of the data set; None if no table gives it."""
    lesion_id: str | None = None
    """Id of the lesion in that data set; None if no table gives it."""
    age: float | None = None
    """Age of the patient in years; None if no table gives it."""
    sex: str | None = None
    """One of `lentigo.tables.SEXES`; None if unknown."""
    site: str | None = None
    """One of `lentigo.tables.SITES`; None if unknown."""
    patient_id: str | None = None
    """Id of the patient in that data set; None if no table gives it."""
    from_table: bool = False
    """Whether `image_id` is from a table. It is then never changed, since tables of labels
    may refer to it."""


@dataclass(frozen=True)
class Texts:
    """N texts, or None, one behind the other in one array of bytes."""

    letters: NDArray[np.uint8]
    starts: NDArray[np.int64]
    """Where each text starts in `letters`, and where the last one ends, (N + 1,)."""

    def __getitem__(self, place: int) -> str | None:
        own = self.letters[self.starts[place] : self.starts[place + 1]].tobytes()
        return None if own == _NONE else str(own, *_LETTERS)

    def part(self, start: int, stop: int) -> Texts:
        """Return the texts from position `start` to before `stop`; none is copied."""
        starts = self.starts[start : stop + 1]
        return Texts(self.letters[starts[0] : starts[-1]], starts - starts[0])


class _Growing:
    """Texts that are added one by one."""

    def __init__(self) -> None:
        self._letters, self._starts, self._known = bytearray(), array("q", [0]), False

    def add(self, text: str | None) -> None:
        self._known |= text is not None
        self._letters += _NONE if text is None else text.encode(*_LETTERS)
        self._starts.append(len(self._letters))

    def done(self) -> Texts | None:
        """Return the texts; None where none was added but None."""
        if not self._known:
            return None
        return Texts(
            np.frombuffer(self._letters, np.uint8), np.frombuffer(self._starts, np.int64)
        )


@dataclass(frozen=True, eq=False)
class Sources(Sequence[Source]):
    """N images in columns; each becomes a `Source` when it is asked for.

    None of them is an array of pixels.
    """

    texts: dict[str, Texts]
    """By field of `Source`, its N texts. A field that no image has is left out."""
    age: NDArray[np.float64]
    """Age of the patient in years, (N,); NaN if unknown."""
    from_table: NDArray[np.bool_]
    """`Source.from_table`, (N,)."""

    @classmethod
    def of(cls, sources: Iterable[Source]) -> Sources:
        """Hold `sources`, which are taken one by one."""
        texts = {name: _Growing() for name in _TEXTS}
        age, from_table = array("d"), bytearray()
        for source in sources:
            for name, own in texts.items():
                value = getattr(source, name)
                own.add(value if value is None else str(value))
            age.append(np.nan if source.age is None else source.age)
            from_table.append(source.from_table)
        done = {name: own.done() for name, own in texts.items()}
        return cls(
            {name: own for name, own in done.items() if own is not None},
            np.frombuffer(age, np.float64),
            np.frombuffer(from_table, np.bool_),
        )

    def __len__(self) -> int:
        return len(self.age)

    @overload
    def __getitem__(self, place: int) -> Source: ...

    @overload
    def __getitem__(self, place: slice) -> Sources: ...

    def __getitem__(self, place: int | slice) -> Source | Sources:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            return (
                self._part(start, max(start, stop))
                if step == 1
                else self.take(range(start, stop, step))
            )
        return self._one(range(len(self))[place])

    def __iter__(self) -> Iterator[Source]:
        return map(self._one, range(len(self)))

    def take(self, places: Iterable[int]) -> Sources:
        """Return the images at `places`, in that order."""
        return Sources.of(self[place] for place in places)

    def _part(self, start: int, stop: int) -> Sources:
        return Sources(
            {name: own.part(start, stop) for name, own in self.texts.items()},
            self.age[start:stop],
            self.from_table[start:stop],
        )

    def _one(self, place: int) -> Source:
        given: dict[str, Any] = {name: own[place] for name, own in self.texts.items()}
        if (path := given.get("path")) is not None:
            given["path"] = Path(path)
        age = float(self.age[place])
        return Source(
            **given,
            age=None if age != age else age,  # NaN is not itself
            from_table=bool(self.from_table[place]),
        )
