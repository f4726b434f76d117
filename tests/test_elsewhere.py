"""Work in processes of our own."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from functools import partial

import pytest

from lentigo import elsewhere
from lentigo.elsewhere import ProcessDiedError, in_processes
from lentigo.errors import RunError


def test_answers_come_in_the_order_of_the_questions() -> None:
    assert list(in_processes(math.sqrt, (n * n for n in range(20)), workers=2)) == [
        float(n) for n in range(20)
    ]


def test_only_a_few_are_taken_ahead() -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    answers = in_processes(math.sqrt, numbers(), workers=1)
    next(answers)
    assert taken == [0, 1]
    answers.close()


def test_what_a_library_prints_there_is_no_answer() -> None:
    """Each item is printed by the process, which answers how many bytes that were."""
    assert list(in_processes(partial(os.write, 1), [b"noise\n"] * 2, workers=1)) == [6, 6]


def test_what_is_raised_there_is_raised_here() -> None:
    with pytest.raises(ValueError, match="math domain error"):
        list(in_processes(math.sqrt, [1, -1], workers=1))


@pytest.mark.parametrize(
    ("program", "error", "words"),
    [
        (
            "import os; os.kill(os.getpid(), 9)",
            ProcessDiedError,
            r"killed \(exit code -9\)",
        ),
        ("import nothing_of_the_kind", RunError, "No module named 'nothing_of_the_kind'"),
    ],
)
def test_a_process_that_ends_is_told(
    monkeypatch: pytest.MonkeyPatch, program: str, error: type[RunError], words: str
) -> None:
    monkeypatch.setattr(elsewhere, "_PROGRAM", program)
    with pytest.raises(error, match=words):
        list(in_processes(math.sqrt, [1.0], workers=1))
