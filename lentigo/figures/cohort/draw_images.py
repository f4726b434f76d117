"""Figures of the image files: image sizes, skin types, and measured skin tone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lentigo.errors import ImageError
from lentigo.figures.bars import rows_height
from lentigo.figures.cohort.counts import collapsed, count_data, plot_shares
from lentigo.figures.cohort.drawn import Cohort, CohortFigure, NotDrawnError, part_of
from lentigo.figures.cohort.shift import cramers_v
from lentigo.figures.cohort.sizes import SIZE, plot_sizes, with_size
from lentigo.figures.cohort.skin_tone import plot_skin_tone, skin_tone_data
from lentigo.figures.cohort.values import by_class, classes, known
from lentigo.figures.style import WIDTHS, headed, style
from lentigo.imaging.decoding.image import read_image, read_size
from lentigo.imaging.quality.skin_tone import skin_tone_angle, tone
from lentigo.words import count, counted

HEADERS = 5000
"""Largest number of files opened to read the image size from the header."""

_ENRICHED = 1.05
"""A caption mentions it if melanomas are over-sampled by more than this factor."""

_SMALL = 320
"""JPEG files are decoded at a fraction of their size, but at this side or more (pixels)."""


def sizes(given: Cohort) -> CohortFigure:
    """Draw the sizes of the images in pixels, by class.

    Sizes are those of the table, else of the headers of up to `HEADERS` files. Raises
    `NotDrawnError` when there is neither.
    """
    table = given.table
    opened = ""
    if known(table, "width").isna().all():
        table = _measured(table)
        opened = f" Sizes were read from the headers of {how_many(table, given.table)}."
    sized = with_size(table)
    groups = by_class(sized) or {"images": sized}
    data = count_data(groups, column=SIZE)
    with style():
        rows = rows_height(collapsed(data)["value"].unique(), groups=len(groups))
        height = 0.75 + rows + 0.16 * len(groups)
        figure = Figure(figsize=(WIDTHS["page"], height), layout="constrained")
        plot_sizes(figure.subplots(), table)
        title = _size_title(sized, "measured images" if opened else "images")
        headed(figure, title)
    sentence = (
        "Image sizes in pixels, the most frequent first. A size tells which camera an "
        "image is from; where the classes differ in it, a model may learn the camera."
        + opened
    )
    return CohortFigure(figure, data, title, sentence)


def skin_type(given: Cohort) -> CohortFigure:
    """Draw the Fitzpatrick skin types of the table, by class.

    Raises `NotDrawnError` when the skin type is missing in every row.
    """
    table = given.table
    if known(table, "skin_type").isna().all():
        raise NotDrawnError("The skin type is missing in every row of the table.")
    groups = by_class(table) or {"images": table}
    data = count_data(groups, column="skin_type")
    dark = known(table, "skin_type").dropna() >= 4
    title = f"{part_of(dark.sum(), len(dark))} of the known skin types are IV to VI"
    with style():
        figure = Figure(figsize=(WIDTHS["column"], 2.9), layout="constrained")
        plot_shares(figure.subplots(), groups, column="skin_type")
        headed(figure, title, width=38)
    sentence = "Skin types after Fitzpatrick as the table states them; many tables do not."
    return CohortFigure(figure, data, title, sentence)


def skin_tone(given: Cohort) -> CohortFigure:
    """Draw the skin tone at the edge of the images, measured in a sample of the files.

    Raises `NotDrawnError` when no image file is known, or none shows skin.
    """
    table = given.table
    rows = _sample(table[known(table, "path").notna()], given.sample)
    if rows.empty:
        raise NotDrawnError("No image file is known, so the skin cannot be measured.")
    angles = np.array([_angle(str(path)) for path in rows["path"]])
    if not np.isfinite(angles).any():
        raise NotDrawnError(f"None of {counted(len(rows), 'file')} shows skin at its rim.")
    named_classes = classes(table).loc[rows.index].fillna("no label").to_numpy()
    order = [name for name in (*by_class(table), "no label") if name in named_classes]
    groups = {name: angles[named_classes == name] for name in order}
    middle, seen = float(np.nanmedian(angles)), int(np.isfinite(angles).sum())
    title = (
        f"The skin at the rim of {counted(seen, 'measured image')} is {tone(middle)} in "
        f"the median (angle {middle:.0f}°)"
    )
    with style():
        figure = Figure(figsize=(WIDTHS["page"], 3.0), layout="constrained")
        plot_skin_tone(figure.subplots(), groups)
        headed(figure, title)
    sentence = (
        f"Measured in {how_many(rows, table)}: the individual typology angle "
        "arctan((L* − 50) / b*) of the rim (Chardon 1991). The light is not "
        "calibrated, so it ranks images and does not diagnose a skin type. "
        f"{count(len(rows) - seen)} of them have no angle: their rim is too dark or too "
        "bright, they are grey, or their light has no yellow in it, which speaks of the "
        "camera."
    )
    return CohortFigure(figure, skin_tone_data(groups), title, sentence)


def how_many(read: pd.DataFrame, table: pd.DataFrame) -> str:
    """Return "200 of 1,000 images" or so, with a note if melanomas are over-sampled."""
    said = f"{count(len(read))} of {counted(len(table), 'image')}"
    hits, of = (
        int(known(rows, "melanoma").astype("boolean").fillna(False).sum())
        for rows in (read, table)
    )
    if hits * len(table) <= of * len(read) * _ENRICHED:
        return said
    which = "all" if hits == of else f"{count(hits)} of the"
    return (
        f"{said} ({which} {count(of)} of melanomas are among them, so that these are more "
        "frequent than in the table)"
    )


def _measured(table: pd.DataFrame) -> pd.DataFrame:
    rows = _sample(table[known(table, "path").notna()], HEADERS)
    if rows.empty:
        raise NotDrawnError(
            "The table has no width and height, and no image file to read them from."
        )
    measured = [_size(str(path)) for path in rows["path"]]
    if not any(measured):
        raise NotDrawnError(f"None of {counted(len(rows), 'file')} could be opened.")
    return rows.assign(
        width=pd.array([size[0] if size else pd.NA for size in measured], dtype="Int64"),
        height=pd.array([size[1] if size else pd.NA for size in measured], dtype="Int64"),
    )


def _sample(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most `most` random rows (fixed seed), up to half of them melanomas."""
    if len(rows) <= most:
        return rows
    flag = known(rows, "melanoma").astype("boolean").fillna(False).to_numpy(dtype=bool)
    melanomas = rows[flag].sample(min(int(flag.sum()), most // 2), random_state=0)
    others = rows[~flag].sample(
        min(int((~flag).sum()), most - len(melanomas)), random_state=0
    )
    return pd.concat([melanomas, others])


def sized(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with the column `size`, from file headers if it has no widths.

    At most `HEADERS` files are opened, a simple random sample: over-sampling melanomas, as
    in the figure by class, would make two sets differ by their share of melanomas. The size
    of all other images is missing.
    """
    if known(table, "width").notna().any():
        return with_size(table)
    there = known(table, "path").dropna()
    chosen = there.sample(min(len(there), HEADERS), random_state=0)
    measured = {row: _size(str(path)) for row, path in chosen.items()}
    words = {row: f"{size[0]} × {size[1]}" for row, size in measured.items() if size}
    return table.assign(**{SIZE: pd.Series(words, dtype="string").reindex(table.index)})


def _size(path: str) -> tuple[int, int] | None:
    try:
        return read_size(path)
    except ImageError:
        return None


def _angle(path: str) -> float:
    try:
        return skin_tone_angle(read_image(path, at_least=_SMALL))
    except ImageError:
        return float("nan")


def _size_title(sized: pd.DataFrame, images: str) -> str:
    size = known(sized, SIZE)
    top = str(size.value_counts().index[0])
    share = part_of((size == top).sum(), int(size.count()))
    title = f"{share} of the {images} are {top} pixels"
    if len(by_class(sized)) < 2:
        return title
    counts = pd.crosstab(classes(sized), size).to_numpy(dtype=float)
    if counts.shape[0] < 2:
        return title
    strength = cramers_v(counts, corrected=True)
    if np.isnan(strength):
        return title
    how = "hardly" if strength < 0.1 else "somewhat" if strength < 0.3 else "strongly"
    return (
        f"Image size and class go {how} together in {count(size.count())} {images} "
        f"(Cramér's V {strength:.2f} beyond chance, melanoma against the rest)"
    )
