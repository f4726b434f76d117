"""Table of all views of an image, by name: module, channels, and use for networks.

Strings and numbers only, so that the settings of a run can be checked without OpenCV. The
functions themselves are imported by `lentigo.imaging.views`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lentigo.errors import unknown_name


class ViewRow(NamedTuple):
    """One view, made by the function of its name in a module of `lentigo.imaging.views`."""

    module: str
    """Name of the module in `lentigo.imaging.views`."""
    channels: int
    """Number of channels of the view, such as 1 for grey."""
    network_input: bool = True
    """Whether it can be the input of a network (`imaging.view`)."""


VIEW_ROWS: Mapping[str, ViewRow] = {
    "rgb": ViewRow("color", 3),
    "gray": ViewRow("color", 1),
    "hls": ViewRow("color", 3),
    "hsv": ViewRow("color", 3),
    "lab": ViewRow("color", 3),
    "gaussian_blur": ViewRow("blur", 3),
    "hsv_blur": ViewRow("blur", 3),
    "local_mean": ViewRow("blur", 3),
    "hsv_local_mean": ViewRow("blur", 3),
    "clahe": ViewRow("color", 3),
    "shades_of_gray": ViewRow("constancy", 3),
    "max_rgb": ViewRow("constancy", 3),
    "dullrazor": ViewRow("hair", 3),
    "crop_frame": ViewRow("frame", 3),
    "melanin": ViewRow("pigment", 1),
    "haemoglobin": ViewRow("pigment", 1),
}
"""Every view by its name, in the order of `lentigo list views`."""

INPUT_VIEWS: Mapping[str, int] = {
    name: row.channels for name, row in VIEW_ROWS.items() if row.network_input
}
"""Number of channels of each view that can be the input of a network."""


def view_name(name: str) -> str:
    """Return `name` in the form of the table: lower case, with underscores for hyphens.

    Raises `UnknownNameError` if there is no such view.
    """
    known = name.strip().lower().replace("-", "_")
    if known not in VIEW_ROWS:
        raise unknown_name("view", name, VIEW_ROWS)
    return known
