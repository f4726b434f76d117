"""Decode images for a `GuardedReader`, in a separate process.

A question is a line of JSON with the file's path, or the number of the bytes that follow.
The answer is a line with the shape of the image, whose pixels follow, or with an error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import Source, read_with_size, surprise
from lentigo.imaging.decoding.mask import read_mask_with_size
from lentigo.imaging.decoding.square import read_square
from lentigo.imaging.sandbox.process_side import Parent


def main() -> None:
    """Answer questions until standard input ends."""
    parent = Parent()
    for asked in parent.questions():
        name = asked.pop("name")
        if "path" in asked:
            source: Source = asked.pop("path")
            size = parent.length(str(source))
        else:
            size = asked.pop("bytes")
            source = parent.read(size)
        try:
            with parent.leash.tied(size):
                pixels, full = _read(source, name, asked)
        except ImageError as error:
            parent.answer({"error": str(error)})
        except MemoryError:
            parent.answer({"error": f"{name} needs more memory than it may take."})
        except Exception as error:
            # The file is untrusted: an exception of any type is an answer about the file
            # and no reason to end.
            parent.answer({"error": f"{name} cannot be decoded: {surprise(error)}."})
        else:
            parent.answer({"shape": pixels.shape, "full": full}, pixels.data.cast("B"))


def _read(
    source: Source, name: str, options: dict[str, Any]
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    if options.pop("mask", False):
        return read_mask_with_size(source, name=name, **options)
    read = read_square if "size" in options else read_with_size
    return read(source, name=name, **options)
