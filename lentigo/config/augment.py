"""Settings of the augmentation."""

from __future__ import annotations

from pydantic import Field

from lentigo.config.settings import Settings


class AugmentConfig(Settings):
    """How a training image is varied: one warp and one colour change."""

    flip: bool = True
    """Mirror left–right half of the time (and top–bottom, if `rotate` is on)."""
    rotate: float = Field(default=0.0, ge=0, le=180)
    """Largest rotation either way, in degrees."""
    scale: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative zoom either way: 0.2 is 1/1.2 to 1.2 times."""
    stretch: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of the proportions."""
    shift: float = Field(default=0.0, ge=0, lt=1)
    """Largest shift, as a share of the side."""
    brightness: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of brightness."""
    contrast: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of contrast."""
    saturation: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of saturation."""
    hue: float = Field(default=0.0, ge=0, le=180)
    """Largest turn of the hue, in degrees."""
    blur: float = Field(default=0.0, ge=0, le=20)
    """Largest standard deviation of a Gaussian blur, in pixels; a third of the time."""
    erase: float = Field(default=0.0, ge=0, lt=1)
    """Side of a square that is painted over half of the time, as a share of the image's
    side (coarse dropout)."""
    hair: float = Field(default=0.0, ge=0, le=1)
    """Share of the images in which 4 to 15 dark hairs are drawn."""
    ruler: float = Field(default=0.0, ge=0, le=1)
    """Share of the images in which a black scale is drawn along one border."""
    constancy: float = Field(default=0.0, ge=0, le=1)
    """Share of the images whose light is made white first, by the view `shades_of_gray`."""
