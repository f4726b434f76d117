"""Remember the model, images and views behind a finished prediction table, for `--resume`.

The table itself does not hold them. They are kept in the user's cache folder, under a name
made from the table's path, and are ignored once size or time of the table has changed.
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
"""By name (model, images, views …), in words, what a prediction table was made with."""


def remember(out: Path, made: Made) -> None:
    """Save what table `out` was `made` with; do nothing if the cache is not writable."""
    with suppress(OSError, RuntimeError, LentigoError):
        write_json(_place(out), {"facts": _facts(out), "made": dict(made)})


def check_made(out: Path, asked: Made) -> bool:
    """Return True if the table `out` was made as `asked`, False if nothing is remembered.

    Raises `RunError` if an entry of `asked` has another value in what is remembered, or is
    missing there.
    """
    made = _remembered(out)
    if others := list(_differences(made, asked)):
        raise RunError(
            f"{out} is finished, and was made with another {listed(others)}. Give "
            "another --out."
        )
    if further := [name for name in asked if made and name not in made]:
        raise RunError(
            f"{out} is finished, without the {listed(further)} that is asked for. Give "
            "another --out."
        )
    return bool(made)


def views_of(folders: Sequence[Path], views: int | None) -> str:
    """Return `views` as text; if None, the numbers that the networks were judged with."""
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
