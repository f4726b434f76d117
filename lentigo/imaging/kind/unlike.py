"""Describe the reasons why an image may not be dermoscopy."""

from __future__ import annotations

import math
from typing import NamedTuple

from lentigo.imaging.kind.dermoscopic import FEATURES, SIDE, features_of, score_of
from lentigo.imaging.kind.doubt import DOUBT as DOUBT
from lentigo.imaging.kind.page import page
from lentigo.imaging.kind.working import Image, lab, working

NO_SKIN = 0.17
"""An image with a lower share of skin colours may not be dermoscopy: so 0.9 % of ISIC 2017
(under bluish light), 1 of 2,000 images of HAM10000, and 21 of 46 photographs of other
things."""
NOT_DERMOSCOPIC = 0.085
"""An image with a lower score of `dermoscopic` may not be dermoscopy: so 0.9 % of ISIC
2017, 0.3 % of HAM10000, 35 of 46 photographs of other things, and 3 of 26 smartphone
photographs of lesions."""
PAGE = 0.1
"""An image with a higher score of `page` may be print. The highest score of 4,141
dermoscopic images is 0.073; pages of text have 0.2."""


class Kind(NamedTuple):
    """The measures that show whether an image is dermoscopy."""

    score: float
    """The score of `dermoscopic`; NaN if the image shows almost nothing."""
    skin: float
    """Share of skin colours; NaN if the score is NaN."""
    print_: float
    """The score of `page`; NaN if the score is NaN."""


def kind_of(image: Image) -> Kind:
    """Return the measures that tell if `image`, (S, S, 3) RGB, 0–255, is dermoscopy."""
    return kind_beside(image, working(image, side=SIDE))


def kind_beside(image: Image, small: Image) -> Kind:
    """Return the result of `kind_of`, of an image and its copy of 64 × 64 pixels."""
    tones = lab(small)
    features = features_of(small, tones)
    score = score_of(features)
    if math.isnan(score):
        return Kind(score, math.nan, math.nan)
    return Kind(
        score, float(features[FEATURES.index("skin")]), page(image, light=tones[..., 0])
    )


def unlike_dermoscopy(image: Image) -> str:
    """Describe why `image` may not be dermoscopy; empty if there is no reason.

    `image` is (S, S, 3) RGB, 0–255. The checks are those of `lentigo audit`: the colours of
    skin, the score of dermoscopy and that of a page of text. Uneven light is not checked,
    since a large lesion at the edge of the image causes it, too. Most smartphone
    photographs of a lesion pass.
    """
    return doubt_of(kind_of(image))


def doubt_of(kind: Kind) -> str:
    """Describe why an image may not be dermoscopy; empty if no measure says so."""
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
