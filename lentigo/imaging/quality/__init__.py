"""How good a picture is, and whether it is one of skin: numbers, one row an image."""

from __future__ import annotations

from lentigo.imaging.quality.measure import QUALITY, measure_image, measure_images
from lentigo.imaging.quality.resolution import resolution

__all__ = ["QUALITY", "measure_image", "measure_images", "resolution"]
