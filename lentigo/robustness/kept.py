"""Save the predictions of a stress test by batch, so that a stopped test can go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lentigo.errors import DatasetError, RunError
from lentigo.inference.inputs import Source
from lentigo.inference.journal import Journal, journal_of
from lentigo.inference.places import task
from lentigo.inference.predict import Model
from lentigo.json_files import read_json
from lentigo.robustness.conditions import Condition
from lentigo.robustness.run import Asked, JournalOf
from lentigo.run_layout import STRESS, STRESS_ANSWERS, UNFINISHED
from lentigo.words import listed


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Path of a stress test's predictions, and options that identify the test."""

    answers: Path
    """Path of the table of predictions; the journal is a file beside it."""
    views: int | None = None
    """Number of views of each image; None: as each network was judged."""
    masks: str = ""
    """Text that identifies the masks of the lesions; empty if lesions are segmented."""
    resume: bool = False
    """Whether to go on with a stopped test."""


def is_finished(out: Path) -> bool:
    """Tell whether the folder `out` holds a complete stress test."""
    answers = out / STRESS_ANSWERS
    whole = all(path.is_file() for path in (answers, out / STRESS, out / "index.html"))
    return whole and not ((out / UNFINISHED).exists() or journal_of(answers).exists())


def check_same_test(out: Path, made: Mapping[str, object]) -> None:
    """Raise `RunError` if the finished test in `out` differs from `made` in any entry.

    Entries that an earlier version did not write are not compared.
    """
    told = read_json(out / STRESS).get("made") or {}
    others = [name for name, value in made.items() if told.get(name, value) != value]
    if others:
        raise RunError(
            f"{out} is finished, and was made with another {listed(others)}. Give another "
            "--out."
        )


@contextmanager
def kept(model: Model, asked: Asked, how: Kept) -> Iterator[JournalOf]:
    """Yield a function that opens the journal of a stress test; delete it after the block.

    `how` names the journal, and with `model` and `asked` identifies the test. If the block
    is stopped (Ctrl-C), the journal stays for `resume`, and the exception says so. If the
    block raises `DatasetError`, the journal is deleted: going on would fail too.

    The function raises `RunError` if there is a journal without `resume`, or one of another
    test.
    """
    journals: list[Journal] = []
    with ExitStack() as stack:

        def begin(sources: Sequence[Source], wanted: Sequence[Condition]) -> Journal:
            journal = _journal(model, asked, how, sources, wanted)
            journals.append(stack.enter_context(closing(journal)))
            return journal

        try:
            yield begin
        except KeyboardInterrupt as stop:
            if journals and journals[0].done and not stop.args:
                stop.args = (
                    f"Stopped after {journals[0].progress()}. Give the same command with "
                    "--resume to go on.",
                )
            raise
        except DatasetError:
            for journal in journals:
                journal.finish()
            raise
        for journal in journals:
            journal.finish()


def _journal(
    model: Model,
    asked: Asked,
    how: Kept,
    sources: Sequence[Source],
    wanted: Sequence[Condition],
) -> Journal:
    columns = [each.column for each in wanted]
    told = ["stress", *columns, model.engine, asked.device, str(how.views),
            str(asked.seed), how.masks]  # fmt: skip
    work = task(model.folders, sources, told, asked.batch_size, loaded=model)
    return Journal(how.answers, replace(work, rows=len(columns)), resume=how.resume)
