"""Changes that a photograph may undergo while the lesion stays the same.

`disturb` changes an image by the name of a disturbance and a strength from 1 to 5;
`DISTURBANCES` lists them. All are pure: the same image, strength and seed give the same
bytes. Sizes are shares of the shorter side of the image, so that the effect does not depend
on its resolution.
"""

from __future__ import annotations

from lentigo.imaging.disturbances.registry import (
    DISTURBANCES,
    STRENGTHS,
    Disturbance,
    disturb,
)

__all__ = ["DISTURBANCES", "STRENGTHS", "Disturbance", "disturb"]
