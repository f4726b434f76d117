"""Images that the model called right and wrong, as small pictures with captions."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from lentigo.errors import LentigoError
from lentigo.imaging.store.build import PixelStore, open_store
from lentigo.progress import log
from lentigo.reports.numbers import as_value
from lentigo.reports.run.run_folder import RunFolder, threshold
from lentigo.words import counted

SHOWN = 6
"""Most pictures in each cell of the confusion matrix; each adds some 8 kB to the page."""
SIDE = 176


@dataclass(frozen=True)
class Picture:
    """One image and its caption; `source` is a `data:` address, empty without pixels."""

    image_id: str
    source: str
    probability: str
    facts: str


@dataclass(frozen=True)
class Gallery:
    """One of the four cells of the confusion matrix, in pictures."""

    title: str
    truth: str
    """"melanoma" or "other", which sets the colour of the frame."""
    summary: str
    pictures: list[Picture]


def galleries(run: RunFolder) -> list[Gallery]:
    """Return pictures of true positives, false negatives, false positives, true negatives.

    Pictures come from the pixel store of the run; if it is gone, there are captions alone.
    """
    scored = run.scored
    called, melanoma = scored["probability"] >= _call_from(run), scored["melanoma"]
    store = _store(run)
    cells = [
        ("Melanomas found", "melanoma", melanoma & called, False, "highest"),
        ("Melanomas missed", "melanoma", melanoma & ~called, True, "lowest"),
        ("False alarms", "other", ~melanoma & called, False, "highest"),
        ("Not melanoma, and not called", "other", ~melanoma & ~called, True, "lowest"),
    ]
    return [
        Gallery(title, truth, _summary(rows, which), _pictures(_first(rows, lowest), store))
        for title, truth, members, lowest, which in cells
        for rows in [scored[members]]
    ]


def pictures_from(run: RunFolder) -> str:
    """Return a sentence on the threshold by which the pictures are called melanoma."""
    usual, used = threshold(run), _call_from(run)
    if usual == used:
        return f"Held-out images, called melanoma from a probability of {usual:g} upwards."
    return (
        f"No held-out image reached a probability of {usual:g}. So that there is something "
        f"to see, these are called melanoma from {used:.3g} upwards instead, a threshold "
        "chosen on validation images to find most melanomas."
    )


def _call_from(run: RunFolder) -> float:
    """Return the run's threshold; if no image reaches it, the lowest operating point's."""
    usual = threshold(run)
    points = run.evaluation.get("operating_points") or []
    others = [as_value(value) for point in points for value in point["thresholds"].values()]
    known = [other.value for other in others if other is not None and other.is_defined]
    if (run.scored["probability"] >= usual).any() or not known:
        return usual
    return min(known)


def _first(rows: pd.DataFrame, lowest: bool) -> pd.DataFrame:
    ranked = rows.sort_values("probability", ascending=lowest, kind="stable")
    return ranked.head(SHOWN)


def _summary(rows: pd.DataFrame, which: str) -> str:
    if rows.empty:
        return "None."
    if len(rows) == 1:
        return "1 image."
    if len(rows) <= SHOWN:
        return f"{counted(len(rows), 'image')}, all shown, {which} probability first."
    return f"{counted(len(rows), 'image')}; the {SHOWN} of {which} probability."


def _store(run: RunFolder) -> PixelStore | None:
    """Return the pixel store, limited to the run's images; None if it cannot be read."""
    if not run.pixels.is_dir():
        return None
    try:
        return open_store(run.pixels).of(run.table)
    except (LentigoError, OSError, ValueError) as error:
        log.warning("The report shows no images: %s", error)
        return None


def _pictures(rows: pd.DataFrame, store: PixelStore | None) -> list[Picture]:
    return [
        Picture(
            image_id=str(row["image_id"]),
            source="" if store is None else _source(store, str(row["image_id"])),
            probability=probability(float(row["probability"])),
            facts=_facts(row),
        )
        for _, row in rows.iterrows()
    ]


def _source(store: PixelStore, image_id: str) -> str:
    row = int(store.positions([image_id])[0])
    # An image that could not be decoded has a black square in the store.
    if pd.notna(store.index["error"].iloc[row]):
        return ""
    return thumbnail(np.asarray(store.images[row]))


def thumbnail(image: npt.NDArray[np.uint8]) -> str:
    """An image, (H, W, 3) RGB, as a small JPEG in a `data:` address."""
    picture = Image.fromarray(image)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=82, optimize=True)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode("ascii")


def probability(value: float) -> str:
    """Return a probability for a caption, as "= 0.842" or "< 0.0001"."""
    if value < 0.0001:
        return "< 0.0001"
    if value > 0.9999:
        return "> 0.9999"
    return f"= {value:.3f}" if 0.01 <= value <= 0.99 else f"= {value:.4f}"


def _facts(row: pd.Series[Any]) -> str:
    known = [
        f"{row[name]:.0f} years" if name == "age" else str(row[name])
        for name in ("sex", "age", "site", "diagnosis")
        if pd.notna(row[name])
    ]
    return ", ".join(known) or "nothing else recorded"
