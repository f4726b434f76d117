"""Files from anybody, read in a process that may be killed: an answer or a typed error."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lentigo.errors import ConfigError, ImageError
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.limits import Limits
from lentigo.imaging.decoding.square import read_square
from lentigo.imaging.sandbox.reader import GuardedReader, read_untrusted
from tests.dicoms import dicom
from tests.hostile.bombs import COSTLY, huge_claims
from tests.hostile.mutants import mutants
from tests.hostile.seeds import seeds


@pytest.fixture(scope="module")
def reader() -> Iterator[GuardedReader]:
    with GuardedReader() as guarded:
        yield guarded


def read_or_say(reader: GuardedReader, data: bytes, name: str) -> str:
    """What was wrong with the bytes, or nothing; any other error fails the test."""
    try:
        pixels = reader.read_image(named(data, name))
    except ImageError as error:
        said = str(error)
    else:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        return ""
    assert "\n" not in said
    assert name in said
    return said


def named(data: bytes, name: str) -> BytesIO:
    file = BytesIO(data)
    file.name = name
    return file


@pytest.mark.parametrize("kind", seeds())
def test_whole_files_come_out_as_they_do_unguarded(
    reader: GuardedReader, kind: str
) -> None:
    for data in seeds()[kind]:
        assert np.array_equal(reader.read_image(data), read_image(data))


def test_a_path_and_a_square_are_read_as_unguarded(
    reader: GuardedReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lesion.jpg"
    path.write_bytes(seeds()["JPEG"][0])
    monkeypatch.chdir(tmp_path)  # the process was started elsewhere
    assert np.array_equal(reader.read_image("lesion.jpg"), read_image(path))
    ours, theirs = reader.read_square(path, size=32), read_square(path, size=32)
    assert np.array_equal(ours[0], theirs[0])
    assert ours[1] == theirs[1]
    assert np.array_equal(read_untrusted(path), read_image(path))


def test_540_broken_files_end_in_pixels_or_in_a_typed_error(reader: GuardedReader) -> None:
    said = [read_or_say(reader, each.data, each.name) for each in mutants(540)]
    refused = sum(map(bool, said))
    # Both happen: a flipped bit in the pixels is none in the header.
    assert 100 < refused < 540


@pytest.mark.parametrize("name", huge_claims())
def test_what_claims_too_many_pixels_is_refused_by_its_header(
    reader: GuardedReader, name: str
) -> None:
    said = read_or_say(reader, huge_claims()[name], name)
    # Of WebP Pillow looks at the size before it is asked for it.
    assert "at most 100,000,000" in said or "exceeds limit" in said


@pytest.mark.parametrize("name", COSTLY)
def test_what_costs_more_than_it_claims_is_answered(
    reader: GuardedReader, name: str
) -> None:
    read_or_say(reader, COSTLY[name](), name)
    assert reader.read_image(seeds()["PNG"][0]).any(), "the next file is read"


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.sampled_from([data[:24] for kind in seeds().values() for data in kind]),
       st.binary(max_size=400))  # fmt: skip
def test_any_bytes_behind_a_known_beginning(
    reader: GuardedReader, start: bytes, rest: bytes
) -> None:
    read_or_say(reader, start + rest, "bytes")


def test_a_process_that_is_killed_is_replaced(reader: GuardedReader) -> None:
    data = seeds()["PNG"][0]
    reader.read_image(data)
    process = reader._children[0]._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert np.array_equal(reader.read_image(data), read_image(data))


def test_work_and_memory_are_bounded_by_what_a_file_claims() -> None:
    data = COSTLY["ascii of 4 million.ppm"]()
    strict = Limits(seconds=0.01, seconds_per_megapixel=0, seconds_per_megabyte=0)
    with (
        GuardedReader(limits=strict) as reader,
        pytest.raises(ImageError, match=r"more than 0\.01 seconds of work"),
    ):
        reader.read_image(data)
    small = Limits(megabytes=1, bytes_per_pixel=0.5, bytes_per_byte=0)
    with (
        GuardedReader(limits=small) as reader,
        pytest.raises(ImageError, match=r"memory|decoded"),
    ):
        reader.read_image(data)


def test_a_closed_reader_reads_no_more() -> None:
    reader = GuardedReader()
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.read_image(seeds()["PNG"][0])


def test_every_test_file_of_pydicom_is_read_or_refused(reader: GuardedReader) -> None:
    spec = find_spec("pydicom")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "data" / "test_files"
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert len(files) > 50
    said = [read_or_say(reader, path.read_bytes(), path.name) for path in files]
    assert sum(not each for each in said) > 30


def test_a_reader_without_processes_is_refused() -> None:
    with pytest.raises(ConfigError, match="workers is 0; give 1 or more"):
        GuardedReader(workers=0)


def test_what_is_no_file_of_bytes_is_an_image_error_too(reader: GuardedReader) -> None:
    data = seeds()["PNG"][0]
    closed = BytesIO(data)
    closed.close()
    for source in (StringIO("text"), closed, 5, None, [1, 2]):
        with pytest.raises(ImageError, match=r"cannot be read: .*open in binary mode"):
            reader.read_image(source)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="cannot be read: I/O operation on closed file"):
        reader.read_image(closed)
    with pytest.raises(ImageError, match="is a folder, not an image"):
        reader.read_image("/")
    strided: Any = memoryview(bytes(byte for each in data for byte in (each, 0)))[::2]
    assert np.array_equal(reader.read_image(strided), read_image(data))


def test_frames_that_are_not_read_are_said_by_the_process_that_asked(
    reader: GuardedReader, caplog: pytest.LogCaptureFixture
) -> None:
    first = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    data = dicom(first, "RGB", NumberOfFrames=3, PixelData=first.tobytes() * 3)
    logger = logging.getLogger("lentigo")
    logger.addHandler(caplog.handler)
    try:
        assert (reader.read_image(named(data, "slides.dcm")) == first).all()
    finally:
        logger.removeHandler(caplog.handler)
    assert "slides.dcm holds 3 frames; only the first one is read." in caplog.text
