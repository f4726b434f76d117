"""The pictures of the report: the right ones, in the right cell."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lentigo.reports.examples import galleries, pictures_from, probability, thumbnail
from lentigo.reports.run_folder import RunFolder, read_run
from tests.reports.report_fakes import EVALUATION, entry, write_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Fold 0 held out, with probabilities set by hand: 3 melanomas (0, 25, 30)."""
    folder = write_run(tmp_path / "run")
    predictions = pd.read_csv(folder / "predictions.csv")
    predictions["probability"] = 0.1
    by_hand = {"ISIC_0000": 0.9, "ISIC_0025": 0.6, "ISIC_0030": 0.2, "ISIC_0001": 0.7}
    for name, value in by_hand.items():
        predictions.loc[predictions["image_id"] == name, "probability"] = value
    predictions.to_csv(folder / "predictions.csv", index=False)
    return read_run(folder)


def test_each_image_is_in_its_cell_the_most_confident_first(run: RunFolder) -> None:
    shown = {
        gallery.title: [picture.image_id for picture in gallery.pictures]
        for gallery in galleries(run)
    }
    assert shown["Melanomas found"] == ["ISIC_0000", "ISIC_0025"]
    assert shown["Melanomas missed"] == ["ISIC_0030"]
    assert shown["False alarms"] == ["ISIC_0001"]
    assert len(shown["Not melanoma, and not called"]) == 6  # of 12


def test_summaries_count_all_of_a_cell(run: RunFolder) -> None:
    summaries = [gallery.summary for gallery in galleries(run)]
    assert summaries == [
        "2 images, all shown, highest probability first.",
        "1 image.",
        "1 image.",
        "12 images; the 6 of lowest probability.",
    ]


def test_the_picture_is_the_image_of_that_name(run: RunFolder) -> None:
    found = galleries(run)[0].pictures[0]
    encoded = found.source.removeprefix("data:image/jpeg;base64,")
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
    drawn = np.asarray(Image.open(str(run.table.loc[0, "path"])))
    assert seen.shape == drawn.shape
    assert abs(seen.astype(float) - drawn).mean() < 6  # what JPEG and scaling change


def test_a_caption_says_what_is_known(run: RunFolder) -> None:
    facts = galleries(run)[0].pictures[0].facts
    assert facts.endswith("melanoma")
    assert "nan" not in facts.lower()
    assert "<NA>" not in facts


def test_where_nothing_is_called_another_threshold_is_used_and_named(
    tmp_path: Path,
) -> None:
    model = {**EVALUATION["model"], "threshold_at_sensitivity_95": entry(0.1, 0.1, 0.2)}
    folder = write_run(tmp_path / "run", pixels=False, evaluation={"model": model})
    predictions = pd.read_csv(folder / "predictions.csv").assign(probability=0.2)
    predictions.to_csv(folder / "predictions.csv", index=False)
    run = read_run(folder)
    assert "No held-out image reached a probability of 0.5" in pictures_from(run)
    assert "from 0.1 upwards" in pictures_from(run)
    assert len(galleries(run)[0].pictures) == 3
    assert galleries(run)[1].summary == "None."


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "< 0.0001"), (0.0042, "= 0.0042"), (0.5, "= 0.500"), (1.0, "> 0.9999")],
)
def test_probability_in_a_caption(value: float, expected: str) -> None:
    assert probability(value) == expected


def test_a_thumbnail_is_small() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, size=(512, 512, 3), dtype=np.uint8)
    assert len(thumbnail(noise)) < 60_000
