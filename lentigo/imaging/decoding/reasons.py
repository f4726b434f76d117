"""Why a file cannot be decoded, in the words of a library, without what is in the file."""

from __future__ import annotations

import re
from functools import cache

from lentigo.visible import named

# From the first mark to the last: what is quoted may hold such a mark itself.
_QUOTED = re.compile(r"""(?<!\w)b?(['"]).*\1""")
_WORDS = re.compile(r"'([\w ]+)'")


def reason_of(error: BaseException) -> str:
    """Return the message of a library, without what it quotes of the file.

    Where a number should stand in a header, a patient's name may. The names of attributes
    of DICOM stay, since they are of the standard.
    """
    text = " ".join(((isinstance(error, OSError) and error.strerror) or str(error)).split())
    if "'" in text or '"' in text:
        text = _QUOTED.sub("'…'", _WORDS.sub(_kept, text))
    if text == "'…'":
        text = "what it holds is damaged"
    return named(text).rstrip(".") or type(error).__name__


def _kept(quoted: re.Match[str]) -> str:
    """Return an attribute of DICOM between other marks, and all else as it is."""
    return f"“{quoted[1]}”" if quoted[1] in _attributes() else quoted[0]


@cache
def _attributes() -> frozenset[str]:
    from pydicom.datadict import DicomDictionary  # type: ignore[attr-defined]

    words = (word for each in DicomDictionary.values() for word in (each[2], each[4]))
    return frozenset({"FileDataset", *words} - {""})
