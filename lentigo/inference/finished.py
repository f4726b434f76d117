"""Remember how a finished table of predictions was made, for `--resume` on it.

A table says of itself neither the model nor the images nor the views. They are kept in the
user's cache folder, by the place of the table, and forgotten once it is another file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lentigo.errors import LentigoError, RunError
from lentigo.json_files import read_json_object, write_json
from lentigo.machine import cache_folder
from lentigo.models.description import read_description
from lentigo.words import listed

Made = Mapping[str, str]
"""In words, what a table was made with: model, images, views …, the last as asked for."""


def remember(out: Path, made: Made) -> None:
    """Keep with what the table `out` was made, where the cache folder can be written."""
    with suppress(OSError, RuntimeError, LentigoError):
        write_json(_place(out), {"facts": _facts(out), "made": dict(made)})


def check_made(out: Path, asked: Made) -> bool:
    """Tell whether the table `out` is known to be what is asked for; False if not known.

    Raises `RunError` where it was made with something else.
    """
    made = _remembered(out)
    if others := list(_differences(made, asked)):
        raise RunError(
            f"{out} is finished, and was made with another {listed(others)}. Without "
            "--resume it is written anew; or give another --out."
        )
    if further := [name for name in asked if made and name not in made]:
        raise RunError(
            f"{out} is finished, without the {listed(further)} that is asked for. Without "
            "--resume it is written anew; or give another --out."
        )
    return bool(made)


def views_of(folders: Sequence[Path], views: int | None) -> str:
    """Say in how many views images are looked at: `views`, or as networks were judged."""
    if views is not None:
        return str(views)
    members = [each for folder in folders for each in read_description(folder).members]
    return ", ".join(dict.fromkeys(str(each.input.views) for each in members))


def _remembered(out: Path) -> Made:
    with suppress(OSError, RuntimeError, LentigoError):
        found = read_json_object(_place(out), most=100_000)
        made = found.get("made")
        if found.get("facts") == _facts(out) and isinstance(made, dict):
            return made
    return {}


def _differences(made: Made, asked: Made) -> Iterator[str]:
    for name, value in asked.items():
        if name in made and made[name] != value:
            short = len(f"{made[name]}{value}") < 60
            yield f"{name} ({made[name]}, not {value})" if short else name


def _facts(out: Path) -> list[int]:
    facts = out.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _place(out: Path) -> Path:
    name = hashlib.sha256(str(Path(out).resolve()).encode("utf-8", "surrogateescape"))
    return cache_folder() / "predictions" / f"{name.hexdigest()[:32]}.json"
