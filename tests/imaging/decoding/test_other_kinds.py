"""Pictures that are not read are called by their kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import read_image, read_size
from lentigo.imaging.sandbox.reader import GuardedReader
from tests.pictures import encoded, plain

PHOTOS = Path(__file__).parents[2] / "cases" / "13-other-kinds-in-a-folder" / "photos"


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"GIF89a", "a GIF picture"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera raw (CR3) picture"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "a video or other picture"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"8BPS", "a Photoshop picture"),
    ],
)
def test_the_beginning_tells_the_kind(start: bytes, kind: str) -> None:
    with pytest.raises(ImageError, match="Save it as JPEG or PNG") as caught:
        read_image(start + bytes(200))
    assert kind in str(caught.value)


def test_gif_and_a_heic_without_an_image_are_refused_and_avif_is_read() -> None:
    with pytest.raises(ImageError, match=r"N4\.gif is a GIF picture"):
        read_image(PHOTOS / "N4.gif")
    with pytest.raises(ImageError, match=r"N3\.heic cannot be decoded"):
        read_image(PHOTOS / "N3.heic")
    assert read_image(PHOTOS / "N5.avif").shape == (64, 64, 3)


def test_an_avif_is_upright_and_the_same_under_guard() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = plain("RGB", (200, 100, 50), (96, 64))
    data = encoded(wide, "AVIF", exif=exif, quality=90)
    pixels = read_image(data)
    assert pixels.shape == (96, 64, 3)
    assert read_size(data) == (64, 96)
    assert np.abs(pixels.astype(int) - (200, 100, 50)).max() <= 4
    with GuardedReader() as reader:
        assert np.array_equal(reader.read_image(data), pixels)
