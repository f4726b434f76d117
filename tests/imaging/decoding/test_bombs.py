"""What a file of a length may claim to hold."""

from __future__ import annotations

from io import BytesIO

import pytest

from lentigo.errors import ImageError
from lentigo.imaging.decoding.bombs import check_growth


def test_four_megapixels_are_free_and_beyond_them_each_byte_pays() -> None:
    check_growth((2000, 2000), BytesIO(b""), "a.png", a_byte=0)
    check_growth((2001, 2000), BytesIO(bytes(2)), "a.png", a_byte=1000)  # just paid for
    with pytest.raises(ImageError, match=r"a\.png"):
        check_growth((2001, 2000), BytesIO(bytes(1)), "a.png", a_byte=1000)
    with pytest.raises(ImageError, match=r"a\.png"):
        check_growth((2001, 2000), BytesIO(b""), "a.png", a_byte=1000)


def test_the_file_is_read_on_from_where_it_was() -> None:
    file = BytesIO(bytes(5000))
    file.seek(17)
    check_growth((2001, 2000), file, "a.png", a_byte=1000)
    assert file.tell() == 17
