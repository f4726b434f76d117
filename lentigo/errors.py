"""Errors that a user can put right. A bug of ours stays an ordinary Python error.

LentigoError
├── UnknownNameError   a format, backbone, recipe or metric that we do not have
├── ConfigError        a setting that makes no sense
├── DatasetError       an archive or table that cannot be read as it is
│   ├── DatasetNotFoundError   a folder or file that is not there
│   ├── ColumnError            a column that is missing or holds the wrong thing
│   │   └── UnknownWordsError  labels in words that nobody here understands
│   └── LeakError              a split or feature that would give the answer away
├── ImageError         a file that is no image we can show
├── ModelError         weights or a model folder that do not fit
└── RunError           a run folder that is taken, incomplete, or cannot be written
    └── UnreadableFileError    a file of ours that is damaged; a `ValueError` as well

Error classes hold their message alone, so they survive pickling out of a worker process.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from lentigo.option_names import in_python
from lentigo.visible import LONGEST_NAME, shortened
from lentigo.words import some


class LentigoError(Exception):
    """Something the user can put right; the message says what, where and how.

    Messages name the options of the command line. Below a traceback a note says what these
    are called in Python.
    """

    def __init__(self, *message: object) -> None:
        super().__init__(*message)
        if note := in_python(str(self)):
            self.add_note(note)


class UnknownNameError(LentigoError):
    """A format, backbone, recipe or metric that we do not have."""


class ConfigError(LentigoError):
    """A setting that makes no sense."""


class DatasetError(LentigoError):
    """An archive or table that cannot be read as it is."""


class DatasetNotFoundError(DatasetError):
    """A folder or file that is not there."""


class ColumnError(DatasetError):
    """A column that is missing, or holds what it should not."""


class UnknownWordsError(ColumnError):
    """A label column with words that are not understood; a melanoma may be among them."""


class LeakError(DatasetError):
    """A split or a feature that would give the answer away."""


class ImageError(LentigoError):
    """A file that is no image we can show."""


class ModelError(LentigoError):
    """Weights or a model folder that do not fit."""


class RunError(LentigoError):
    """A run folder that is taken, incomplete, or cannot be written."""


class UnreadableFileError(RunError, ValueError):
    """A file that lentigo wrote once and that cannot be read back as it is."""


_SHOWN_WHOLE = 30
"""Names; of more than these only some are shown."""
_LISTED = {"format", "recipe", "backbone", "metric", "view", "check"}
"""Kinds that `lentigo list` shows."""


def unknown_name(
    kind: str, name: str, known: Iterable[str], *, first: Sequence[str] = ()
) -> UnknownNameError:
    """Return the error for a `name` that is not `known`, with the nearest known names.

    Where none is near, the known names are listed, those in `first` before the others.
    """
    rest = sorted(known)
    names = [word for word in first if word in rest]
    names += [word for word in rest if word not in first]
    # Comparing takes the product of both lengths.
    near = get_close_matches(name[:LONGEST_NAME], names, n=3)
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    else:
        many = len(names) > _SHOWN_WHOLE
        listed = f" (see lentigo list {kind}s)" if many and kind in _LISTED else ""
        hint = f"Known: {some(names, at_most=12 if many else _SHOWN_WHOLE)}{listed}."
    return UnknownNameError(
        f"There is no {kind} called {shortened(name, at_most=80)!r}. {hint}"
    )


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def shown(value: object) -> str:
    """Return `value` as short text on one line, however long or deep it is."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return f"a {type(value).__name__} too long to show"


def mistake(error: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors as part of a sentence: where, what, value given."""
    where = ".".join(str(part)[:60] for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if error["type"] == "missing":
        return f"there is no {where}"
    if not where:
        return message
    given = error.get("input")
    if error["type"] == "extra_forbidden":
        message = "there is no such setting"
    return f"{where}: {message}" + (
        "" if isinstance(given, dict) else f" (got {shown(given)})"
    )
