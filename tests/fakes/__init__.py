"""Each archive as a handful of small images, under its real file names and layout."""

from tests.fakes.archives import (
    fake_csv,
    fake_folder,
    fake_ham10000,
    fake_isic2017,
    fake_siim2020,
)
from tests.fakes.drawing import draw_image, write_lines

__all__ = [
    "draw_image",
    "fake_csv",
    "fake_folder",
    "fake_ham10000",
    "fake_isic2017",
    "fake_siim2020",
    "write_lines",
]
