"""Kinds of picture that people have and that are not read, told by how a file begins."""

from __future__ import annotations

OTHER_SUFFIXES = (
    ".gif", ".jp2", ".j2k", ".jpx", ".jxl", ".psd", ".dng",
    ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".svg", ".ico", ".tga", ".eps",
)  # fmt: skip
"""Endings of pictures of other kinds; a search names them, so that none is lost unseen."""

_BEGINNINGS = (
    (b"GIF8", "GIF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"8BPS", "Photoshop"),
)


def is_avif(start: bytes) -> bool:
    """Tell whether a file that begins so is AVIF, or may be read as such."""
    return start[4:8] == b"ftyp" and bool({b"avif", b"avis"} & set(_brands(start)))


def is_heic(start: bytes) -> bool:
    """Tell whether a file that begins so is HEIC, or may be read as such."""
    return start[4:8] == b"ftyp" and bool(_HEIC & set(_brands(start)))


_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def other_kind(start: bytes) -> str | None:
    """The name of a kind that is not read; None where the beginning tells nothing."""
    if start[4:8] == b"ftyp":
        return "camera raw (CR3)" if b"crx " in _brands(start) else "video or other"
    return next((name for begins, name in _BEGINNINGS if start.startswith(begins)), None)


def _brands(start: bytes) -> list[bytes]:
    """The kinds that an ISO media file says that it is: the first, then those it suits."""
    end = min(int.from_bytes(start[:4], "big"), len(start))
    return [start[8:12]] + [start[at : at + 4] for at in range(16, end - 3, 4)]
