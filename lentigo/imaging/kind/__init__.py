"""The kind of an image: skin, dermoscopy, print; and the black frame around it.

No module of this package needs OpenCV, so that a prediction can be made without it.
"""

from __future__ import annotations

from lentigo.imaging.kind.dermoscopic import dermoscopic, skin
from lentigo.imaging.kind.page import page
from lentigo.imaging.kind.unlike import unlike_dermoscopy

__all__ = ["dermoscopic", "page", "skin", "unlike_dermoscopy"]
