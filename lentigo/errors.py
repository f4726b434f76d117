"""Errors that a user can put right. A bug of lentigo stays an ordinary Python error.

LentigoError
├── UnknownNameError   a name of a format, backbone, recipe … that does not exist
├── ConfigError        a setting whose value is wrong
├── DatasetError       an archive or table that cannot be read as it is
│   ├── DatasetNotFoundError   a folder or file that does not exist
│   ├── ColumnError            a column that is missing or holds wrong values
│   │   └── UnknownWordsError  a label column with unknown words
│   └── LeakError              a split or feature with data leakage
├── ImageError         a file that is not an image, or cannot be used
├── ModelError         weights or a model folder that cannot be used
│   └── ExchangedError         a model folder that was changed since it was loaded
└── RunError           a run folder that is taken, incomplete, or cannot be written
    └── UnreadableFileError    a damaged file of lentigo; also a `ValueError`

Error classes hold only their message, so that they can be pickled out of a worker process.
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
    """An error that the user can put right; the message says what is wrong and what to do.

    Messages name options of the command line. A note below the traceback says what these
    options are called in Python.
    """

    def __init__(self, *message: object) -> None:
        super().__init__(*message)
        if note := in_python(str(self)):
            self.add_note(note)


class UnknownNameError(LentigoError):
    """A name of a format, backbone, recipe, metric … that does not exist."""


class ConfigError(LentigoError):
    """A setting whose value is wrong, or does not go together with another one."""


class DatasetError(LentigoError):
    """An archive or table that cannot be read as it is."""


class DatasetNotFoundError(DatasetError):
    """A folder or file that does not exist."""


class ColumnError(DatasetError):
    """A column that is missing, or holds values that it may not hold."""


class UnknownWordsError(ColumnError):
    """A label column with words that lentigo does not know.

    A melanoma may be among them.
    """


class LeakError(DatasetError):
    """A split or a feature by which the model would learn the answer (data leakage)."""


class ImageError(LentigoError):
    """A file that is not an image, or an image that cannot be used."""


class ModelError(LentigoError):
    """Weights or a model folder that cannot be used, or do not fit the rest."""


class ExchangedError(ModelError):
    """A model folder that was changed since it was loaded."""


class RunError(LentigoError):
    """A run folder that is taken, incomplete, or cannot be written."""


class UnreadableFileError(RunError, ValueError):
    """A file written by lentigo that is damaged; also a `ValueError`."""


_SHOWN_WHOLE = 30
"""If more names than these are known, an error lists only some of them."""
_LISTED = {"format", "recipe", "backbone", "metric", "view", "check"}
"""Kinds of names that `lentigo list` shows."""


def unknown_name(
    kind: str, name: str, known: Iterable[str], *, first: Sequence[str] = ()
) -> UnknownNameError:
    """Return the error for a `name` that is not `known`, with the nearest known names.

    `kind` is the word for what it names, such as "recipe". Where none is near, the known
    names are listed, those in `first` before the others.
    """
    rest = sorted(known)
    names = [word for word in first if word in rest]
    names += [word for word in rest if word not in first]
    # The time to compare two names grows with the product of their lengths.
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
    """Return `value` as short text on one line, however long or deeply nested it is."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python prints no integer of more than 4,300 digits
        return f"a {type(value).__name__} too long to show"


def mistake(error: Mapping[str, Any]) -> str:
    """Return a pydantic error as part of a sentence: the field, the fault, the input."""
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
