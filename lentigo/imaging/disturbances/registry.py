"""All disturbances by name: function, group, and their words in tables and sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ConfigError, ImageError, unknown_name
from lentigo.imaging.disturbances import camera, drawn, light

Image = NDArray[np.uint8]

STRENGTHS = (1, 2, 3, 4, 5)
"""From hardly visible (1) to hardly usable (5)."""
GROUPS = {
    "view": "Zoom",
    "light": "Light and colour",
    "camera": "Camera and file",
    "drawn": "What lies on the skin",
    "skin": "Skin tone",
}
"""Groups of disturbances and their headings; each group is a figure."""


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """A change that a photograph may undergo while the lesion stays the same."""

    name: str
    title: str
    """The name in figures and tables."""
    when: str
    """The end of a sentence such as "answers rise when a ruler is drawn in"."""
    group: str
    """One of `GROUPS`."""
    scale: str
    """Name of the property it changes; disturbances of opposite `sign` share a scale."""
    sign: int
    """1 if it raises the property `scale`, -1 if it lowers it."""
    function: Callable[..., Image]
    """The change: from the image, the strength and, if `seeded`, a random generator to the
    changed image."""
    seeded: bool = False
    """Whether it uses random numbers; the same ones at every strength."""


def _row(
    group: str,
    scale: str,
    function: Callable[..., Image],
    when: str,
    *,
    seeded: bool = False,
) -> Disturbance:
    name = function.__name__
    title = name.replace("_", " ").replace("jpeg", "JPEG")
    return Disturbance(
        name=name,
        title=title,
        when=when,
        group=group,
        scale=scale.lstrip("-"),
        sign=-1 if scale.startswith("-") else 1,
        function=function,
        seeded=seeded,
    )


DISTURBANCES: dict[str, Disturbance] = {
    row.name: row
    for row in (
        _row("view", "zoom", camera.zoom_in, "the lesion is shown larger"),
        _row("view", "-zoom", camera.zoom_out, "the lesion is shown smaller"),
        _row("light", "brightness", light.brighter, "the image is brighter"),
        _row("light", "-brightness", light.darker, "the image is darker"),
        _row("light", "-contrast", light.less_contrast, "the contrast is lowered"),
        _row("light", "contrast", light.more_contrast, "the contrast is raised"),
        _row("light", "-gamma", light.lower_gamma, "the shadows are lifted"),
        _row("light", "gamma", light.higher_gamma, "the shadows are deepened"),
        _row("light", "colour cast", light.warmer, "the light is warmer"),
        _row("light", "-colour cast", light.colder, "the light is colder"),
        _row("camera", "JPEG", camera.jpeg, "the file is compressed more"),
        _row("camera", "blur", camera.blur, "the image is blurred"),
        _row("camera", "noise", camera.noise, "noise is added", seeded=True),
        _row("camera", "resolution", camera.low_resolution, "the resolution is lowered"),
        _row("drawn", "hair", drawn.hair, "hair is drawn in", seeded=True),
        _row("drawn", "ruler", drawn.ruler, "a ruler is drawn in", seeded=True),
        _row("drawn", "ink", drawn.ink, "ink is drawn in", seeded=True),
        _row("drawn", "vignette", drawn.vignette, "the corners are darkened"),
        _row("drawn", "frame", drawn.frame, "a black frame is drawn in"),
        _row("skin", "skin tone", light.lighter_skin, "the skin is made lighter"),
        _row("skin", "-skin tone", light.darker_skin, "the skin is made darker"),
    )
}
"""Name → disturbance, in the order of the tables."""


def disturb(image: Image, name: str, strength: int, *, seed: int = 0) -> Image:
    """Return `image`, (H, W, 3) `uint8` RGB, disturbed by `name` at a strength of 1 to 5.

    The result has the same size. Random choices (hairs, the side of a ruler) depend on
    `seed` and `name` only, so that strengths can be compared.

    Raises:
        UnknownNameError: there is no such disturbance.
        ConfigError: the strength is not 1, 2, 3, 4 or 5.
        ImageError: `image` is not a `uint8` RGB array.
    """
    if name not in DISTURBANCES:
        raise unknown_name("disturbance", name, DISTURBANCES)
    if strength not in STRENGTHS:
        raise ConfigError(f"strength is {strength}; give 1 (hardly seen) to 5.")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ImageError(
            f"An array of shape {image.shape} and type {image.dtype} cannot be disturbed; "
            "give (height, width, 3) RGB of type uint8."
        )
    row = DISTURBANCES[name]
    plain = np.ascontiguousarray(image)
    chance: tuple[Any, ...] = ()
    if row.seeded:
        chance = (np.random.default_rng([seed, crc32(name.encode())]),)
    return row.function(plain, strength, *chance)
