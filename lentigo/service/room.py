"""The bounded room for images that wait or are computed, which all requests share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lentigo.service.problems import full

_MEMORY = 0.9
"""Weight of earlier batches in the running mean of the time per image."""


@dataclass
class Room:
    """Counts the images that wait or are computed, and keeps them below a limit."""

    limit: int
    """Highest number of images that wait or are computed."""
    images: int = 0
    """Number of images that wait or are computed now."""
    seconds_an_image: float = 0.1
    """Running mean of the computing time of an image, in seconds."""

    def check(self) -> None:
        """Raise `ProblemError` 503 if the limit is reached."""
        if self.images >= self.limit:
            raise full(self.retry_after())

    def enter(self, images: int) -> None:
        """Add `images` to the count; a request above the limit is taken if it is alone.

        Raises `ProblemError` 503 if the limit would be exceeded.
        """
        if self.images and self.images + images > self.limit:
            raise full(self.retry_after())
        self.images += images

    def leave(self, images: int) -> None:
        """Subtract `images` from the count."""
        self.images -= images

    def retry_after(self) -> int:
        """Return the estimated seconds until the images are computed, from 1 to 60."""
        return max(1, min(60, math.ceil(self.images * self.seconds_an_image)))

    def learn(self, images: int, seconds: float) -> None:
        """Update the mean time per image with a batch that took `seconds`."""
        own = seconds / max(1, images)
        self.seconds_an_image += (1 - _MEMORY) * (own - self.seconds_an_image)
