"""Names of the views that a network can be shown, with their channels."""

from __future__ import annotations

from collections.abc import Mapping

INPUT_VIEWS: Mapping[str, int] = {
    "rgb": 3,
    "gray": 1,
    "hls": 3,
    "hsv": 3,
    "lab": 3,
    "gaussian_blur": 3,
    "hsv_blur": 3,
    "local_mean": 3,
    "hsv_local_mean": 3,
    "clahe": 3,
    "shades_of_gray": 3,
    "max_rgb": 3,
    "dullrazor": 3,
    "crop_frame": 3,
    "melanin": 1,
    "haemoglobin": 1,
}
"""Channels of each view that a network can be shown; `lentigo.imaging.views` makes them."""
