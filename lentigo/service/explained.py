"""Turn explanations of images into the answer of `/v1/explanations`."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lentigo.explanation.overlay import overlay
from lentigo.explanation.served import Examined, heat_of
from lentigo.service.answered import Answered
from lentigo.service.answers import judged, model_name
from lentigo.service.closer import Material
from lentigo.service.schema import (
    AbcdAnswer,
    ExplainedImage,
    Explanations,
    MapAnswer,
    OutlineAnswer,
    SimilarCase,
)

Pixels = NDArray[np.uint8]

_LINE = ((0, 0, 0), 3), ((0, 255, 255), 1)
"""Colours and widths (in 1/400 of the image's longer side) of an outline's two lines."""


def explanations(answered: Answered, images: Sequence[ExplainedImage]) -> Explanations:
    """Return the answer to a request for explanations."""
    return Explanations(
        request=answered.request_id, model=model_name(answered.model), images=[*images]
    )


def explained_image(material: Material) -> ExplainedImage:
    """Return the answer for one image: prediction, maps, outline, ABCD, similar cases."""
    size = material.file.size or (None, None)
    found = material.examined or Examined()
    return ExplainedImage(
        image=material.place + 1,
        explained=material.examined is not None,
        sha256=material.file.sha256,
        width=size[0],
        height=size[1],
        maps=[_map(each, material) for each in found.maps],
        outline=OutlineAnswer(**found.outline) if found.outline else None,
        abcd=AbcdAnswer(**found.abcd) if found.abcd else None,
        similar=[similar_case(each) for each in found.cases],
        missing=found.missing,
        **judged(material.row, material.file),
    )


def similar_case(row: dict[str, Any]) -> SimilarCase:
    """Return a row of `similar` as the answer may hold it: without the path of the file."""
    return SimilarCase(
        rank=row["rank"],
        id=row["similar_id"],
        diagnosis=row["diagnosis"] or None,
        melanoma=row["melanoma"],
        distance=row["distance"],
    )


def overlaid(found: dict[str, Any], square: Pixels) -> Pixels:
    """Return `found`, one of `Examined.maps`, drawn over its image's square, (S, S, 3)."""
    return overlay(square, heat_of(found), None)


def outlined(picture: Pixels, polygon: Sequence[Sequence[float]]) -> Pixels:
    """Return a picture, (H, W, 3), with an outline drawn.

    `polygon` has the corners (x, y), from 0 to 1 in shares of width and height.
    """
    drawn = Image.fromarray(picture)
    pen = ImageDraw.Draw(drawn)
    line = [(x * drawn.width, y * drawn.height) for x, y in polygon]
    for color, width in _LINE:
        thick = max(1, round(width * max(drawn.size) / 400))
        pen.line([*line, *line[:2]], fill=color, width=thick, joint="curve")
    return np.array(drawn)


def _map(found: dict[str, Any], material: Material) -> MapAnswer:
    if material.square is None:
        raise ValueError("A map without its image.")
    numbers = {name: value for name, value in found.items() if name not in {"heat", "size"}}
    plain = np.rint(255 * heat_of(found)).astype(np.uint8)
    drawn = _png(overlaid(found, material.square))
    return MapAnswer(**numbers, overlay=drawn, map=_png(plain))


def _png(pixels: Pixels) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")
