"""What a command printed and wrote, as text that is the same on every machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.version import __version__
from tests.record import as_lines, check_recorded

_MOST = 120
"""Lines that are told of one file."""
_OF_A_MACHINE = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"(?<![\d.])\b[0-9a-f]{12,64}\b"), "DIGEST"),
    (re.compile(r"\b[\d.,]+ (s|ms|seconds?|minutes?|images? (a|per) second)\b"), "TOOK"),
    (re.compile(r"(images a second +)[\d.,]+"), r"\1MANY"),
    (re.compile(rf"\b{re.escape(__version__)}\b"), "VERSION"),
)
"""What differs from one machine, moment or version to the next, and the word for it."""
_LEFT_OUT = ["bytes", "modified", "seconds"]
"""Columns that do, too."""
_SMALL = 256
"""Sides in pixels up to which a picture is one of pixels, and no figure with letters."""
_HIDDEN = re.compile(r"<(style|script|svg)\b.*?</\1>", re.DOTALL)


def called(line: str, place: Path, out: Path) -> str:
    """Run a command; return its exit code, what it printed, and the files below `out`.

    OUT in `line` stands for `out`, and PLACE for the folder of what is given.
    """
    words = line.replace("OUT", str(out)).replace("PLACE", str(place)).split()
    done = CliRunner().invoke(app, words)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    lines = [f"lentigo {line}", f"exit {done.exit_code}", *done.output.splitlines()]
    lines += told(out.parent) if out.parent.is_dir() else []
    return settled(lines, OUT=out, PLACE=place)


def as_recorded(said: Mapping[tuple[str, str], str]) -> Callable[..., None]:
    """Return a test that each command says and writes what was recorded.

    `said` maps a command and a name of a way to call it to the rest of the line. The test
    takes the fixture `place`, the folder of what is given.
    """

    @pytest.mark.parametrize(("command", "way"), said)
    def test(
        command: str, way: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(place)
        found = called(f"{command} {said[command, way]}", place, tmp_path / "out")
        check_recorded(f"cli/{command}-{way}", found)

    return test


def settled(lines: list[str], **places: Path) -> str:
    """Join lines, with the names of `places` for their paths, and without what changes."""
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    for word, path in places.items():
        text = text.replace(str(path.resolve()), word).replace(str(path), word)
    for pattern, word in _OF_A_MACHINE:
        text = pattern.sub(word, text)
    return text


def told(place: Path, *, most: int = _MOST) -> Iterator[str]:
    """Yield the name of each file below `place`, and what is in those that have words."""
    for file in sorted(each for each in place.rglob("*") if each.is_file()):
        yield f"--- {file.relative_to(place).as_posix()}"
        lines = list(_file(file))
        yield from lines[:most]
        yield from [f"… {len(lines)} lines"] if len(lines) > most else []


def _file(file: Path) -> Iterator[str]:
    match file.suffix:
        case ".json":
            found = json.loads(file.read_text("utf-8"))
            yield from as_lines(found) if isinstance(found, dict | list) else [str(found)]
        case ".csv" | ".parquet":
            rows = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
            rows = rows.drop(columns=_LEFT_OUT, errors="ignore")
            text = rows.to_csv(index=False, float_format="%.5g", lineterminator="\n")
            yield from text.splitlines()
        case ".png":
            yield from _picture(file)
        case ".html":
            yield from _page(file.read_text("utf-8"))
        case ".txt" | ".md" | ".yaml" | ".tex" | ".bib":
            yield from file.read_text("utf-8").splitlines()


def _picture(file: Path) -> Iterator[str]:
    with Image.open(file) as image:
        if max(image.size) <= _SMALL:
            pixels = np.asarray(image, dtype=float).reshape(image.height, image.width, -1)
            means = [f"{each:.4g}" for each in pixels.mean(axis=(0, 1))]
            spread = [f"{each:.4g}" for each in pixels.std(axis=(0, 1))]
            yield f"{image.mode} {image.size}, means {means}, spread {spread}"


def _page(text: str) -> Iterator[str]:
    """Yield the words of a page, a cell or a paragraph a line."""
    for piece in re.sub(r"<[^>]+>", "\n", _HIDDEN.sub("", text)).splitlines():
        if words := unescape(piece).strip():
            yield words
