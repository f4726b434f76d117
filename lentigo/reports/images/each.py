"""Images one after another, each read so that no file can harm, with its mask if given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ConfigError, DatasetNotFoundError, ImageError
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.imaging.search import files_below, is_image
from lentigo.imaging.segmentation import Outline, find_outline, given_outline
from lentigo.inference.inputs import Source
from lentigo.progress import track
from lentigo.reports.images.views import mask_of, stems
from lentigo.words import some

_MASK_ENDINGS = ("", "_segmentation", "_mask", "_lesion", "-mask")
"""What the name of a mask has behind that of its image."""


@dataclass(frozen=True)
class Read:
    """One image that was read, or the reason why it was not."""

    source: Source
    stem: str
    """The name of its files; no two are the same."""
    image: NDArray[np.uint8] | None = None
    """(H, W, 3) RGB."""
    outline: Outline | None = None
    """The lesion in it."""
    reason: str = ""

    @property
    def path(self) -> str:
        """Where the image lies, or its id."""
        return str(self.source.path or self.source.image_id)


class Masks:
    """The masks that are given: of one image, or a folder with one an image."""

    def __init__(self, given: Path | None, sources: Sequence[Source]) -> None:
        self._one: Path | None = None
        self._by_name: dict[str, Path] = {}
        if given is None:
            return
        if given.is_dir():
            found = [Path(path) for path in files_below(given) if is_image(path)]
            self._by_name = {path.stem.casefold(): path for path in found}
            if not any(self.of(source) for source in sources):
                raise DatasetNotFoundError(
                    f"{given} has no mask of any of these images. A mask is called as its "
                    f"image, or with {some(_MASK_ENDINGS[1:], at_most=4)} behind the name."
                )
            return
        if not given.exists():
            raise DatasetNotFoundError(f"There is no mask {given}.")
        if len(sources) != 1:
            raise ConfigError(
                f"A mask belongs to one image, but {len(sources):,} are given. Give one "
                "image, or a folder of masks."
            )
        self._one = given

    def of(self, source: Source) -> Path | None:
        """Return the file of the mask of an image; None where there is none."""
        if self._one is not None:
            return self._one
        name = source.path.stem if source.path else source.image_id
        for ending in _MASK_ENDINGS:
            if path := self._by_name.get(f"{name}{ending}".casefold()):
                return path
        return None


def read_each(
    sources: Sequence[Source], masks: Masks, *, label: str, outlined: bool = True
) -> Iterator[Read]:
    """Yield each image with its outline, found or given; one that cannot be read as why.

    Files are decoded in a process that may be killed. Whoever does not go to the end closes
    the generator.
    """
    with ExitStack() as stack:
        reader: GuardedReader | None = None
        pairs = zip(sources, stems(sources), strict=True)
        for source, stem in track(pairs, total=len(sources), label=label):
            if reader is None and source.path is not None:
                reader = stack.enter_context(GuardedReader())
            try:
                image, outline = _read(source, masks.of(source), reader, outlined=outlined)
            except ImageError as error:
                yield Read(source, stem, reason=str(error))
            else:
                yield Read(source, stem, image, outline)


def _read(
    source: Source, mask: Path | None, reader: GuardedReader | None, *, outlined: bool
) -> tuple[NDArray[np.uint8], Outline | None]:
    if source.image is not None:
        image = source.image
    elif source.path is None or reader is None:
        raise ImageError(f"{source.image_id} has no file.")
    else:
        image = reader.read_image(source.path)
    if mask is not None and reader is not None:
        return image, given_outline(image, mask_of(reader.read_image(mask)))
    return image, find_outline(image) if outlined else None
