"""Progress of a long job: a bar in a terminal, only log lines elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self, TypeVar

from lentigo.stopping import stop_if_swallowed
from lentigo.visible import printable

if TYPE_CHECKING:
    from rich.progress import Progress

log = logging.getLogger("lentigo")
"""The library's logger; the command line writes its messages to standard error."""

Item = TypeVar("Item")


def track(items: Iterable[Item], *, total: int, label: str) -> Iterator[Item]:
    """Yield `items`, with a progress bar on standard error if that is a terminal.

    Every long job passes here: a signal to stop that a library swallowed counts before
    each item.
    """
    with Meter(total=total, label=label) as meter:
        for done, item in enumerate(items):
            stop_if_swallowed()
            meter.step_to(done)
            yield item


class Meter:
    """A progress bar that can show a text beside each step, such as the loss.

    Used as a context manager; it draws nothing where standard error is no terminal.
    """

    def __init__(self, *, total: int, label: str, quiet: bool = False) -> None:
        self._bar: Progress | None = None
        if sys.stderr.isatty() and not quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                # Brackets in a name must not be read as markup of rich.
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
        """Whether the bar is drawn."""
        return self._bar is not None

    def step_to(self, done: int, *, said: str = "") -> None:
        """Set the bar to `done` finished steps, with the text `said` beside it."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, said=printable(said))

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()
