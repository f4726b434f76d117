"""Changes of the camera or the file: zoom, blur, noise, resolution, JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.decoding.image import read_image

Image = NDArray[np.uint8]

_ZOOM = (1.1, 1.2, 1.35, 1.5, 1.75)
_ZOOM_OUT = (1.05, 1.1, 1.2, 1.3, 1.4)
_QUALITY = (75, 50, 30, 18, 10)
_SIGMA = (0.003, 0.006, 0.010, 0.015, 0.022)
_LEVELS = (4.0, 8.0, 14.0, 22.0, 32.0)
_RESOLUTION = (0.7, 0.5, 0.35, 0.25, 0.17)


def turned(image: Image, number: int) -> Image:
    """Return one of the eight dihedral views of the image.

    0 is unchanged, 1–3 are rotated by 90° times `number`, counter-clockwise; 4–7 are 0–3,
    then mirrored left-right.
    """
    view = np.rot90(image, number % 4)
    return np.ascontiguousarray(view[:, ::-1] if number >= 4 else view)


def zoom_in(image: Image, strength: int) -> Image:
    """Magnify the centre of the image 1.1 to 1.75 times."""
    return _zoomed(image, _ZOOM[strength - 1])


def zoom_out(image: Image, strength: int) -> Image:
    """Shrink the image 1.05 to 1.4 times; the surroundings are its mirror image.

    A black border would look like the frame of a dermatoscope.
    """
    return _zoomed(image, 1 / _ZOOM_OUT[strength - 1])


def blur(image: Image, strength: int) -> Image:
    """Blur by a Gaussian with a sigma of 0.3 to 2.2 % of the shorter side."""
    sigma = _SIGMA[strength - 1] * min(image.shape[:2])
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def noise(image: Image, strength: int, rng: np.random.Generator) -> Image:
    """Add Gaussian noise (standard deviation 4 to 32), one pattern at all strengths."""
    added = rng.standard_normal(image.shape) * _LEVELS[strength - 1]
    return np.rint(np.clip(image + added, 0, 255)).astype(np.uint8)


def low_resolution(image: Image, strength: int) -> Image:
    """Shrink the image to 70 to 17 % of its width and height, and enlarge it again."""
    height, width = image.shape[:2]
    share = _RESOLUTION[strength - 1]
    small = max(1, round(share * width)), max(1, round(share * height))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_CUBIC))


def jpeg(image: Image, strength: int) -> Image:
    """Compress as JPEG of quality 75 to 10, and decode again."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY[strength - 1]]
    _, packed = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), quality)
    return read_image(packed.tobytes())


def _zoomed(image: Image, factor: float) -> Image:
    height, width = image.shape[:2]
    source = image
    if factor < 1:  # bilinear sampling alone would alias
        source = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.5 * (1 / factor - 1) + 0.01))
    warp = np.array([[factor, 0, (1 - factor) * (width - 1) / 2],
                     [0, factor, (1 - factor) * (height - 1) / 2]])  # fmt: skip
    found = cv2.warpAffine(
        source,
        warp,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(found, np.uint8)
