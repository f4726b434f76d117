"""Image quality, and whether an image shows skin: measures, one row per image."""

from __future__ import annotations

from lentigo.imaging.quality.measure import QUALITY, measure_image, measure_images
from lentigo.imaging.quality.resolution import resolution

__all__ = ["QUALITY", "measure_image", "measure_images", "resolution"]
