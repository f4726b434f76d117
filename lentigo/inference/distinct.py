"""Keep each image file once, and give images that share a name different ids."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import DatasetError
from lentigo.files import as_text
from lentigo.inference.sources import Source, Sources
from lentigo.progress import log
from lentigo.words import some

_DIGEST = 16


def distinct(sources: Sources) -> Sources:
    """Return each file once; if a table has two ids for one file, both are kept."""
    files = _digests(_key(source, nth) for nth, source in enumerate(sources))
    seen: dict[bytes, set[str]] = {}
    left_out = set()
    for place in _repeated(files):
        source, known = sources[place], seen.setdefault(files[place].tobytes(), set())
        if source.image_id in known or (known and not source.from_table):
            left_out.add(place)
        else:
            known.add(source.image_id)
    if not left_out:
        return sources
    return sources.take(place for place in range(len(sources)) if place not in left_out)


def told_apart(sources: Sequence[Source]) -> Sequence[Source]:
    """Return `sources`, with the whole path as the id of files that share a name.

    Raises `DatasetError` if ids are still not unique.
    """
    shared = set(_shared_names(sources))
    if not shared:
        return sources
    hold = Sources.of if isinstance(sources, Sources) else tuple
    told: Sequence[Source] = hold(
        replace(source, image_id=as_text(source.path))
        if source.image_id in shared and source.path and not source.from_table
        else source
        for source in sources
    )
    log.info("Files that share a name are called by their whole path.")
    if still := _shared_names(told):
        raise DatasetError(f"Two images are called {some(still)}; names have to be unique.")
    return told


def _shared_names(sources: Sequence[Source]) -> list[str]:
    """Return the ids that two different images share."""
    found: dict[str, dict[str, None]] = {}
    for place in _repeated(_digests(source.image_id for source in sources)):
        source = sources[place]
        found.setdefault(source.image_id, {})[_key(source, place)] = None
    return [name for name, files in found.items() for _ in range(len(files) - 1)]


def _digests(texts: Iterable[str]) -> NDArray[np.void]:
    """Return a short digest of each text, (N,): sixteen bytes, which the texts exceed."""
    found = b"".join(
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
        for text in texts
    )
    return np.frombuffer(found, f"V{_DIGEST}")


def _repeated(digests: NDArray[np.void]) -> list[int]:
    """Return the positions of digests that occur more than once, in order."""
    halves: NDArray[Any] = digests.view("<u8").reshape(-1, 2)
    order = np.lexsort(halves.T)
    alike = (halves[order[1:]] == halves[order[:-1]]).all(axis=1)
    return sorted({*order[1:][alike].tolist(), *order[:-1][alike].tolist()})


def _key(source: Source, number: int) -> str:
    """Return the identity of an image: its resolved path, or for an array its position."""
    return _place(source.path) if source.path else f"#{number}"


def _place(path: Path) -> str:
    """Return `path` with links resolved, or unchanged if that fails.

    `Path.resolve` would raise an error for a link to itself, or a zero byte.
    """
    with suppress(ValueError):
        return os.path.realpath(path)
    return str(path)
