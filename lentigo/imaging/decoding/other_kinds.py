"""Image formats that lentigo does not read, recognised by the first bytes of a file."""

from __future__ import annotations

OTHER_SUFFIXES = (
    ".gif", ".jp2", ".j2k", ".jpx", ".jxl", ".psd", ".dng",
    ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".svg", ".ico", ".tga", ".eps",
)  # fmt: skip
"""File extensions of image formats that are not read; a search reports such files, so that
none is missed silently."""

_BEGINNINGS = (
    (b"GIF8", "GIF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"8BPS", "Photoshop"),
)


def is_avif(start: bytes) -> bool:
    """Tell whether a file that begins with `start` is AVIF, or can be read as AVIF."""
    return start[4:8] == b"ftyp" and bool({b"avif", b"avis"} & set(_brands(start)))


def is_heic(start: bytes) -> bool:
    """Tell whether a file that begins with `start` is HEIC, or can be read as HEIC."""
    return start[4:8] == b"ftyp" and bool(_HEIC & set(_brands(start)))


_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def other_kind(start: bytes) -> str | None:
    """Return the name of a format that is not read; None if the start is not known."""
    if start[4:8] == b"ftyp":
        return "camera raw (CR3)" if b"crx " in _brands(start) else "video or other"
    return next((name for begins, name in _BEGINNINGS if start.startswith(begins)), None)


def _brands(start: bytes) -> list[bytes]:
    """Return the brands of an ISO media file: its major brand, then the compatible ones."""
    end = min(int.from_bytes(start[:4], "big"), len(start))
    return [start[8:12]] + [start[at : at + 4] for at in range(16, end - 3, 4)]
