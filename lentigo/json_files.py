"""Strict JSON files: no NaN, no name twice, and written by way of a temporary file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from lentigo.errors import ConfigError, UnreadableFileError
from lentigo.files import read_bytes, write_text


def write_json(path: Path, value: Any, *, new: bool = False, same: bool = False) -> None:
    """Write `value` to `path` as readable JSON.

    `new` and `same` are as for `files.written_beside`.

    Numbers that are not finite become `null`.
    """
    write_text(path, to_json(value) + "\n", new=new, same=same)


def write_plan(path: Path, plan: Any, *, refusal: str) -> None:
    """Write `plan` to `path`, or compare it with the plan that an earlier call wrote there.

    Raises `ConfigError` with the text `refusal` where the two differ.
    """
    if not path.is_file():
        write_json(path, plan)
    elif to_json(read_json_object(path)) != to_json(plan):
        raise ConfigError(refusal)


def to_json(value: Any) -> str:
    """Return `value` as strict, readable JSON; NaN and infinite numbers become `null`."""
    return json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, float) and (
        value != value or value in (float("inf"), -float("inf"))
    ):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def read_json(path: Path, *, most: int = 16_000_000) -> Any:
    """Return the content of a JSON file of at most `most` bytes.

    Raises `UnreadableFileError` for a larger file or one that is not strict JSON: not
    UTF-8, a name given twice in an object, NaN or an infinite number, or nesting that is
    too deep for Python; and `FileNotFoundError` if there is no such file.
    """
    content = read_bytes(path, most=most)
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except RecursionError:
        reason = "its lists are nested too deeply"
    except UnicodeDecodeError as error:
        reason = f"byte {error.start:,} is no UTF-8"
    except ValueError as error:
        reason = str(error)
    raise UnreadableFileError(
        f"{path} is not readable as JSON: {reason}. Copy it again from where it came."
    )


def read_json_object(path: Path, *, most: int = 16_000_000) -> dict[str, Any]:
    """Return the content of a JSON file that holds one object; like `read_json`.

    Raises `UnreadableFileError`, too, where the file holds anything else.
    """
    content = read_json(path, most=most)
    if not isinstance(content, dict):
        raise UnreadableFileError(f"{path} holds no JSON object.")
    return content


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:60]!r} is there twice")
    return content


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number
