"""One whole, small picture in every kind of file that is read: what mutants grow from."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import compress

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageCms, PngImagePlugin
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.dicoms import compressed, dataset, dicom, written
from tests.pictures import encoded, png_chunk

HEIC = Path(__file__).parents[1] / "imaging" / "decoding" / "heic"
"""Pictures of four colours, 64 × 48, that a HEIC encoder wrote; Pillow has none."""

_FIXED: dict[str, Any] = {"SOPInstanceUID": UID("1.2.3.4.5")}
"""So that the same seed gives the same bytes in every run."""


def picture(width: int = 64, height: int = 48) -> Image.Image:
    """Smooth skin with a dark lesion, hairs and a little noise."""
    y, x = np.mgrid[:height, :width]
    far = np.hypot((x - width / 2) / width, (y - height / 2) / height)
    skin = np.stack([200 - 300 * (far < 0.25) * (0.3 - far), 150 - 60 * (far < 0.25),
                     130 - 40 * (far < 0.3)], axis=2)  # fmt: skip
    skin[:, 10::17] *= 0.6
    noise = np.random.default_rng(0).normal(0, 3, skin.shape)
    return Image.fromarray((skin + noise).clip(0, 255).astype(np.uint8))


def _deep() -> Image.Image:
    gray = np.asarray(picture().convert("L")).astype(np.uint16)
    return Image.fromarray(gray * 257)


@cache
def seeds() -> dict[str, tuple[bytes, ...]]:
    """Files by their format: JPEG, PNG, TIFF, BMP, WebP, PPM, DICOM, AVIF and HEIC."""
    return {
        "JPEG": tuple(_jpegs()), "PNG": tuple(_pngs()), "TIFF": tuple(_tiffs()),
        "BMP": tuple(_bmps()), "WebP": tuple(_webps()), "PPM": tuple(_ppms()),
        "DICOM": tuple(_dicoms()), "AVIF": tuple(_avifs()),
        "HEIC": tuple(path.read_bytes() for path in sorted(HEIC.glob("[!p]*.heic"))),
    }  # fmt: skip


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera"
    return exif


def _jpegs() -> list[bytes]:
    rgb = picture()
    return [
        encoded(rgb, "JPEG", exif=_exif(), icc_profile=_profile()),
        encoded(rgb, "JPEG", progressive=True, optimize=True),
        encoded(rgb, "JPEG", subsampling=0, restart_marker_blocks=2),
        encoded(rgb.convert("CMYK"), "JPEG"),
        encoded(rgb.convert("L"), "JPEG"),
        encoded(rgb.convert("L"), "JPEG", progressive=True),
        encoded(rgb, "MPO", save_all=True, append_images=[rgb]),
    ]


def _pngs() -> list[bytes]:
    rgb = picture()
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "word " * 40, zip=True)
    text.add_itxt("title", "lesion")
    alpha = rgb.convert("RGBA")
    alpha.putalpha(rgb.convert("L"))
    palette = rgb.quantize(32)
    return [
        encoded(rgb, "PNG", pnginfo=text, icc_profile=_profile(), exif=_exif()),
        encoded(_deep(), "PNG"),
        encoded(palette, "PNG", transparency=bytes(32)),
        encoded(rgb.convert("1"), "PNG"),
        encoded(alpha, "PNG"),
        encoded(alpha.convert("LA"), "PNG"),
        _of_one_frame(rgb),
        _interlaced(rgb),
        _deep_png(),
    ]


def _of_one_frame(image: Image.Image) -> bytes:
    """An animated PNG of a single frame, which is read; one of several is refused."""
    whole = encoded(image, "PNG")
    head = len(b"\x89PNG\r\n\x1a\n") + 25
    frame = struct.pack(">5I2H2B", 0, *image.size, 0, 0, 1, 1, 0, 0)
    chunks = png_chunk(b"acTL", struct.pack(">II", 1, 0)) + png_chunk(b"fcTL", frame)
    return whole[:head] + chunks + whole[head:]


def _interlaced(image: Image.Image) -> bytes:
    """Pillow writes no interlaced PNG; the seven passes of Adam7 by hand."""
    pixels = np.asarray(image)
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
              (1, 0, 2, 2), (0, 1, 1, 2))  # fmt: skip
    rows = [
        b"\0" + row.tobytes() for x, y, dx, dy in passes for row in pixels[y::dy, x::dx]
    ]
    width, height = image.size
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 1])
    chunks = ((b"IHDR", header), (b"IDAT", compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def _tiffs() -> list[bytes]:
    rgb = picture()
    return [
        encoded(rgb, "TIFF", exif=_exif()),
        encoded(rgb, "TIFF", compression="tiff_lzw"),
        encoded(rgb, "TIFF", compression="tiff_adobe_deflate", strip_size=600),
        encoded(rgb, "TIFF", compression="jpeg"),
        encoded(rgb, "TIFF", compression="packbits"),
        encoded(rgb, "TIFF", compression="zstd"),
        _tiled(rgb),
        encoded(rgb.convert("CMYK"), "TIFF"),
        encoded(_lab(rgb), "TIFF"),
        encoded(_deep(), "TIFF"),
        encoded(rgb.convert("F"), "TIFF"),
        encoded(rgb.convert("1"), "TIFF", compression="group4"),
        encoded(rgb.quantize(16), "TIFF"),
        encoded(rgb, "TIFF", big_tiff=True),
        _deep_colors(16, 2),
        _deep_colors(12, 2),
        _deep_colors(12, 1),
        encoded(rgb, "TIFF", save_all=True, append_images=[rgb.resize((32, 24))]),
    ]


def _lab(image: Image.Image) -> Image.Image:
    srgb, lab = (ImageCms.createProfile(space) for space in ("sRGB", "LAB"))
    transform = ImageCms.buildTransform(srgb, lab, "RGB", "LAB")
    return transform.apply(image)


def _tiled(image: Image.Image) -> bytes:
    """A big-endian TIFF in four tiles of 32 × 32; Pillow writes neither."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:48] = np.asarray(image)
    tiles = [pixels[y : y + 32, x : x + 32].tobytes() for y in (0, 32) for x in (0, 32)]
    data = 8 + 2 + 12 * 11 + 4
    offsets = data + 6, data + 22, data + 38
    starts = [offsets[2] + 3072 * number for number in range(4)]
    entries = [(256, 4, 1, 64), (257, 4, 1, 48), (258, 3, 3, data), (259, 3, 1, 1 << 16),
               (262, 3, 1, 2 << 16), (277, 3, 1, 3 << 16), (284, 3, 1, 1 << 16),
               (322, 4, 1, 32), (323, 4, 1, 32), (324, 4, 4, offsets[0]),
               (325, 4, 4, offsets[1])]  # fmt: skip
    head = b"MM\0*" + struct.pack(">IH", 8, len(entries))
    head += b"".join(struct.pack(">HHII", *entry) for entry in entries) + bytes(4)
    head += struct.pack(">3H4I4I", 8, 8, 8, *starts, *[3072] * 4)
    return head + b"".join(tiles)


