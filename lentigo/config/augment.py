"""Settings of the augmentation."""

from __future__ import annotations

from pydantic import Field

from lentigo.config.settings import Settings


class AugmentConfig(Settings):
    """How training images are changed at random each time they are drawn (augmentation)."""

    flip: bool = True
    """Mirror left–right half of the time (and top–bottom, if `rotate` is on)."""
    rotate: float = Field(default=0.0, ge=0, le=180)
    """Largest rotation in either direction, in degrees."""
    scale: float = Field(default=0.0, ge=0, lt=1)
    """Largest zoom in or out: 0.2 means by a factor from 1/1.2 to 1.2."""
    stretch: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of the ratio of width to height."""
    shift: float = Field(default=0.0, ge=0, lt=1)
    """Largest shift, as a share of the side of the image."""
    brightness: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of brightness."""
    contrast: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of contrast."""
    saturation: float = Field(default=0.0, ge=0, lt=1)
    """Largest relative change of saturation."""
    hue: float = Field(default=0.0, ge=0, le=180)
    """Largest rotation of the hue, in degrees."""
    blur: float = Field(default=0.0, ge=0, le=20)
    """Largest standard deviation of a Gaussian blur, in pixels; one image in three is
    blurred."""
    erase: float = Field(default=0.0, ge=0, lt=1)
    """Side of a square that is painted over in half of the images, as a share of the
    image's side (coarse dropout)."""
    hair: float = Field(default=0.0, ge=0, le=1)
    """Share of the images in which 4 to 15 dark hairs are drawn."""
    ruler: float = Field(default=0.0, ge=0, le=1)
    """Share of the images in which a black ruler is drawn along one edge of the image."""
    constancy: float = Field(default=0.0, ge=0, le=1)
    """Share of the images whose illumination is first made white, by the view
    `shades_of_gray`."""
