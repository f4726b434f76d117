"""Find the outline of a lesion in its photograph.

`find_outline` takes (H, W, 3) RGB and returns an `Outline`: a mask, the kind of result (one
lesion, several, none, or one that fills the image) and its certainty. The method and its
measured agreement with masks drawn by people are in `docs/how-to/outline.md`.
"""

from __future__ import annotations

from lentigo.imaging.segmentation.find import Outline, find_outline, given_outline

__all__ = ["Outline", "find_outline", "given_outline"]
