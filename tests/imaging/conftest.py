from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from lentigo.imaging.store import build as store
from lentigo.imaging.store.decode_process import DecodedFile
from lentigo.imaging.store.unfinished import Build


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded from now on, in the order of their rows."""
    names: list[str] = []
    original = store._decoded

    def noted(
        build: Build, files: Sequence[tuple[int, str]], workers: int
    ) -> Generator[DecodedFile]:
        names.extend(Path(path).stem for _, path in files)
        return original(build, files, workers)

    monkeypatch.setattr(store, "_decoded", noted)
    return names
