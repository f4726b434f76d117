"""Part of the array that an image covers after decoding at a fraction of its size."""

from __future__ import annotations

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""

_FRACTIONS = (1, 2, 4, 8)
"""A JPEG is decoded at these fractions of its size, rounded up."""


def covered_size(full: tuple[int, int], decoded: tuple[int, int]) -> tuple[float, float]:
    """Return the width and height in pixels that an image covers in its decoded array.

    `full` is (width, height) of the image, `decoded` that of the array. A JPEG decoder
    rounds up: 1023 × 767 at one half gives 512 × 384, of which the image covers 511.5 ×
    383.5. An array of another size than 1, 1/2, 1/4 or 1/8 of the image is covered
    completely.
    """
    for part in _FRACTIONS:
        if decoded == (-(-full[0] // part), -(-full[1] // part)):
            return full[0] / part, full[1] / part
    return decoded


def turned_box(
    decoded: tuple[int, int], covered: tuple[float, float], orientation: int
) -> Box:
    """Return the covered part of a decoded array after the image was rotated upright.

    `decoded` is (width, height) of the array before the rotation, and `covered` the width
    and height of the covered part at its top left. `orientation` is the EXIF orientation, 1
    to 8, that was undone.
    """
    (width, height), (right, bottom) = decoded, covered
    across, down = (0.0, right), (0.0, bottom)
    if orientation in {2, 3, 7, 8}:  # left and right have changed places
        across = width - right, float(width)
    if orientation in {3, 4, 6, 7}:  # top and bottom
        down = height - bottom, float(height)
    if orientation >= 5:  # rows have become columns
        across, down = down, across
    return across[0], down[0], across[1], down[1]
