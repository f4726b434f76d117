"""Outlines written to a folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ConfigError, DatasetNotFoundError, RunError
from lentigo.inference.inputs import Source
from lentigo.reports.images.each import Masks
from lentigo.reports.images.outlines import COLUMNS, write_outlines
from tests.imaging.segmentation.test_find import disc, jaccard, skin, with_disc


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outlines") / "in"
    folder.mkdir()
    Image.fromarray(with_disc(skin(300, 400), (200, 150), 70)).save(folder / "one.png")
    Image.fromarray(skin()).save(folder / "skin.png")
    (folder / "broken.jpg").write_text("no image")
    with zipfile.ZipFile(folder.parent / "zipped.zip", "w") as packed:
        packed.write(folder / "one.png", "deep/one.png")
    return folder


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_each_image_has_a_mask_an_overlay_and_a_row(photos: Path, tmp_path: Path) -> None:
    done = write_outlines([photos, photos.parent / "zipped.zip"], tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "outlines.csv", keep_default_na=False)
    assert list(table) == list(COLUMNS)
    assert list(table["found"]) == ["", "one lesion", "no lesion", "one lesion"]
    assert "broken.jpg" in table["reason"][0]
    assert len(done.failed) == 1
    for row in (1, 3):
        mask = pixels(tmp_path / "out" / table["mask"][row]) > 0
        assert jaccard(mask, disc(mask[..., None], (200, 150), 70)) > 0.88
        assert int(table["area_pixels"][row]) == mask.sum()
    assert pixels(tmp_path / "out" / table["overlay"][1]).shape == (300, 400, 3)
    assert len(list((tmp_path / "out").iterdir())) == 7


def test_masks_are_taken_from_a_folder_by_their_names(photos: Path, tmp_path: Path) -> None:
    mask = np.zeros((30, 40), np.uint8)
    mask[10:20, 10:20] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(mask).save(tmp_path / "masks" / "one_segmentation.png")
    done = write_outlines([photos], tmp_path / "out", mask=tmp_path / "masks")
    rows = done.table.set_index("image_id")
    assert rows.loc["one", "area_pixels"] == 100 * 100
    assert list(rows.loc[["one", "skin"], "given"]) == [True, False]
    one = write_outlines(
        [photos / "one.png"], tmp_path / "one", mask=tmp_path / "masks/one_segmentation.png"
    )
    assert one.table["area_pixels"].tolist() == [10_000]


def test_a_photograph_is_not_its_own_mask(photos: Path, tmp_path: Path) -> None:
    one = photos / "one.png"
    with pytest.raises(DatasetNotFoundError, match="the images themselves are none"):
        Masks(photos, [Source("one", path=one)])
    for name in ("one.png", "one_mask.png"):
        Image.open(one).save(tmp_path / name)
    own = tmp_path / "one.png"
    mask = Masks(tmp_path, [Source("one", path=own)]).of(Source("one", path=own))
    assert mask == tmp_path / "one_mask.png"
    Image.open(one).save(tmp_path / "one_mask.bmp")
    with pytest.raises(ConfigError, match="Two masks of one"):
        Masks(tmp_path, [Source("one", path=own)])


def test_what_cannot_be_done_is_said(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="belongs to one image"):
        write_outlines([photos], tmp_path / "out", mask=photos / "one.png")
    (tmp_path / "none").mkdir()
    with pytest.raises(DatasetNotFoundError, match="no mask of any"):
        write_outlines([photos], tmp_path / "out", mask=tmp_path / "none")
    with pytest.raises(DatasetNotFoundError, match="no mask"):
        write_outlines([photos / "one.png"], tmp_path / "out", mask=tmp_path / "gone.png")
    with pytest.raises(RunError, match="not empty"):
        write_outlines([photos], photos.parent)
    assert not (tmp_path / "out").exists()
