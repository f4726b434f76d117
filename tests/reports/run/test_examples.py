"""The pictures of the report: the right ones, in the right cell."""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lentigo.config import ImagingConfig
from lentigo.imaging.store.build import build_store
from lentigo.reports.run.examples import (
    Picture,
    _call_from,
    galleries,
    pictures_from,
    probability,
    thumbnail,
)
from lentigo.reports.run.run_folder import RunFolder, read_run
from tests.reports.report_fakes import EVALUATION, write_run


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
    assert_is_drawn(galleries(run)[0].pictures[0], str(run.table.loc[0, "path"]))


def assert_is_drawn(picture: Picture, path: str) -> None:
    encoded = picture.source.removeprefix("data:image/jpeg;base64,")
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
    drawn = np.asarray(Image.open(path))
    assert seen.shape == drawn.shape
    assert abs(seen.astype(float) - drawn).mean() < 6  # what JPEG and scaling change


def test_a_store_may_hold_more_than_the_run_under_other_names(run: RunFolder) -> None:
    """There the id ISIC_0000 is another table's, of another file than in the run."""
    shutil.rmtree(run.pixels)
    others = run.table.iloc[::-1].assign(image_id=lambda rows: "x:" + rows["image_id"])
    another = run.table.iloc[[7]].assign(
        image_id="ISIC_0000", path=str(run.folder / "x.png")
    )
    Image.new("RGB", (48, 48), "navy").save(run.folder / "x.png")
    for table in (pd.concat([others, another]), run.table):
        build_store(table, run.pixels, config=ImagingConfig(size=48, workers=1))
    found, missed, alarms, _ = galleries(run)
    shown = [*found.pictures, *missed.pictures, *alarms.pictures]
    assert [picture.image_id for picture in shown] == [
        "ISIC_0000", "ISIC_0025", "ISIC_0030", "ISIC_0001",
    ]  # fmt: skip
    for picture in shown:
        assert_is_drawn(picture, str(run.table.loc[int(picture.image_id[-4:]), "path"]))


def test_a_store_of_another_table_shows_nothing_and_says_so(
    run: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(run.pixels)
    few = run.table.iloc[:3]
    build_store(few, run.pixels, config=ImagingConfig(size=48, workers=1))
    assert all(p.source == "" for gallery in galleries(run) for p in gallery.pictures)
    assert "The report shows no images" in caplog.text
    assert "has no image ISIC_0003, ISIC_0004" in caplog.text


def test_a_caption_says_what_is_known(run: RunFolder) -> None:
    facts = galleries(run)[0].pictures[0].facts
    assert facts.endswith("melanoma")
    assert "nan" not in facts.lower()
    assert "<NA>" not in facts


def test_where_nothing_is_called_another_threshold_is_used_and_named(
    tmp_path: Path,
) -> None:
    folder = write_run(tmp_path / "run", pixels=False, evaluation=EVALUATION)
    predictions = pd.read_csv(folder / "predictions.csv").assign(probability=0.2)
    predictions.to_csv(folder / "predictions.csv", index=False)
    run = read_run(folder)
    assert "No held-out image reached a probability of 0.5" in pictures_from(run)
    assert "from 0.123 upwards" in pictures_from(run)
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


@pytest.mark.parametrize(("highest", "threshold"), [(0.5, 0.5), (0.4999, 0.1234)])
def test_a_probability_of_just_the_threshold_is_called(
    highest: float, threshold: float, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run", pixels=False, evaluation=EVALUATION)
    predictions = pd.read_csv(folder / "predictions.csv").assign(probability=0.2)
    predictions.loc[0, "probability"] = highest
    predictions.to_csv(folder / "predictions.csv", index=False)
    assert _call_from(read_run(folder)) == pytest.approx(threshold)
