"""ICC profiles for HEIC and AVIF files that declare their colours by code (H.273)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError

# Those of BT.709 and its kin (1, 6, 14, 15) and the unknown (2) are taken as that of sRGB,
# as browsers do: cameras write them for pictures that are made for sRGB screens.
_SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CURVES: dict[int, tuple[float, ...]] = {4: (2.2,), 5: (2.8,), 8: (1.0,)}
"""Parameters of ICC's parametric curves, by the code of the transfer function; `_SRGB` for
any other code."""

_HDR = {16: "PQ", 18: "HLG"}
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_CORNERS = ("red", "green", "blue", "white")
_BT709 = ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06), (0.3127, 0.329))


def profile_of(numbers: Mapping[str, Any], name: str) -> bytes | None:
    """Return the ICC profile of the colours that a file declares; None for sRGB or unknown.

    `numbers` is libheif's description: the transfer function and the chromaticities of red,
    green, blue and white. Raises `ImageError`, which calls the file `name`, for an HDR
    transfer function (PQ or HLG): shown without tone mapping, a lesion would be flat and
    grey.
    """
    transfer = int(numbers.get("transfer_characteristics", 2))
    if transfer in _HDR:
        raise ImageError(
            f"{name} stores the brightness of an HDR screen ({_HDR[transfer]}), which is "
            "not read. Save it as an ordinary JPEG or PNG."
        )
    corners = tuple(
        (
            round(float(numbers.get(f"color_primary_{corner}_x", 0)), 4),
            round(float(numbers.get(f"color_primary_{corner}_y", 0)), 4),
        )
        for corner in _CORNERS
    )
    if min(y for _, y in corners) <= 0:  # unknown primaries
        corners = _BT709
    if corners == _BT709 and transfer not in _CURVES:
        return None
    return _profile(corners, _CURVES.get(transfer, _SRGB))


@lru_cache(maxsize=16)
def _profile(
    corners: tuple[tuple[float, float], ...], curve: tuple[float, ...]
) -> bytes | None:
    """Return a matrix profile (ICC.1:2010, version 4); None if no colours are spanned."""
    try:
        columns = _columns(corners)
    except np.linalg.LinAlgError:
        return None
    xyz = [b"XYZ \0\0\0\0" + _fixed(column) for column in (*columns.T, _D50)]
    kind = 3 if len(curve) > 1 else 0
    tone = b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _fixed(curve)
    said = "colours by numbers".encode("utf-16-be")
    text = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(said), 28)
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"rTRC", b"gTRC", b"bTRC", b"desc")
    blocks = [*xyz, tone, tone, tone, text + said]
    return _assembled(list(zip(names, blocks, strict=True)))


def _columns(corners: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Return the XYZ of full red, green and blue as columns, adapted to D50."""
    xyz = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in corners]).T
    primaries, white = xyz[:, :3], xyz[:, 3]
    scaled = primaries * np.linalg.solve(primaries, white)
    gain = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    seen: NDArray[np.float64] = np.linalg.solve(_BRADFORD, gain[:, None] * _BRADFORD)
    return np.asarray(seen @ scaled)


def _fixed(values: Any) -> bytes:
    numbers = np.clip(np.asarray(values, dtype=np.float64), -32768, 32767)
    return np.rint(numbers * 65536).astype(">i4").tobytes()


def _assembled(tags: list[tuple[bytes, bytes]]) -> bytes:
    place, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, block in tags:
        table += name + struct.pack(">II", place + len(body), len(block))
        body += block + bytes(-len(block) % 4)
    size = struct.pack(">I", place + len(body))
    head = size + bytes(4) + struct.pack(">I", 0x04200000) + b"mntrRGB XYZ "
    head += bytes(12) + b"acsp" + bytes(28) + _fixed(_D50)
    return head.ljust(128, b"\0") + table + body
