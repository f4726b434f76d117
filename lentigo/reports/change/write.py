"""Compare two photographs of one lesion: a table of measures, a figure, and sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Literal

import numpy as np
import pandas as pd

from lentigo.answer_columns import REFUSED
from lentigo.errors import ConfigError, ImageError
from lentigo.explanation.change import CAUTION, Change, Looked, look
from lentigo.figures.images import plot_images
from lentigo.figures.save import draw_into
from lentigo.figures.style import INK, headed, style
from lentigo.files import write_csv, written_beside
from lentigo.imaging.views import outline as draw_outline
from lentigo.inference.answers import reasons_of
from lentigo.inference.duckling import image_features
from lentigo.inference.inputs import Source, find_sources
from lentigo.inference.predict import Model, load
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder, check_not_input, new_folder
from lentigo.reports.images.abcd import check_scale, scale_of
from lentigo.reports.images.each import Masks, Read, read_each
from lentigo.reports.images.views import shrunk
from lentigo.run_layout import CHANGE
from lentigo.visible import named
from lentigo.words import counted

_LINE = 58
"""Letters in a line below a photograph."""
_SCALES = "--mm-per-pixel-before", "--mm-per-pixel-after"


@dataclass(frozen=True)
class Changed:
    """The measures and sentences that `write_change` wrote."""

    change: Change
    feature_distance: float
    """Distance of a network's features of the two photographs, 0 (equal) to 2; NaN without
    a model."""
    sentences: tuple[str, ...]


def write_change(
    before: Path,
    after: Path,
    out: Path,
    *,
    masks: tuple[Path | None, Path | None] = (None, None),
    mm_per_pixel: tuple[float | None, float | None] = (None, None),
    model: Path | None = None,
) -> Changed:
    """Measure one lesion in two photographs: change.csv and change.png in the new `out`.

    The photographs are not registered (aligned). If a photograph has no mask in `masks`,
    its lesion is segmented; if it has no `mm_per_pixel`, the scale is that of a ruler in
    it, if any. With `model`, the distance of its first network's features is written, too.

    Raises:
        ConfigError: a scale that no photograph has, or more than one image on a side.
        ImageError: one of the photographs cannot be read.
        RunError: `out` is not empty or cannot be written.
    """
    for option, scale in zip(_SCALES, mm_per_pixel, strict=True):
        check_scale(scale, option=option)
    check_new_folder(out)
    check_not_input(out, [before, after])
    pair = [_one(each) for each in (before, after)]
    read = [_read(source, mask) for source, mask in zip(pair, masks, strict=True)]
    found = Change(*map(_look, read, mm_per_pixel))
    of_model, distance, differ = ("", ""), math.nan, found.differences()
    if model is not None:
        loaded = load(model)
        distance, of_model = _distance(loaded, pair), _doubts(loaded, pair)
    if not math.isnan(distance):
        differ.append(f"Distance by the features of the model: {distance:.2f} of 2.")
    with new_folder(out):
        rows = found.rows()
        rows.append(
            # Without a model both are NaN.
            {"measure": "feature_distance", "before": 0 * distance, "after": distance,
             "change": distance}
        )  # fmt: skip
        write_csv(pd.DataFrame(rows), out / CHANGE)
        _draw(read, found, (of_model, differ), out / "change.png")
    doubts = [*filter(None, of_model), *found.doubts("before"), *found.doubts("after")]
    return Changed(found, distance, (*doubts, *differ))


def _one(path: Path) -> Source:
    sources = find_sources([path])
    if len(sources) != 1:
        raise ConfigError(
            f"{path} holds {counted(len(sources), 'image')}; give one photograph."
        )
    return sources[0]


def _read(source: Source, mask: Path | None) -> Read:
    with closing(read_each([source], Masks(mask, [source]), label="Reading")) as images:  # type: ignore[type-var]
        return next(iter(images))


def _look(photograph: Read, mm_per_pixel: float | None) -> Looked:
    if photograph.image is None or photograph.outline is None:
        raise ImageError(f"{photograph.path} cannot be read: {photograph.reason}")
    known = mm_per_pixel or scale_of(photograph.image)
    return look(photograph.image, photograph.outline, mm_per_pixel=known)


def _doubts(model: Model, pair: Sequence[Source]) -> tuple[str, str]:
    """Return of each photograph why the model gives no answer, or doubts it; else ""."""
    before, after = reasons_of(model.predict_sources(pair))
    return _doubt("before", before), _doubt("after", after)


def _doubt(name: str, reason: str) -> str:
    if not reason:
        return ""
    if reason.startswith(REFUSED):
        why = reason.removeprefix(REFUSED).lstrip(": ")
        return f"The model gives no answer for the photograph {name}: {why}."
    return f"By the model, of the photograph {name}: {reason}."


def _distance(model: Model, pair: Sequence[Source]) -> float:
    features, reasons = image_features(model, pair)
    if reasons:
        return math.nan
    sizes = np.linalg.norm(features, axis=1)
    if not (sizes > 0).all():
        return math.nan
    return float(np.linalg.norm(features[0] / sizes[0] - features[1] / sizes[1]))


def _draw(
    read: Sequence[Read],
    found: Change,
    said: tuple[tuple[str, str], Sequence[str]],
    path: Path,
) -> None:
    """Draw both photographs: their differences above them, doubts of each one below it.

    `said` is what the model doubts of each photograph, and the sentences on differences.
    """
    images, captions, (of_model, differ) = [], [], said
    names: tuple[Literal["before", "after"], ...] = ("before", "after")
    for name, each, looked, doubt in zip(
        names, read, (found.before, found.after), of_model, strict=True
    ):
        if each.image is None:
            continue
        images.append(draw_outline(shrunk(each.image, 640), looked.outline.mask))
        across = looked.abcd.diameter_pixels
        size = "not known" if math.isnan(across) else f"{across:.0f} px"
        if not math.isnan(looked.abcd.diameter_mm):
            size = f"{looked.abcd.diameter_mm:.1f} mm"
        own = [one.removeprefix(f"Photograph {name}: ") for one in found.doubts(name)]
        doubts = [fill(one, _LINE) for one in (*own, doubt) if one]
        first = f"{name}: {named(each.stem)}"
        captions.append("\n".join([first, f"diameter {size}", *doubts]))
    with style():
        figure = plot_images(images, captions, per_row=2)
        headed(figure, " ".join(differ) or "Nothing could be measured.")
        figure.supxlabel(
            f"Two photographs of an unchanged lesion differ, too. {RESEARCH_ONLY}",
            x=0.01, ha="left", color=INK, fontsize=6.5,
        )  # fmt: skip
        with written_beside(path) as temporary:
            draw_into(temporary, figure)


__all__ = ["CAUTION", "Changed", "write_change"]
