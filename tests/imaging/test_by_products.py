"""Masks, heat maps and figures that lie among photographs are not read as photographs."""

from __future__ import annotations

import logging
import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from lentigo.datasets import read_archive
from lentigo.explanation.registry import METHODS
from lentigo.figures.save import draw_into
from lentigo.imaging.by_products import OUR_WORDS, made_of_images, photographs
from lentigo.imaging.views import VIEWS
from lentigo.inference.inputs import find_sources

MADE = [
    "nevus/N1_segmentation.png", "nevus/n1_superpixels.PNG",
    "truth/N1_attribute_streaks.png", "nevus/N1-mask.jpg",
    "masks/N1.png", "out/N1.mask.png", "out/N1.overlay.png",
    "out/N1.grad_cam.png", "out/N1.grad_cam.map.png", "out/N1-2.gray.png",
    "nevus/N1_lesion_mask.png", "nevus/N1-binary-mask.png", "N1_segmentation_mask.png",
    "M3_lesion_mask.png",
]  # fmt: skip
KEPT = [
    "melanoma/M1.jpg", "nevus/N1.jpg", "nevus/N1_lesion.jpg", "nevus/N1_seg.jpg",
    "nevus/N1_2.jpg", "nevus/N2_mask.jpg", "masks/M2.png", "nevus/N1.left.png",
    "nevus/N1.gray.jpg", "nevus/mask.jpg", "nevus/N1 overview.jpg", "M3_lesion.jpg",
]  # fmt: skip


def test_only_what_is_called_as_another_image_and_says_what_it_is_was_made_of_it() -> None:
    assert sorted(made_of_images([*KEPT, *MADE])) == sorted(MADE)


def test_every_picture_that_we_make_of_an_image_is_known() -> None:
    assert {*VIEWS, *METHODS, "mask", "overlay", "abcd", "sheet", "outline"} == {*OUR_WORDS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in (*KEPT[:3], *MADE[:2], MADE[5]):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (200, 100, 50)).save(root / name)
    draw_into(root / "nevus" / "grid.png", Figure(figsize=(1, 1)))
    return root


NOTES = (
    "3 pictures were made of another image (a mask or a view) and are left out: "
    "N1_segmentation.png, n1_superpixels.PNG, N1.mask.png. Name a file itself to read it.",
    "1 picture was drawn by lentigo (a figure) and is left out: grid.png. Name a file "
    "itself to read it.",
)


def names(paths: object) -> list[str]:
    return sorted(Path(str(path)).name for path in pd.Series(paths))


def test_a_folder_of_classes_is_read_without_them_and_a_note_says_so(folder: Path) -> None:
    read = read_archive("folder", folder)
    assert names(read.table["path"]) == names(KEPT[:3])
    assert set(NOTES) <= set(read.notes)


def test_a_prediction_leaves_them_out_unless_one_is_named(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="lentigo"):
        found = find_sources([folder])
    assert names([each.path for each in found]) == names(KEPT[:3])
    assert all(note in caplog.text for note in NOTES)
    named = find_sources([folder / MADE[0], folder / "nevus" / "grid.png"])
    assert len(named) == 2
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as packed:
        for name in (KEPT[1], MADE[0]):
            packed.write(folder / name, name)
    assert names([each.path for each in find_sources([tmp_path / "photos.zip"])]) == [
        "N1.jpg"
    ]


def test_a_pipe_called_as_a_png_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert photographs([str(tmp_path / "a.png")]) == ([str(tmp_path / "a.png")], [])
