"""Outlines written to a folder."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ConfigError, DatasetNotFoundError, ImageError, RunError
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.imaging.segmentation import find_outline, given_outline
from lentigo.inference.inputs import Source
from lentigo.reports.images.each import Masks, outline_in
from lentigo.reports.images.outlines import COLUMNS, write_outlines
from lentigo.reports.images.views import read_mask
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


def marked(folder: Path, *names: str) -> list[Path]:
    """Write small masks with these paths below `folder`."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(folder / name)
    return [folder / name for name in names]


def sources(folder: Path, *names: str) -> list[Source]:
    return [Source(Path(name).stem, path=folder / name) for name in names]


def test_of_images_called_alike_each_has_the_mask_in_its_own_folder(tmp_path: Path) -> None:
    """Folders a patient, with 1.jpg, 2.jpg … in each: the usual export of a clinic."""
    masks, photos = tmp_path / "masks", sources(tmp_path / "in", "P0/7.png", "P1/7.png")
    own = marked(masks, "P0/7.png", "P1/7_mask.png")
    assert [Masks(masks, photos).of(each) for each in photos] == own
    own[1].unlink()
    assert [Masks(masks, photos).of(each) for each in photos] == [own[0], None]
    # The patient of the mask was not asked for, but is there.
    marked(tmp_path / "in", "P0/7.png")
    with pytest.raises(DatasetNotFoundError, match="no mask of any"):
        Masks(masks, photos[1:])
    (tmp_path / "in" / "P0" / "7.png").unlink()
    assert Masks(masks, photos[1:]).of(photos[1]) == own[0]  # a folder of another sense


def test_folders_that_name_a_kind_of_file_name_nobody(tmp_path: Path) -> None:
    """images/ beside masks/, for all lesions together or in the folder of each."""
    whole = tmp_path / "all"
    own = marked(whole, "masks/0.png", "masks/1.png")
    photos = sources(whole, "images/0.png", "images/1.png")
    marked(whole, "images/0.png", "images/1.png")
    assert [Masks(whole, photos).of(each) for each in photos] == own
    each_own = tmp_path / "own"
    own = marked(each_own, "P0/masks/7.png", "p1/Masks/7.png")
    photos = sources(each_own, "P0/images/7.jpg", "P1/images/7.jpg")
    assert [Masks(each_own, photos).of(each) for each in photos] == own
    assert Masks(each_own, photos[:1]).of(photos[0]) == own[0]
    own[1].unlink()
    marked(each_own, "P0/images/7.jpg")  # it is there, and was not asked for
    with pytest.raises(DatasetNotFoundError, match="no mask of any"):
        Masks(each_own, photos[1:])


def test_one_mask_is_never_that_of_two_images(tmp_path: Path) -> None:
    photos = sources(tmp_path / "in", "P0/7.png", "P1/7.png")
    (mask,) = marked(tmp_path / "masks", "7.png")
    with pytest.raises(ConfigError, match=r"7\.png fits two images: .*P0.* and .*P1"):
        Masks(tmp_path / "masks", photos)
    assert Masks(tmp_path / "masks", photos[:1]).of(photos[0]) == mask
    marked(tmp_path / "deep", "P0/7.png")
    elsewhere = sources(tmp_path / "other", "P0/7.png")
    with pytest.raises(ConfigError, match="fits two images"):
        Masks(tmp_path / "deep", [photos[0], *elsewhere])


def as_masks(folder: Path) -> dict[str, Path]:
    """Write one mask, a square of 10 × 10 of 30 × 40 pixels, in the ways people save it."""
    inside = np.zeros((30, 40), bool)
    inside[10:20, 10:20] = True
    white = np.full((30, 40, 4), 255, np.uint8)
    white[~inside, 3] = 0
    black = white.copy()
    black[..., :3] = 0
    palette = Image.fromarray(inside.astype(np.uint8), mode="P")
    palette.putpalette([255, 255, 255, 0, 0, 0])
    kinds = {
        "alpha": Image.fromarray(white),
        "grey_alpha": Image.fromarray(white).convert("LA"),
        "opaque": Image.fromarray(inside).convert("RGBA"),
        "black": Image.fromarray(black),
        "inverted": Image.fromarray(~inside),
        "palette": palette,
    }
    for name, picture in kinds.items():
        picture.save(folder / f"{name}.png")
    return {name: folder / f"{name}.png" for name in kinds}


def test_a_mask_may_be_transparent_and_one_of_the_skin_is_refused(
    photos: Path, tmp_path: Path
) -> None:
    files = as_masks(tmp_path)
    image = pixels(photos / "one.png")
    with GuardedReader() as reader:
        for name in ("alpha", "grey_alpha", "opaque"):
            assert outline_in(files[name], image, reader).area == 100 * 100, name
            assert read_mask(files[name]).sum() == 100, name
        for name in ("inverted", "palette"):
            with pytest.raises(ImageError, match=f"{name}.* 8 % .*marks the skin. Invert"):
                outline_in(files[name], image, reader)
        with pytest.raises(ImageError, match="black wherever it is not transparent"):
            outline_in(files["black"], image, reader)


def test_what_is_to_be_looked_at_is_said_of_an_outline(photos: Path) -> None:
    image = pixels(photos / "one.png")
    found = find_outline(image)
    assert found.doubts == []
    unsure = replace(found, certainty=0.59, others=1).doubts
    assert "certainty 0.59, below 0.6" in unsure[0]
    assert "2 lesions: the main one is outlined" in unsure[1]
    (filled,) = given_outline(image, np.ones((30, 40), bool)).doubts
    assert "fills the picture" in filled
