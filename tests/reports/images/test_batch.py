from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.config import GridConfig
from lentigo.errors import ConfigError, DatasetError
from lentigo.imaging.decoding.square import read_square
from lentigo.models.augment import augment
from lentigo.reports.images.batch import draw_batch
from lentigo.training.data import Order
from tests.cohorts import draw_cohort, tiny_config


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=16)


def test_a_batch_is_what_the_training_would_draw(cohort: pd.DataFrame) -> None:
    config = tiny_config(augment__brightness=0.3, augment__rotate=90)
    grid = draw_batch(cohort, config, GridConfig(limit=5))
    labels = cohort["melanoma"].to_numpy(np.float32)
    order = Order(labels, epoch_images=16, batch_size=16, seed=config.seed)
    draws = order.epoch(0)[0][:5]
    assert list(grid.image_ids) == [cohort["image_id"].iloc[place] for place, _ in draws]
    for ax, (place, key) in zip(grid.figure.axes, draws, strict=True):
        square, _ = read_square(Path(cohort["path"].iloc[place]), size=32)
        seen = augment(square, config.augment, size=32, rng=np.random.default_rng(key))
        assert np.array_equal(np.asarray(ax.images[0].get_array()), seen)


def test_stacked_views_are_shown_side_by_side(cohort: pd.DataFrame) -> None:
    config = tiny_config(imaging__view=["rgb", "melanin"])
    grid = draw_batch(cohort, config, GridConfig(limit=1))
    shown = np.asarray(grid.figure.axes[0].images[0].get_array())
    assert shown.shape == (32, 64, 3)
    assert (shown[:, 32:, 0] == shown[:, 32:, 2]).all()  # one channel, so grey
    assert "view rgb + melanin" in grid.notes[0]


def test_the_notes_tell_of_frames_and_of_names_that_no_font_can_draw(
    cohort: pd.DataFrame,
) -> None:
    strange = cohort.assign(image_id=[f"\U00013000{n}" for n in range(16)])
    notes = draw_batch(strange, tiny_config(), GridConfig(limit=16)).notes
    assert notes[0].endswith("Frames: blue: not melanoma; red: melanoma.")
    assert len(notes) == 2
    assert "\U00013000" in notes[1]


def test_a_broken_file_is_a_tile_that_says_why(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    table = cohort.copy()
    table.loc[3, "path"] = str(tmp_path / "gone.png")
    grid = draw_batch(table, tiny_config(), GridConfig(limit=16))
    assert grid.failed == {"L003": "gone.png does not exist."}
    assert len(grid.figure.axes) == 16


def test_without_labels_or_with_an_order_there_is_no_batch(cohort: pd.DataFrame) -> None:
    with pytest.raises(DatasetError, match="both a label and an image file"):
        draw_batch(cohort.assign(melanoma=None), tiny_config())
    with pytest.raises(ConfigError, match="order of its own"):
        draw_batch(cohort, tiny_config(), GridConfig(by="melanoma"))
