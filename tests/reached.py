"""Which tests run a line, as a measurement of coverage noted it.

`make coverage` notes for each line the functions of tests in which it was run. What runs
when a module is imported, and in other processes, belongs to no test.
"""

from __future__ import annotations

from pathlib import Path

from coverage import CoverageData

_MOST = 200
"""Tests that are named for a line which more of them run."""


class Reached:
    """The lines of the package and the tests that ran them, from a file of coverage."""

    def __init__(self, measured: Path, project: Path) -> None:
        self._data = CoverageData(str(measured))
        self._data.read()
        self._project = project
        self._files = sorted(self._data.measured_files())

    def tests(self, file: Path, line: int) -> list[str]:
        """Return the ids of the tests that ran a line of `file`, shortest files first.

        A test that is there no more is left out.
        """
        contexts = {
            context
            for name in self._files
            if Path(name).as_posix().endswith(f"/{file.as_posix()}")
            for context in self._data.contexts_by_lineno(name).get(line, [])
        }
        found = {self._id(context) for context in contexts}
        return sorted(found - {""}, key=self._size)[:_MOST]

    def _id(self, context: str) -> str:
        """Return `tests/a/test_b.py::test_c` for the context `tests.a.test_b.test_c`."""
        module, _, name = context.partition("|")[0].rpartition(".")
        path = f"{module.replace('.', '/')}.py"
        file = self._project / path
        there = file.is_file() and f"\ndef {name}(" in file.read_text("utf-8")
        return f"{path}::{name}" if there else ""

    def _size(self, test: str) -> tuple[int, str]:
        return (self._project / test.partition("::")[0]).stat().st_size, test
