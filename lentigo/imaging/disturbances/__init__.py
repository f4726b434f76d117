"""Changes that a photograph may undergo without its lesion becoming another one.

`disturb` changes an image by the name of a disturbance and a strength from 1 to 5;
`DISTURBANCES` lists them. All are pure: the same image, strength and seed give the same
bytes. Sizes are shares of the shorter side, so that a picture of any size is disturbed
alike.
"""

from __future__ import annotations

from lentigo.imaging.disturbances.registry import (
    DISTURBANCES,
    STRENGTHS,
    Disturbance,
    disturb,
)

__all__ = ["DISTURBANCES", "STRENGTHS", "Disturbance", "disturb"]
