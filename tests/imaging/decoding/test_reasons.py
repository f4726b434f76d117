"""Why a file cannot be decoded, without what stands in it."""

from __future__ import annotations

import pytest

from lentigo.errors import ImageError
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.reasons import reason_of
from tests.dicoms import dataset, written
from tests.pictures import SIX


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("no float: 'Meier'", "no float: '…'"),
        ("invalid literal for int() with base 10: b'Meier'",
         "invalid literal for int() with base 10: '…'"),
        ("invalid literal for int(): \"b'O'Hara\"", "invalid literal for int(): '…'"),
        ("Missing required element: (0028,0002) 'Samples per Pixel'",
         "Missing required element: (0028,0002) “Samples per Pixel”"),
        ("'Bits Stored' of 'O' Hara' is wrong", "“Bits Stored” of '…' is wrong"),
        ("it doesn't fit, or can't", "it doesn't fit, or can't"),
        ("image file is truncated.", "image file is truncated"),
        ("", "ValueError"),
    ],
)  # fmt: skip
def test_what_is_of_the_file_is_left_out_and_the_rest_stays(
    said: str, expected: str
) -> None:
    assert reason_of(ValueError(said)) == expected


def test_the_words_of_a_text_image_are_not_quoted() -> None:
    for head in (b"P3 Meier 2 255 1 2 3", b"P2 Hermine-Meier 2 255 1 2 3 4 5 6"):
        with pytest.raises(ImageError, match=r"cannot be decoded: [iw]") as found:
            read_image(head)
        assert "Mei" not in str(found.value)


def test_a_missing_attribute_is_named() -> None:
    made = dataset(SIX, "RGB")
    del made.BitsStored
    with pytest.raises(ImageError, match=r"BitsStored|Bits Stored"):
        read_image(written(made))
