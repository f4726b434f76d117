"""Draw the most confident mistakes of a model as a page of captioned images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from lentigo.evaluation.result import Evaluation
from lentigo.notice import RESEARCH_ONLY
from lentigo.reports.images.grid import pictures_of
from lentigo.visible import visible
from lentigo.words import counted

if TYPE_CHECKING:
    from lentigo.figures.grid import Block, Tile
    from lentigo.figures.scores import Drawing

SHOWN = 12
"""Most images of each kind of mistake."""
_PER_ROW = 6
_KNOWN = ("diagnosis", "site", "sex", "age")


def draw_mistakes(evaluation: Evaluation) -> Drawing | None:
    """Draw missed melanomas of lowest probability, and false alarms of highest probability.

    Returns None without mistakes, or if the table of labels has no column `path` with the
    image files. The data of the figure have one row for each mistake, drawn or not.
    """
    scored = evaluation.scored
    if "path" not in scored:
        return None
    from lentigo.figures.grid import plot_grid, tile_pixels
    from lentigo.figures.scores import Drawing
    from lentigo.figures.style import MELANOMA, OTHER_LESION, style

    limit = evaluation.called_from
    called = scored["probability"] >= limit
    missed = scored[scored["melanoma"] & ~called].sort_values("probability")
    alarms = scored[~scored["melanoma"] & called].sort_values(
        "probability", ascending=False
    )
    if missed.empty and alarms.empty:
        return None
    shown = pd.concat([missed.head(SHOWN), alarms.head(SHOWN)])
    pictures, failed = pictures_of(shown, tile_pixels(_PER_ROW))
    blocks = [
        _block(rows, title, color, (pictures, failed))
        for rows, title, color in (
            (missed, "Melanomas missed, lowest probability first", MELANOMA),
            (alarms, "False alarms, highest probability first", OTHER_LESION),
        )
        if len(rows)
    ]
    with style():
        note = f"Called melanoma from {limit:.4g} upwards. {RESEARCH_ONLY}"
        figure = plot_grid(blocks, per_row=_PER_ROW, note=note)
    caption = (
        f"{counted(len(missed), 'melanoma')} missed and "
        f"{counted(len(alarms), 'false alarm')} from {limit:.4g} upwards; "
        "shown are those of which the model was surest."
    )
    data = pd.concat(
        [missed.assign(mistake="missed"), alarms.assign(mistake="false alarm")]
    )
    columns = ["mistake", "image_id", "probability", *_there(data)]
    return Drawing("mistakes", "Confident mistakes", caption, figure, data[columns])


def _block(
    rows: pd.DataFrame, title: str, color: str, found: tuple[dict[str, Any], dict[str, str]]
) -> Block:
    from lentigo.figures.grid import Block

    tiles = [_tile(row, color, found) for row in rows.head(SHOWN).to_dict("records")]
    more = f" ({len(tiles)} of {len(rows):,})" if len(rows) > len(tiles) else ""
    return Block(tiles, f"{title}{more}", color)


def _tile(
    row: dict[Any, Any], color: str, found: tuple[dict[str, Any], dict[str, str]]
) -> Tile:
    from lentigo.figures.grid import Tile

    name = str(row["image_id"])
    known = [_said(column, row[column]) for column in _KNOWN if column in row]
    caption = [f"probability {row['probability']:.3f}", ", ".join(filter(None, known))]
    pictures, failed = found
    return Tile(
        pictures.get(name),
        visible(name),
        [line for line in caption if line],
        color,
        failed.get(name, "No file of this image was found."),
    )


def _said(column: str, value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:g} years" if column == "age" else visible(str(value))


def _there(table: pd.DataFrame) -> list[str]:
    return [column for column in _KNOWN if column in table]
