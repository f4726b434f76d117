"""Where the skin can be seen: neither hair nor the black frame of a dermatoscope."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lentigo.imaging.kind.frame import frame_mask
from lentigo.imaging.views.hair import hair_mask


def bare(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return True where neither hair nor a black frame covers the skin: (H, W).

    `image` is (H, W, 3) RGB.
    """
    height, width = image.shape[:2]
    frame = frame_mask(image).astype(np.uint8)
    whole = cv2.resize(frame, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray((np.asarray(whole) == 0) & ~hair_mask(image))
