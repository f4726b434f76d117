"""A store of which a cluster decodes the files; here this process stands in for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError, RunError
from lentigo.imaging.store import spread
from lentigo.imaging.store.prepare import prepare_images
from tests.cohorts import draw_cohort

CONFIG = ImagingConfig(size=32)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(function: Any, items: Iterable[Any], **_: Any) -> Iterator[Any]:
        yield from map(function, items)

    monkeypatch.setattr(spread, "on_ray", here)
    monkeypatch.setattr("lentigo.imaging.store.prepare.check_place", lambda *_: None)
    monkeypatch.setattr(spread, "_AT_ONCE", 5)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    drawn = draw_cohort(tmp_path_factory.mktemp("spread"), images=12)
    Path(drawn["path"][7]).write_bytes(b"broken")
    return drawn.assign(path=drawn["path"].mask(drawn.index == 3))


def test_the_store_is_that_of_one_machine(table: pd.DataFrame, tmp_path: Path) -> None:
    alone = prepare_images(table, tmp_path / "alone", config=CONFIG).store
    there = prepare_images(table, tmp_path / "there", config=CONFIG, on="ray").store
    assert np.array_equal(alone.images[:], there.images[:])
    pd.testing.assert_frame_equal(alone.index, there.index)
    assert len(there.failed) == 2


def test_a_file_that_is_not_seen_there_stops_it_and_it_goes_on_later(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = spread._decode

    def blind(job: Any, files: Any) -> Any:
        return [
            (replace(answer, error="no file"), None, False) if answer.row == 9 else found
            for found in whole(job, files)
            for answer in found[:1]
        ]

    with monkeypatch.context() as patched:
        patched.setattr(spread, "_decode", blind)
        with pytest.raises(RunError, match="does not see "):
            prepare_images(table, tmp_path / "store", config=CONFIG, on="ray")
    done = prepare_images(table, tmp_path / "store", config=CONFIG, on="ray")
    assert done.work.kept > 0
    assert done.usable == 10


def test_processes_of_this_machine_are_not_counted_there(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    config = CONFIG.model_copy(update={"workers": 2})
    with pytest.raises(ConfigError, match="give one of them"):
        prepare_images(table, tmp_path / "store", config=config, on="ray")
