"""Say how far a long job is: a bar in a terminal, nothing but log lines in a pipe."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self, TypeVar

from lentigo.visible import printable

if TYPE_CHECKING:
    from rich.progress import Progress

log = logging.getLogger("lentigo")
"""What the library has to tell; the command line shows it on standard error."""

Item = TypeVar("Item")


def track(items: Iterable[Item], *, total: int, label: str) -> Iterator[Item]:
    """Yield `items`, drawing a bar on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    with Meter(total=total, label=label) as meter:
        for done, item in enumerate(items):
            meter.step_to(done)
            yield item


class Meter:
    """A bar for steps that have something to say as they go, such as the loss.

    Used as a context manager; silent where standard error is no terminal.
    """

    def __init__(self, *, total: int, label: str, quiet: bool = False) -> None:
        self._bar: Progress | None = None
        if sys.stderr.isatty() and not quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                # A name with brackets in it is no markup of rich.
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=30),
                TextColumn("{task.completed:,.0f}/{task.total:,.0f}", markup=False),
                TextColumn("{task.fields[said]}", markup=False),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(printable(label), total=total, said="")

    @property
    def live(self) -> bool:
        """Whether anybody sees the bar."""
        return self._bar is not None

    def step_to(self, done: int, *, said: str = "") -> None:
        """`done` steps are behind us; `said` stands beside the bar."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, said=printable(said))

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()
