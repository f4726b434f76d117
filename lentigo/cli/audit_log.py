"""`lentigo audit-log`: check that the log of a service was not changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json

_What = Annotated[str, typer.Argument(metavar="verify", help="What to do with it: verify.")]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="Log of 'lentigo serve'.")]
_End = Annotated[
    str,
    typer.Option(
        "--end",
        metavar="ROWS:HASH",
        help="End that an earlier check printed, noted elsewhere: finds an end cut off.",
    ),
]


def audit_log_command(
    what: _What, file: _File, end: _End = "", json: options.Json = False
) -> None:
    """Check that nobody changed the audit log of a service.

    Every row and its chain of hashes is checked; the exit status is 1 if one was changed.

    \b
    Example:
        lentigo audit-log verify audit.sqlite
    """
    if what != "verify":
        raise typer.BadParameter(f"there is verify, and no {what!r}.")
    from lentigo.service.audit_log import verify
    from lentigo.words import counted

    found = verify(file, end=end)
    if json:
        say_json(vars(found))
        return
    when = f" from {found.first} to {found.last}" if found.rows else ""
    say(f"{file} is intact: {counted(found.rows, 'answer')}{when}.")
    say(f"Its end is {found.end}. Note it elsewhere, for --end of a later check.")
