"""Measures of lesions written to a folder, and `lentigo abcd` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ConfigError
from lentigo.imaging.decoding.image import read_image
from lentigo.reports.images.abcd import COLUMNS, check_scale, scale_of, write_abcd
from tests.imaging.segmentation.test_find import skin, with_disc


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("abcd") / "in"
    folder.mkdir()
    Image.fromarray(with_disc(skin(300, 400), (200, 150), 70)).save(folder / "one.png")
    Image.fromarray(skin()).save(folder / "skin.png")
    (folder / "broken.jpg").write_text("no image")
    return folder


def test_each_image_has_a_row_and_each_lesion_a_figure(
    photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = ["abcd", str(photos), "--mm-per-pixel", "0.02", "--out", str(out)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "2 of 3 images" in done.stdout
    assert "Structures are not counted" in done.stdout
    table = pd.read_csv(out / "abcd.csv", keep_default_na=False).set_index("image_id")
    assert ["image_id", *table] == list(COLUMNS)
    rows = {str(name): row for name, row in table.to_dict("index").items()}
    assert float(rows["one"]["diameter_mm"]) == pytest.approx(141 * 0.02, abs=0.15)
    assert float(rows["one"]["asymmetry"]) == 0
    assert rows["skin"]["asymmetry"] == rows["skin"]["figure"] == ""
    assert "broken.jpg" in rows["broken"]["reason"]
    assert {path.name for path in out.iterdir()} == {"abcd.csv", "one.abcd.png"}
    said = CliRunner().invoke(app, [*asked[:2], "--out", str(tmp_path / "j"), "--json"])
    assert json.loads(said.stdout)["images"] == 3


def test_a_mask_of_one_pixel_gives_a_row_with_the_reason(
    photos: Path, tmp_path: Path
) -> None:
    mask = np.zeros((300, 400), np.uint8)
    mask[150, 200] = 255
    Image.fromarray(mask).save(tmp_path / "one.png")
    done = write_abcd([photos / "one.png"], tmp_path / "out", mask=tmp_path / "one.png")
    (row,) = done.table.to_dict("records")
    assert "too few pixels" in row["reason"]
    assert (row["found"], row["figure"]) == ("one lesion", "")
    assert np.isnan(row["asymmetry"])


def test_a_ruler_gives_the_scale() -> None:
    image = skin(400, 600)
    for mark in range(20):
        x = 40 + 25 * mark
        cv2.line(image, (x, 380), (x, 355 if mark % 5 else 340), (20, 20, 20), 2)
    assert 1 / scale_of(image) == pytest.approx(25, rel=0.03)
    assert np.isnan(scale_of(skin(400, 600)))


def test_a_scale_that_is_none_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="above 0"):
        write_abcd([photos], tmp_path / "out", mm_per_pixel=0.0)


def test_pixels_per_millimetre_in_place_of_the_scale_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"20 mm wide.*20 pixels, give 0\.05\."):
        write_abcd([tmp_path], tmp_path / "out", mm_per_pixel=20)
    check_scale(None, option="--mm-per-pixel")
    check_scale(1.0, option="--mm-per-pixel")


def test_a_grey_photograph_has_no_colours_and_a_doubtful_outline_is_named(
    photos: Path, tmp_path: Path
) -> None:
    Image.open(photos / "one.png").convert("L").save(tmp_path / "grey.png")
    left = with_disc(with_disc(skin(), (75, 75), 32), (160, 70), 22)
    Image.fromarray(left).save(tmp_path / "two.png")
    asked = ["abcd", str(tmp_path), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, asked)
    assert "2 images to look at: see the column doubt" in done.stdout
    table = pd.read_csv(tmp_path / "out" / "abcd.csv", keep_default_na=False)
    grey, two = table.to_dict("records")
    assert (grey["colors"], grey["total_low"], grey["verdict"]) == ("", "", "no score")
    assert "it has no colours" in grey["doubt"]
    assert float(grey["shape_asymmetry"]) < 0.1
    assert "2 lesions: the main one" in two["doubt"]


@pytest.mark.parametrize("name", ["ISIC_0012445", "ISIC_0013220", "ISIC_0013965"])
def test_half_millimetres_are_never_taken_for_whole_ones(shared: Path, name: str) -> None:
    """The long marks of the scale are too faint to see: a lesion was twice as large."""
    folder = shared / "data" / "isic2017" / "ISIC-2017_Training_Data"
    assert np.isnan(scale_of(read_image(folder / f"{name}.jpg")))
