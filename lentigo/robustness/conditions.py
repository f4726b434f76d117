"""The conditions of a stress test: disturbances by strength, turned views, hidden parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import unknown_name
from lentigo.imaging.disturbances import DISTURBANCES, STRENGTHS, disturb
from lentigo.imaging.disturbances.camera import turned
from lentigo.imaging.disturbances.occlusion import OCCLUSIONS

Image = NDArray[np.uint8]

PLAIN, TURNED = "undisturbed", "turned"
VIEWS, HIDDEN = "views", "hidden"
"""Groups of conditions that are no disturbances: turned images, and hidden parts."""
ALL = "all"
VIEW_NAMES = ("90°", "180°", "270°", "mirror", "mirror 90°", "mirror 180°", "mirror 270°")
"""Names of the seven turned or mirrored views, which are strengths 1 to 7 of `turned`."""
_TITLES = {
    PLAIN: "as it is",
    "only_lesion": "lesion alone",
    "without_lesion": "lesion hidden",
    "without_box": "box over lesion",
}


@dataclass(frozen=True)
class Condition:
    """One change of an image in a stress test, or none."""

    name: str
    """Name of a disturbance or of a way to hide a part, `turned`, or `undisturbed`."""
    strength: int = 0
    """Strength of a disturbance, 1 to 5; for `turned` the number of the view, 1 to 7; else
    0."""

    @property
    def column(self) -> str:
        """The name of its column in a table of answers."""
        return f"{self.name}_{self.strength}" if self.strength else self.name

    @property
    def title(self) -> str:
        """The name of the condition in figures, without its strength."""
        if self.name in DISTURBANCES:
            return DISTURBANCES[self.name].title
        return _TITLES.get(self.name) or VIEW_NAMES[self.strength - 1]

    @property
    def group(self) -> str:
        """The group of the condition, such as `camera`; empty for the undisturbed image."""
        if self.name in DISTURBANCES:
            return DISTURBANCES[self.name].group
        if self.name in OCCLUSIONS:
            return HIDDEN
        return VIEWS if self.name == TURNED else ""

    @property
    def needs_lesion(self) -> bool:
        """Whether the condition needs a mask of the lesion."""
        return self.name in OCCLUSIONS


def conditions(only: Sequence[str] = (ALL,)) -> tuple[Condition, ...]:
    """Return the conditions that `only` names, the undisturbed one first.

    `only` takes names of disturbances, `turned`, ways to hide a part, groups, or `all`.
    Raises `UnknownNameError` for any other name.
    """
    every = [
        *(Condition(TURNED, view) for view in range(1, 8)),
        *(Condition(name, each) for name in DISTURBANCES for each in STRENGTHS),
        *(Condition(name) for name in OCCLUSIONS),
    ]
    known = {each.name for each in every} | {each.group for each in every} | {ALL}
    for name in only:
        if name not in known:
            raise unknown_name("disturbance", name, sorted(known))
    taken = [each for each in every if {each.name, each.group, ALL} & set(only)]
    return (Condition(PLAIN), *taken)


def shown_as(
    image: Image, condition: Condition, lesion: NDArray[np.bool_] | None, *, seed: int
) -> Image | None:
    """Return `image`, (S, S, 3), changed by `condition`; `seed` seeds its random parts.

    `lesion` is the mask of the lesion, (S, S). Returns None if `condition` hides a part and
    there is no lesion.
    """
    if condition.name == PLAIN:
        return image
    if condition.name == TURNED:
        return turned(image, condition.strength)
    if condition.needs_lesion:
        if lesion is None or not lesion.any():
            return None
        return OCCLUSIONS[condition.name](image, lesion)
    return disturb(image, condition.name, condition.strength, seed=seed)
