"""Say in words what speaks against an image being dermoscopy."""

from __future__ import annotations

import math
from typing import NamedTuple

from lentigo.imaging.kind.dermoscopic import dermoscopic, skin
from lentigo.imaging.kind.doubt import DOUBT as DOUBT
from lentigo.imaging.kind.page import page
from lentigo.imaging.kind.working import Image

NO_SKIN = 0.17
"""Share of skin colours. 0.9 % of ISIC 2017 (under bluish light) and 1 of 2,000 images of
HAM10000 are below; of 46 photographs of other things 21."""
NOT_DERMOSCOPIC = 0.085
"""Of the score. 0.9 % of ISIC 2017 and 0.3 % of HAM10000 are below; of 46 photographs of
other things 35, and of 26 smartphone photographs of lesions 3."""
PAGE = 0.1
"""The most of 4,141 dermoscopies is 0.073; pages of text have 0.2."""


class Kind(NamedTuple):
    """The measures that tell whether an image is dermoscopy."""

    score: float
    """That of `dermoscopic`; NaN where next to nothing is seen."""
    skin: float
    """Share of skin colours."""
    print_: float
    """That of `page`."""


def kind_of(image: Image) -> Kind:
    """Return what tells whether `image`, (S, S, 3) RGB, 0–255, is dermoscopy."""
    score = dermoscopic(image)
    if math.isnan(score):
        return Kind(score, math.nan, math.nan)
    return Kind(score, skin(image), page(image))


def unlike_dermoscopy(image: Image) -> str:
    """Say why `image` may be no dermoscopy; empty where nothing speaks against it.

    `image` is (S, S, 3) RGB, 0–255. The checks are those of `lentigo audit`: the colours of
    skin, the score of dermoscopy and that of a page of text. Uneven light is not among
    them, since a large lesion at the border makes it as well. Most smartphone photographs
    of a lesion pass.
    """
    return doubt_of(kind_of(image))


def doubt_of(kind: Kind) -> str:
    """Say why an image may be no dermoscopy, of what `kind_of` found of it."""
    if math.isnan(kind.score):
        return f"{DOUBT}: it shows next to nothing"
    found = []
    if kind.skin < NO_SKIN:
        found.append(f"few colours of skin (share {kind.skin:.2f}, below {NO_SKIN:g})")
    if kind.score < NOT_DERMOSCOPIC:
        found.append(
            f"unlike dermoscopy (score {kind.score:.3f}, below {NOT_DERMOSCOPIC:g})"
        )
    if kind.print_ > PAGE:
        found.append(f"like a page of text (score {kind.print_:.2f}, above {PAGE:g})")
    return f"{DOUBT}: {', '.join(found)}" if found else ""
