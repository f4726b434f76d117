"""Images of 16 bits per sample, of which Pillow returns only the upper byte."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile, _Tile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    TiffImageFile,
)

from lentigo.errors import ImageError
from lentigo.imaging.decoding.rgb import DEEP_MODES, to_eight_bits

_DIM = 2 ** (14 - 8)
"""If no upper byte is above this, the samples may use only 14 bits or fewer."""

_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
"""The opposite byte order, in which a decoder returns a sample's lower byte as its upper
one."""


def sort_out(image: ImageFile) -> None:
    """Correct how an opened 16-bit `image` is decoded, in place, before it is loaded.

    Pillow reads 16-bit planes that are stored one after the other as if they had 8 bits,
    unless libtiff reads them.
    """
    if isinstance(image, TiffImageFile) and _is_misread(image):
        order = "L" if image.tag_v2.prefix == b"II" else "B"
        image.tile = [
            _with_rawmode(tile, f"{_rawmode(tile)};16{order}") for tile in image.tile
        ]
    elif isinstance(image, PpmImageFile):
        tile = image.tile[0]
        if (tile.codec_name, tile.args) == ("ppm", ("RGB", 65535)):
            image.tile = [tile._replace(codec_name="raw", args=("RGB;16B", 0, 1))]


def has_deep_colors(image: ImageFile) -> bool:
    """Tell whether an opened image has colours of 16 bits per sample."""
    if not image.tile:
        return False
    rawmode, plain = _rawmode(image.tile[0]), image.tile[0].codec_name == "ppm_plain"
    return (rawmode[-4:-1] == ";16" and rawmode[0] != "I") or (plain and rawmode == "RGB")


def is_dim(picture: Image.Image) -> bool:
    """Tell whether 16-bit samples, given their upper bytes, use 14 bits or fewer."""
    if picture.mode not in {"RGB", "RGBA", "RGBX"}:
        return False
    return bool(np.asarray(picture)[..., :3].max() <= _DIM)


def brightened(
    picture: Image.Image, again: ImageFile, name: str, *, load: Callable[[ImageFile], None]
) -> Image.Image:
    """Return a dim `picture` scaled to 8 bits by `to_eight_bits` from its 16-bit samples.

    `again` is the same file, opened once more; `load` decodes its lower bytes. Raises
    `ImageError` if the lower bytes cannot be read.
    """
    sort_out(again)
    codec, rawmode = again.tile[0].codec_name, _rawmode(again.tile[0])
    if codec == "ppm_plain" or (codec == "libtiff" and _is_planar(again)):
        raise ImageError(
            f"{name} uses 14 of its 16 bits or fewer, and is packed in a way that hides "
            "the lower ones. Save it anew, uncompressed or with the colours of a pixel "
            "together."
        )
    again.tile = [_with_rawmode(tile, _lower(_rawmode(tile))) for tile in again.tile]
    load(again)
    upper = np.asarray(picture)[..., :3].astype(np.uint16)
    # Of grey with alpha, the second of four bytes is the lower one of the grey.
    lower = np.asarray(again)[..., [1, 1, 1] if rawmode == "LA;16B" else [0, 1, 2]]
    bright = Image.fromarray(to_eight_bits(upper << 8 | lower))
    bright.info = dict(picture.info)
    return bright


def is_white_at_zero(image: ImageFile) -> bool:
    """Tell whether 0 means white in 16-bit grey samples, which Pillow does not invert."""
    if not isinstance(image, TiffImageFile) or image.mode not in DEEP_MODES:
        return False
    return bool(image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0)


def inverted(image: Image.Image) -> Image.Image:
    """Return 16-bit grey samples as 8 bits, with black and white exchanged."""
    turned = Image.fromarray(255 - to_eight_bits(np.asarray(image)))
    turned.info = dict(image.info)
    return turned


def _lower(rawmode: str) -> str:
    """Return the raw mode with which Pillow reads the lower bytes of samples."""
    if rawmode == "LA;16B":  # 4 bytes a pixel, which pass for 4 channels of 8 bits
        return "RGBA"
    return rawmode[:-1] + _OTHER_BYTE[rawmode[-1]]


def _rawmode(tile: _Tile) -> str:
    return str(tile.args[0] if isinstance(tile.args, tuple) else tile.args)


def _with_rawmode(tile: _Tile, rawmode: str) -> _Tile:
    further = tile.args[1:] if isinstance(tile.args, tuple) else None
    return tile._replace(args=rawmode if further is None else (rawmode, *further))


def _is_misread(image: TiffImageFile) -> bool:
    deep = 16 in image.tag_v2.get(BITSPERSAMPLE, ())
    many = len(image.getbands()) > 1
    return deep and many and _is_planar(image) and not image.use_load_libtiff


def _is_planar(image: ImageFile) -> bool:
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    return bool(tags.get(PLANAR_CONFIGURATION, 1) == 2)
