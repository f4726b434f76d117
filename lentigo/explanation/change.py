"""Compare two photographs of one lesion, taken months apart.

The photographs are not aligned: each lesion is measured by itself. So a turned or shifted
camera changes nothing, but another magnification or light may change every measure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lentigo.explanation.abcd import TINY, Abcd, is_tiny, measure_abcd
from lentigo.explanation.colors import has_colors
from lentigo.explanation.patch import lesion_patch
from lentigo.imaging.segmentation import Outline, find_outline

Image = NDArray[np.uint8]

CAUTION = (
    "Two photographs differ by camera, light, pressure and magnification even of a lesion "
    "that has not changed, and a melanoma may look unchanged. What is said here is a "
    "difference of two photographs; whether the lesion changed is for whoever examines it."
)
COMPARED = (
    "diameter_mm", "diameter_pixels", "shape_asymmetry", "color_asymmetry", "asymmetry",
    "border", "compactness", "fractal_dimension", "colors", "white", "red", "light_brown",
    "dark_brown", "blue_grey", "black",
)  # fmt: skip
"""The measures of `Abcd` that are compared."""


@dataclass(frozen=True)
class Looked:
    """The measures of one of the two photographs."""

    outline: Outline
    abcd: Abcd
    color: tuple[float, float, float]
    """Mean L*, a*, b* of the lesion minus the usual colour of the skin around it; NaN if
    unknown."""
    scaled: bool
    """Whether the photograph's scale, and so a size in millimetres, is known."""
    colored: bool = True
    """Whether the photograph has colours; in a greyscale one none are compared."""


@dataclass(frozen=True)
class Change:
    """The differences between two photographs of one lesion."""

    before: Looked
    after: Looked

    @property
    def diameter_ratio(self) -> float:
        """The diameter after, divided by that before.

        In millimetres where both photographs have a scale; otherwise in pixels, which means
        something only if both have the same magnification. NaN where a diameter is not
        known.
        """
        name = "diameter_mm" if self.scaled else "diameter_pixels"
        first, second = getattr(self.before.abcd, name), getattr(self.after.abcd, name)
        return second / first if first > 0 else math.nan

    @property
    def scaled(self) -> bool:
        """Whether both photographs have a scale."""
        return self.before.scaled and self.after.scaled

    @property
    def color_difference(self) -> float:
        """L*a*b* distance of the two lesions, each relative to its skin.

        A difference from 2 to 3 on is visible.
        """
        return float(np.linalg.norm(np.subtract(self.after.color, self.before.color)))

    @property
    def gained(self) -> list[str]:
        """Colours that are present in the later photograph only; none if the colours of
        either are not known.
        """
        return self._colors_in(self.after, but_not=self.before)

    @property
    def lost(self) -> list[str]:
        """Colours that are present in the earlier photograph only; none if the colours of
        either are not known.
        """
        return self._colors_in(self.before, but_not=self.after)

    @staticmethod
    def _colors_in(one: Looked, *, but_not: Looked) -> list[str]:
        if math.isnan(one.abcd.colors) or math.isnan(but_not.abcd.colors):
            return []
        return [each for each in one.abcd.present if each not in but_not.abcd.present]

    def rows(self) -> list[dict[str, object]]:
        """Return one row per measure: the values before and after, and their difference."""
        one, two = self.before.outline, self.after.outline
        found = [
            _row("certainty", one.certainty, two.certainty),
            _row("other_lesions", one.others, two.others),
        ]
        for name in COMPARED:
            first = float(getattr(self.before.abcd, name))
            second = float(getattr(self.after.abcd, name))
            found.append(_row(name, first, second))
        for name, first, second in zip(
            ("lightness_beside_skin", "redness_beside_skin", "yellowness_beside_skin"),
            self.before.color,
            self.after.color,
            strict=True,
        ):
            found.append(_row(name, first, second))
        return found

    def sentences(self) -> list[str]:
        """Return sentences on the doubts of each photograph, then on the differences."""
        return [*self.doubts("before"), *self.doubts("after"), *self.differences()]

    def doubts(self, name: Literal["before", "after"]) -> list[str]:
        """Return what is not known of the photograph `name`, and what to look at."""
        return _doubts(name, self.before if name == "before" else self.after)

    def differences(self) -> list[str]:
        """Return sentences on what differs between the photographs, as far as measured."""
        said = []
        if not math.isnan(self.diameter_ratio):
            share = 100 * (self.diameter_ratio - 1)
            unit = "in millimetres" if self.scaled else "in pixels"
            doubt = (
                ""
                if self.scaled
                else (
                    "; without a scale in both this is a change only if both were "
                    "magnified alike"
                )
            )
            said.append(f"Diameter {unit}: {share:+.0f} %{doubt}.")
        if not math.isnan(self.color_difference):
            said.append(
                f"Colour beside the skin: {self.color_difference:.1f} L*a*b* units apart."
            )
        for words, names in (("appeared", self.gained), ("gone", self.lost)):
            if names:
                said.append(
                    f"Colours {words}: {', '.join(n.replace('_', ' ') for n in names)}."
                )
        return said


def _doubts(name: str, looked: Looked) -> list[str]:
    """Return what is not known of the photograph `name`, and what to look at."""
    outline, said = looked.outline, []
    if not outline.area:
        said.append(f"No lesion was found in the photograph {name}.")
    elif is_tiny(outline.mask):
        said.append(f"The lesion in the photograph {name} {TINY}.")
    elif outline.cut_off:
        said.append(
            f"The photograph {name} cuts the lesion off, so its size and shape are not "
            "known."
        )
    said += [f"Photograph {name}: {doubt}" for doubt in outline.doubts]
    if outline.area and not looked.colored:
        said.append(f"The photograph {name} is grey, so colours are not compared.")
    return said


def look(
    image: Image, outline: Outline | None = None, *, mm_per_pixel: float = math.nan
) -> Looked:
    """Measure the lesion of one photograph, (H, W, 3) `uint8` RGB.

    The outline is computed if `outline` is None. `mm_per_pixel` is the scale of the
    photograph, NaN if unknown. Raises `ImageError` as `measure_abcd` does.
    """
    outline = outline or find_outline(image)
    found = measure_abcd(image, outline, mm_per_pixel=mm_per_pixel)
    color = (math.nan, math.nan, math.nan)
    colored = has_colors(image, outline.mask)
    if outline.area and not is_tiny(outline.mask) and colored:
        patch = lesion_patch(image, outline.mask)
        inside = patch.core & patch.seen
        if inside.any():
            mean = patch.lab[inside].mean(axis=0, dtype=np.float64) - patch.skin
            color = (float(mean[0]), float(mean[1]), float(mean[2]))
    return Looked(outline, found, color, not math.isnan(mm_per_pixel), colored)


def _row(name: str, before: float, after: float) -> dict[str, object]:
    return {"measure": name, "before": before, "after": after, "change": after - before}
