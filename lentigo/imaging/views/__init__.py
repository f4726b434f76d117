"""Views: images computed from a photograph, for a person or for a network.

Each view is a function from an array to an array: (H, W, 3) `uint8` RGB to `uint8` (h, w)
or (h, w, 3). `VIEWS` holds them by name; `docs/views.md` shows examples.
"""

from __future__ import annotations

from lentigo.imaging.views.outline import outline
from lentigo.imaging.views.registry import VIEWS, find_view, network_input, view_image

__all__ = ["VIEWS", "find_view", "network_input", "outline", "view_image"]
