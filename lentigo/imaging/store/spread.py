"""Decode the files of a store on a Ray cluster; this machine writes the pixels.

No other machine writes into the store: a machine that is taken for lost may still be
working.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from lentigo.cluster import on_ray
from lentigo.errors import RunError
from lentigo.files import temporary_folder
from lentigo.imaging.decoding import packed
from lentigo.imaging.store import pool
from lentigo.imaging.store.decode_process import DecodedFile, Job, PixelFile
from lentigo.imaging.store.shards import create_files
from lentigo.imaging.store.unfinished import Build

_AT_ONCE = 64
"""Number of files sent to a machine at once: 12 MB of pixels at 256 px."""

_Files = Sequence[tuple[int, str]]
_Decoded = list[tuple[DecodedFile, bytes | None, bool]]
"""For each file: its result, its pixels (None if it failed), and whether the machine could
see the file."""


def decoded_on_ray(
    build: Build, files: _Files, *, address: str | None
) -> Generator[DecodedFile]:
    """Decode `files` on a Ray cluster into `build`, and yield the result of each file.

    Raises `RunError` for a file that exists on this machine but not on one of the cluster.
    """
    if not files:
        return
    paths, parts = dict(files), _parts(files)
    with closing(on_ray(partial(_decode, build.job), parts, address=address)) as answers:
        for part in answers:
            for answer, pixels, seen in part:
                if not seen and _is_there(path := paths[answer.row]):
                    raise RunError(
                        f"A machine of the cluster does not see {path}. Put the images on "
                        "storage that all of them share, under the same path."
                    )
                if pixels is not None:
                    build.pixels.write(answer.row, pixels)
                yield answer


def _parts(files: _Files) -> Iterator[list[tuple[int, str]]]:
    for start in range(0, len(files), _AT_ONCE):
        yield list(files[start : start + _AT_ONCE])


def _decode(job: Job, files: list[tuple[int, str]]) -> _Decoded:
    """Decode files on a machine of the cluster, in a process that may be killed."""
    shape = job.size, job.size, 3
    with temporary_folder() as place:
        folder = str(place / "decoded")
        Path(folder).mkdir()
        create_files(Path(folder), len(files), shape, shard_mb=1024)
        there = replace(job, pixels=folder)
        numbered = [(place, path) for place, (_, path) in enumerate(files)]
        answers = list(pool.decode_files(numbered, there, workers=1))
        # Opened after all writes: a buffer filled before them would return old bytes.
        with closing(PixelFile(folder)) as pixels:
            return [
                (
                    replace(answer, row=files[answer.row][0]),
                    pixels.read(answer.row) if answer.error is None else None,
                    answer.error is None or _is_there(files[answer.row][1]),
                )
                for answer in answers
            ]


def _is_there(path: str) -> bool:
    return Path(path).exists() or packed.is_there(path)