def _bmps() -> list[bytes]:
    rgb = picture()
    return [
        encoded(rgb, "BMP"),
        encoded(rgb.quantize(16), "BMP"),
        encoded(rgb.convert("1"), "BMP"),
        encoded(rgb.convert("RGBA"), "BMP"),
        _run_lengths(),
    ]


def _run_lengths() -> bytes:
    """A BMP of 64 × 48 in runs of equal bytes, which Pillow reads but does not write."""
    whole = bytearray(encoded(picture().convert("L"), "BMP"))
    start = int.from_bytes(whole[10:14], "little")
    runs = b"".join(bytes([32, n, 32, 255 - n, 0, 0]) for n in range(48)) + b"\0\1"
    whole[30:34], whole[34:38] = (1).to_bytes(4, "little"), len(runs).to_bytes(4, "little")
    return bytes(whole[:start]) + runs


def _webps() -> list[bytes]:
    rgb = picture()
    alpha = rgb.convert("RGBA")
    alpha.putalpha(rgb.convert("L"))
    return [
        encoded(rgb, "WEBP", exif=_exif(), icc_profile=_profile()),
        encoded(rgb, "WEBP", lossless=True),
        encoded(alpha, "WEBP"),
        encoded(rgb, "WEBP", save_all=True),
    ]


