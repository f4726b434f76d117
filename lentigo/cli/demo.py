"""`lentigo demo`: a whole run on synthetic lesions."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from shutil import which
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say
from lentigo.cli.show import show_result


def demo_command(
    out: options.Out = Path("demo-run"),
    images: Annotated[
        int, typer.Option("--images", min=200, help="Lesions to draw.")
    ] = 5000,
    resume: options.Resume = False,
    set: options.Settings = None,
    json: options.Json = False,
) -> None:
    """Draw a data set, and run everything on it.

    The best AUC that anybody could reach on it is known. It needs no download and takes a
    few minutes on two cores. What it learns says nothing about real melanomas.

    \b
    Example:
        lentigo demo --out demo-run
    """
    asked = options.ask("demo", None, set)
    options.check_run_folder(out, resume=resume)
    from lentigo.pipeline import run_demo

    result = run_demo(asked.settled(), out=out, images=images, resume=resume)
    show_result(result, as_json=json)
    if result is not None and not json:
        say(
            "Read lesions with this model in your browser: "
            f"{_here()} serve {quote(str(out))}"
        )


def _here() -> str:
    """Return the command that calls this program: its name or, if not on PATH, its path."""
    return "lentigo" if which("lentigo") else quote(sys.argv[0])
