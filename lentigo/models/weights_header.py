"""How long a safetensors file is by its own header, read without torch and its tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BufferedReader

LONGEST_HEADER = 16_000_000
"""Highest size of the header in bytes; that of the largest timm network has 200,000."""


def length_by_header(file: BufferedReader) -> int | None:
    """Return the bytes that a safetensors file has by its header; None for another file.

    The format has no gaps and nothing behind the last tensor. Source: the description of
    the format in https://github.com/huggingface/safetensors (safetensors 0.4).
    """
    header = int.from_bytes(file.read(8), "little")
    if header > LONGEST_HEADER:
        return None
    try:
        tensors = json.loads(file.read(header))
        ends = [
            each["data_offsets"][1]
            for name, each in tensors.items()
            if name != "__metadata__" and isinstance(each, Mapping)
        ]
        last = max(ends, default=0)
    except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
        return None
    return 8 + header + last if type(last) is int else None
