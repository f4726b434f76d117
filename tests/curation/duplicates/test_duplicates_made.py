"""Real pictures, altered on purpose: what comes of each change, and of all at once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import near_duplicates as made_by
from lentigo.config import ImagingConfig
from lentigo.imaging.store.build import build_store


def measured(shared: Path, folder: Path, *, images: int) -> pd.DataFrame:
    table = made_by.originals(shared, folder, images=images, seed=2)
    made = made_by.made_set(table, folder, seed=2)
    store = build_store(made, folder / "store", config=ImagingConfig(size=256, workers=1))
    assert len(made) == 10 * images
    return made_by.scores(made, made_by.our_pairs(store, made))


def test_copies_of_real_images_are_found_in_whatever_way_altered(
    shared: Path, tmp_path: Path
) -> None:
    found = measured(shared, tmp_path, images=100)
    assert (found["recall"] >= 0.99).all(), found
    assert (found["precision"] >= 0.99).all(), found


def test_copies_of_drawn_lesions_are_found_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measured(tmp_path / "none", tmp_path, images=30)
    assert "drawn lesions take the place" in capsys.readouterr().out
    assert (found["recall"] >= 0.96).all(), found  # 29 of 30
    assert (found["precision"] == 1.0).all(), found


def test_scores_count_what_was_missed_and_what_was_wrong() -> None:
    rows = [("x", "x", "original"), ("y", "y", "original")]
    rows += [(f"{of}-{n}", of, way) for of in "xy" for n, way in enumerate(made_by.CHANGES)]
    made = pd.DataFrame(rows, columns=["image_id", "of", "change"])
    found = made_by.scores(made, {("x", "x-0"), ("x", "y-0"), ("x-1", "y-2")})
    turn = found.loc["flip or quarter turn"]
    assert (turn["recall"], turn["precision"]) == (1 / 2, 1 / 2)
    assert found.loc["resized 0.5 to 2 times", "recall"] == 0
    assert found["precision"].isna().sum() == len(made_by.CHANGES) - 1
    total = found.loc["all pairs of the set"]
    assert (total["recall"], total["precision"]) == (1 / 90, 1 / 3)
