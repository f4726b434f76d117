"""Measure how many images per second each engine computes on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lentigo.export.images import prepared
from lentigo.inference.inputs import Source
from lentigo.machine import cores
from lentigo.models.backend import Images, Preparation
from lentigo.models.engines import ENGINES, load_members
from lentigo.models.fastest import images_a_second
from lentigo.models.schema import Description
from lentigo.words import counted

_SECONDS = 0.5
"""Duration of each measurement, after one batch to warm up."""
_BATCH = 8


def speeds(
    folder: Path, known: Description, sources: Sequence[Source]
) -> list[dict[str, float]]:
    """Return, for each network, the images per second by engine and number of cores.

    The time includes the preparation of the views, but not the decoding of image files.
    """
    found: list[dict[str, float]] = [{} for _ in known.members]
    batches: dict[Preparation, Images] = {}
    for engine in ENGINES.values():
        if not (engine.is_installed() and engine.serves(known)):
            continue
        for own, predictor in zip(
            found, load_members(folder, known, engine.name), strict=True
        ):
            way = predictor.preparation
            if way not in batches:
                batches[way] = next(prepared(sources, way, batch_size=_BATCH))
            label = f"{engine.name}, {counted(cores(), 'core')}"
            found_rate = images_a_second(predictor, batches[way], seconds=_SECONDS)
            own[label] = round(found_rate, 1)
    return found