def _avifs() -> list[bytes]:
    rgb = picture()
    alpha = rgb.convert("RGBA")
    alpha.putalpha(rgb.convert("L"))
    return [
        encoded(rgb, "AVIF", exif=_exif(), icc_profile=_profile()),
        encoded(rgb, "AVIF", subsampling="4:4:4", quality=90),
        encoded(alpha, "AVIF"),
        encoded(rgb.convert("L"), "AVIF"),
    ]


def _deep_colors(bits: int, planar: int) -> bytes:
    values = np.asarray(picture()).astype(np.uint16) << (bits - 8)
    file = BytesIO()
    data = np.ascontiguousarray(np.moveaxis(values, 2, 0)) if planar == 2 else values
    tifffile.imwrite(file, data, photometric="rgb", planarconfig=planar, metadata=None)
    return file.getvalue()


def _deep_png() -> bytes:
    values = np.asarray(picture())[..., ::-1].astype(np.uint16) << 4
    return cv2.imencode(".png", values)[1].tobytes()


def _ppms() -> list[bytes]:
    rgb = picture()
    gray = np.asarray(rgb.convert("L"))
    bits = gray > 128
    header = f"{rgb.width} {rgb.height}".encode()

    def plain(kind: bytes, values: Any, most: bytes) -> bytes:
        words = " ".join(str(int(value)) for value in values.ravel()).encode()
        return kind + b"\n# a remark\n" + header + b"\n" + most + words + b"\n"

    return [
        encoded(rgb, "PPM"),
        encoded(rgb.convert("L"), "PPM"),
        encoded(rgb.convert("1"), "PPM"),
        encoded(_deep(), "PPM"),
        plain(b"P3", np.asarray(rgb), b"255\n"),
        plain(b"P2", gray, b"255\n"),
        plain(b"P1", bits, b""),
    ]


JPEG_LS = find_spec("jpeg_ls") is not None
"""Whether pyjpegls is here; it has no wheel for Python 3.14."""


def _dicoms() -> list[bytes]:
    rgb = np.asarray(picture())
    gray = np.asarray(picture().convert("L"))
    deep = gray.astype(np.uint16) * 16
    lossless = encoded(Image.fromarray(rgb), "JPEG2000", no_jp2=True, mct=1)
    tags: dict[str, Any] = {}
    for name in ("Red", "Green", "Blue"):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        tags[f"{name}PaletteColorLookupTableData"] = bytes(range(256))
    frames = [encoded(picture(), "JPEG")] * 2
    window = {"WindowCenter": 2000, "WindowWidth": 4000, "RescaleSlope": 1,
              "RescaleIntercept": 0}  # fmt: skip
    made: list[Callable[[], bytes]] = [
        lambda: dicom(rgb, "RGB", **_FIXED),
        lambda: dicom(rgb, "YBR_FULL", planar=1, **_FIXED),
        lambda: dicom(deep, "MONOCHROME2", bits=12, **window, **_FIXED),
        lambda: written(dataset(gray, "MONOCHROME1", **_FIXED), ImplicitVRLittleEndian),
        lambda: written(dataset(rgb, "RGB", **_FIXED), ExplicitVRBigEndian),
        lambda: dicom(gray, "PALETTE COLOR", **tags, **_FIXED),
        lambda: compressed(frames[0], rgb, "YBR_FULL_422", **_FIXED),
        lambda: compressed(frames, rgb, "YBR_FULL_422", **_FIXED),
        lambda: compressed(lossless, rgb, "YBR_RCT", syntax=JPEG2000Lossless, **_FIXED),
        lambda: _encoded(rgb, "RGB", RLELossless),
    ]
    if JPEG_LS:
        made += [
            lambda: _encoded(rgb, "RGB", JPEGLSLossless),
            lambda: _encoded(deep, "MONOCHROME2", JPEGLSLossless, bits=12),
        ]
    return [make() for make in made]


def _encoded(values: Any, photometric: str, syntax: UID, *, bits: int = 8) -> bytes:
    made = dataset(values, photometric, bits=bits, **_FIXED)
    written(made)  # gives it the uncompressed file meta that compress asks for
    made.compress(syntax, generate_instance_uid=False)
    return written(made, syntax)
