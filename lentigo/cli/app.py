"""`lentigo`: the group of all commands, and the treatment of their errors."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from lentigo.cli.commands import COMMANDS, GROUPS, load_command
from lentigo.cli.console import fit_console
from lentigo.cli.say import listen, say
from lentigo.errors import LentigoError
from lentigo.extras import EXTRAS, not_installed
from lentigo.isolated import keep_out_the_surroundings
from lentigo.machine import is_first_process
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import start_noting
from lentigo.stopping import exit_code, listening
from lentigo.visible import printable


class Commands(TyperGroup):
    """The group of all commands.

    An error that the user can put right is one line, exit code 1.

    A command is imported when it is called, or when its help is asked for.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click asks so
        """Return the names of all commands, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Import and return the command `cmd_name`; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = load_command(cmd_name)
        return self.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under the headings of `GROUPS`, with their first sentences."""
        wide = max(map(len, COMMANDS))
        for heading, names in GROUPS.items():
            found = {name: self.get_command(ctx, name) for name in names}
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name.ljust(wide), command.get_short_help_str(limit=80))
                        for name, command in found.items()
                    ]
                )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that `args` name.

        The error for another name proposes similar ones. A `~` in front of a path is the
        home folder: no shell expands the one of `--out=~/runs`, nor Windows any.
        """
        args = [_from_home(word) for word in args]
        if args[:1] == ["help"]:  # as git and others have it
            if not args[1:]:
                for line in ctx.get_help().splitlines():
                    say(line)
                raise typer.Exit
            args = [args[1], "--help"]
        if args and args[0] not in COMMANDS:
            for name in COMMANDS:  # typer proposes those that are loaded
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)

    def main(self, *given: Any, **options: Any) -> Any:
        """Run with the arguments of this process or, as a function, with those given.

        In the first case nothing is imported from the working folder.
        """
        if not given and options.get("args") is None:
            keep_out_the_surroundings()
        fit_console()
        return super().main(*given, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; only bugs of lentigo end in a traceback."""
        try:
            with listening():
                return super().invoke(ctx)
        except LentigoError as error:
            _complain(str(error))
        except _USAGE_ERROR as error:  # typer shows it
            vars(error)["message"] = printable(str(vars(error).get("message", "")))
            raise
        except ModuleNotFoundError as error:
            if error.name not in EXTRAS:
                raise
            _complain(str(not_installed(error.name)))
        except OSError as error:
            _refused_by_the_system(error)
        except KeyboardInterrupt as stop:
            say(str(stop) or _STOPPED, err=True)
            raise typer.Exit(exit_code(stop)) from None


def _from_home(word: str) -> str:
    """Return `~/…`, or `--option=~/…`, with the path of the home folder for `~`."""
    option, equals, path = word.partition("=") if word.startswith("--") else ("", "", word)
    if not _HOME.match(path):
        return word
    try:
        return f"{option}{equals}{Path(path).expanduser()}"
    except RuntimeError:  # nobody knows the home folder
        return word


_HOME = re.compile(f"~[{re.escape(os.sep + (os.altsep or ''))}]")
_STOPPED = (
    "Stopped. Nothing is half written; give the same command again (a training goes on "
    "with --resume)."
)
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""Base class of all usage errors, which typer does not export."""

app = typer.Typer(
    cls=Commands,
    name="lentigo",
    help="Melanoma classification from dermoscopy: patient-grouped, with intervals, in one "
    f"command. {RESEARCH_ONLY}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _main(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        from lentigo.version import __version__

        say(f"lentigo {__version__}")
        raise typer.Exit
    listen()
    start_noting()


def _refused_by_the_system(error: OSError) -> None:
    """Report an operating system error as one line, because the user can put it right."""
    broken = isinstance(error, BrokenPipeError)
    if broken and _reader_has_gone():
        raise typer.Exit(_SIGPIPE)
    if broken or error.errno is None:
        raise error
    where = error.filename or f"standard output, or a file in {tempfile.gettempdir()}"
    _complain(f"{error.strerror}: {where}.")


def _reader_has_gone() -> bool:
    """Tell whether the program that reads the output has ended (`| head`).

    If so, the rest of the output is discarded.
    """
    try:
        # A flush alone is not enough: after a failed write, the buffer is empty.
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Otherwise Python would try again when it ends, and print an error.
        with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return True
    return False


_SIGPIPE = 141
"""Exit code of other programs when the reader of their output has ended."""


def _complain(message: str) -> None:
    # If several processes train together, only the first prints the error.
    if is_first_process():
        say(f"Error: {message}", err=True)
    raise typer.Exit(1)
