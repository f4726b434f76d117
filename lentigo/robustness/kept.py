"""Keep the answers of a stress test batch by batch, so that a stopped one goes on."""

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
    """Where the answers of a stress test are kept, and what tells it from another."""

    answers: Path
    """The table that they become; the journal lies beside it."""
    views: int | None = None
    masks: str = ""
    """What tells the masks of the lesions from others; empty for lesions that are found."""
    resume: bool = False
    """Whether to go on with a test that was stopped."""


def is_finished(out: Path) -> bool:
    """Tell whether the folder `out` holds a whole stress test, with nothing left to do."""
    answers = out / STRESS_ANSWERS
    whole = all(path.is_file() for path in (answers, out / STRESS, out / "index.html"))
    return whole and not ((out / UNFINISHED).exists() or journal_of(answers).exists())


def check_same_test(out: Path, made: Mapping[str, object]) -> None:
    """Raise `RunError` where the finished test in `out` was made otherwise than `made`.

    What a test of an earlier version does not tell is not compared.
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
    """Yield what opens the journal of a stress test; delete it once the block is done.

    A block that is stopped (Ctrl-C) leaves the journal for `resume`, and the exception says
    so. It is deleted, too, where nothing would be gained by going on (`DatasetError`).

    Raises `RunError` where a journal is there and not to be resumed, or of another test.
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
