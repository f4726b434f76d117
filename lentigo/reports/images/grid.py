"""Draw rows of a lesion table as a page of captioned images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from lentigo.config import MOST_PER_ROW, GridConfig
from lentigo.datasets.any_table import read_any
from lentigo.datasets.reading.chosen import rows_where
from lentigo.errors import ConfigError, DatasetError, ImageError
from lentigo.figures.cohort.values import NOT_MELANOMA
from lentigo.figures.grid import Block, Tile, plot_grid, tile_pixels
from lentigo.figures.lettering import boxes_told, sentence_on, stand_ins
from lentigo.figures.save import draw_into
from lentigo.figures.style import FAINT, INK, MELANOMA, OTHER_LESION, style
from lentigo.files import written_beside
from lentigo.imaging.decoding.image import read_image
from lentigo.output import PAGE, check_file
from lentigo.progress import log, track
from lentigo.tables import NotedTable
from lentigo.where import unknown_column, where
from lentigo.words import counted, none_of, some

SUFFIXES = (".png", ".svg", ".pdf")
_NAMED = ("image_id", "patient_id", "site", "sex", "diagnosis")


@dataclass(frozen=True)
class Grid:
    """A drawn page of images, the ids on it, and notes."""

    figure: Figure = field(repr=False)
    image_ids: tuple[str, ...]
    of: int
    """Number of images from which those on the page were chosen."""
    failed: Mapping[str, str]
    """Reason why an image on the page has no picture, by image id."""
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return numbers of images shown and available, failures, notes, ids, for JSON."""
        return {
            "shown": len(self.image_ids),
            "of": self.of,
            "failed": dict(self.failed),
            "notes": list(self.notes),
            "images": list(self.image_ids),
        }

    def also_saying(self, read: NotedTable, choice: GridConfig) -> Grid:
        """Return the page with the last note of `read` put before its own notes.

        This is the note on the rows that `choice.where` selected; without it, none is put.
        """
        said = read.notes[-1:] if choice.where is not None else ()
        return replace(self, notes=(*said, *self.notes))

    def save(self, path: Path | str) -> Path:
        """Write the page as PNG, SVG or PDF, whichever `path` ends in.

        Raises `RunError` where there is a file already: nothing is overwritten.
        """
        path = check_file(Path(path), PAGE, new=True)
        undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
        with style(), boxes_told(), written_beside(path, new=True) as temporary:
            draw_into(temporary, self.figure, undated.get(path.suffix.lower()))
        return path


def read_images(
    source: Path | str,
    condition: str | None = None,
    *,
    images: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> NotedTable:
    """Read a lesion table, any CSV with one row per image, or the folder of an archive.

    `images` is the folder of a CSV's image files, by default its own. `columns` maps
    lentigo's column names to those of the CSV (`melanoma`: `target`). Only rows for which
    `condition` is true are read, and the last note says how many. Raises what `read_any`
    raises.
    """
    with rows_where(condition):
        return read_any(source, columns=columns, images=images, own_words=True)


def write_grid(
    source: Path | str,
    out: Path | str,
    *,
    choice: GridConfig | None = None,
    images: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> Grid:
    """Draw images on a page, write it to the new file `out`, and return it as a `Grid`.

    `source`, `images` and `columns` are those of `read_images`; `choice` is that of
    `draw_grid`. Raises what these two raise and, before anything is read, `ConfigError`
    unless `out` ends in .png, .svg or .pdf, and `RunError` where `out` is there already or
    cannot be written.
    """
    check_file(Path(out), PAGE, new=True)
    choice = choice or GridConfig()
    read = read_images(source, choice.where, images=images, columns=columns)
    grid = _drawn(read.table, choice).also_saying(read, choice)
    grid.save(out)
    return grid


def draw_grid(table: pd.DataFrame, choice: GridConfig | None = None) -> Grid:
    """Draw images of `table` on a page, each above its caption.

    A caption names image, patient, site, sex, age and diagnosis. Frames are red around
    melanomas, blue around other lesions and grey where the label is not known. A file that
    is missing or broken leaves a tile that says why.

    Raises:
        DatasetError: no row fits, or no row has a file.
        UnknownNameError: a column that is not there.
        ConfigError: a condition that makes no sense, or more blocks than places in a row
            or than `choice.limit`.
    """
    choice = choice or GridConfig()
    return _drawn(fitting_rows(table, choice), choice)


def fitting_rows(table: pd.DataFrame, choice: GridConfig) -> pd.DataFrame:
    """Return the rows of `table` for which `choice.where` holds; all rows if it is None."""
    return table if choice.where is None else where(table, choice.where)


def _drawn(fitting: pd.DataFrame, choice: GridConfig) -> Grid:
    """Draw the page of the rows `fitting`, which `choice.where` has selected."""
    if fitting["path"].isna().all():
        raise DatasetError(
            f"{none_of(len(fitting), 'row')} has an image file, so there is nothing to "
            "show. Put the images beside the table, or say where they are (--images)."
        )
    chosen = chosen_rows(fitting, choice)
    shown = pd.concat(list(chosen.values()))
    pictures, failed = pictures_of(shown, tile_pixels(choice.per_row))
    letters = drawable(shown)
    captions = Captions(shown, letters)
    blocks = []
    for title, rows in chosen.items():
        tiles = [
            captions.tile(row, pictures.get(str(row["image_id"])), failed)
            for _, row in rows.iterrows()
        ]
        blocks.append(_block(title, tiles, rows, choice.by))
    note = _note(shown, fitting, choice, failed)
    return Grid(
        plot_grid(blocks, per_row=choice.per_row, note=note),
        tuple(shown["image_id"].astype(str)),
        len(fitting),
        failed,
        (note, *([sentence_on(letters)] if letters else [])),
    )


def chosen_rows(table: pd.DataFrame, choice: GridConfig) -> dict[str, pd.DataFrame]:
    """Return the rows to show, by block title; without `choice.by` one block titled "".

    There is a block for each value of the column `choice.by`, with at most an equal part of
    `choice.limit` images: the first by `choice.sort`, else random ones in table order.

    Raises `UnknownNameError` if `choice.by` or `choice.sort` is no column, and
    `ConfigError` if there are more blocks than images in a row, or than `choice.limit`.
    """
    for name in (choice.by, (choice.sort or "").removeprefix("-")):
        if name and name not in table:
            raise unknown_column(name, table)
    groups = {"": table} if choice.by is None else _groups(table, choice.by)
    if len(groups) > choice.per_row:
        raise ConfigError(
            f"{choice.by} has {len(groups):,} values ({some(list(groups))}), but there are "
            f"{choice.per_row} places in a row. Give --per-row {len(groups)} or more"
            + (", or choose fewer by --where." if len(groups) <= MOST_PER_ROW else
               f" (at most {MOST_PER_ROW}): choose fewer by --where.")
        )  # fmt: skip
    if choice.limit < len(groups):
        raise ConfigError(
            f"{choice.by} has {len(groups):,} values, but at most "
            f"{counted(choice.limit, 'image')} may be shown. Give --limit {len(groups)} or "
            "more."
        )
    each = choice.limit // len(groups)
    chosen = {}
    for title, rows in groups.items():
        few = _few(rows, each, choice)
        chosen[f"{title}: {len(few):,} of {len(rows):,}" if title else ""] = few
    return chosen


def _few(rows: pd.DataFrame, count: int, choice: GridConfig) -> pd.DataFrame:
    if choice.sort:
        name = choice.sort.removeprefix("-")
        upwards = not choice.sort.startswith("-")
        ranked = rows.sort_values(name, ascending=upwards, kind="stable")
        return ranked.head(count)
    drawn = np.random.default_rng(choice.seed).permutation(len(rows))[:count]
    return rows.iloc[np.sort(drawn)]


def _groups(table: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    column = table[by]
    values = sorted(column.dropna().unique().tolist())
    groups = {_title(by, value): table[(column == value).fillna(False)] for value in values}
    if column.isna().any():
        groups[f"{by.replace('_', ' ')} not known"] = table[column.isna()]
    return groups


def _title(by: str, value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        no = NOT_MELANOMA if by == "melanoma" else "benign"
        if by not in {"melanoma", "malignant"}:
            no = f"not {by.replace('_', ' ')}"
        return by.replace("_", " ").capitalize() if value else no.capitalize()
    if isinstance(value, float):
        # Six digits, unless they would say something else, as another value might.
        short = f"{value:g}"
        return f"{by.replace('_', ' ')} {short if float(short) == value else repr(value)}"
    return str(value)


def _block(title: str, tiles: Sequence[Tile], rows: pd.DataFrame, by: str | None) -> Block:
    color = frame_color(rows["melanoma"].iloc[0]) if by == "melanoma" else INK
    return Block(tiles, title=title, color=color)


def frame_color(melanoma: Any) -> str:
    """Return the colour of an image's class; grey where `melanoma` is not known."""
    if pd.isna(melanoma):
        return FAINT
    return MELANOMA if melanoma else OTHER_LESION


def drawable(rows: pd.DataFrame) -> dict[str, str]:
    """Return a word such as "name 1" for each name that no font can draw, and log them."""
    names = {
        str(name) for column in _NAMED if column in rows for name in rows[column].dropna()
    }
    lost = stand_ins(names)
    if lost:
        log.warning("%s", sentence_on(lost))
    return lost


class Captions:
    """Captions of the rows of one page; a column missing in all of them takes no line."""

    def __init__(self, rows: pd.DataFrame, letters: Mapping[str, str]) -> None:
        self._letters = letters
        self._known = {
            name for name in (*_NAMED, "age") if name in rows and rows[name].notna().any()
        }

    def tile(
        self,
        row: pd.Series[Any],
        image: NDArray[np.uint8] | None,
        failed: Mapping[str, str],
    ) -> Tile:
        """Return one row as a tile: image, caption, frame, and the reason in `failed`."""
        name = str(row["image_id"])
        return Tile(
            image,
            self._word(row, "image_id"),
            self.lines(row),
            frame_color(row["melanoma"]),
            failed.get(name, ""),
        )

    def lines(self, row: pd.Series[Any]) -> list[str]:
        """Return the lines of a caption: patient; site, sex and age; diagnosis."""
        lines = []
        if "patient_id" in self._known:
            lines.append(f"patient {self._word(row, 'patient_id')}")
        facts = [self._word(row, name) for name in ("site", "sex") if name in self._known]
        if "age" in self._known:
            facts.append(
                "age\u00a0?" if pd.isna(row["age"]) else f"{row['age']:g}\u00a0years"
            )
        if facts:
            lines.append(", ".join(facts))
        if "diagnosis" in self._known:
            lines.append(self._word(row, "diagnosis"))
        return lines

    def _word(self, row: pd.Series[Any], name: str) -> str:
        if pd.isna(row[name]):
            return f"{name.removesuffix('_id')}\u00a0?" if name != "patient_id" else "?"
        return self._letters.get(str(row[name]), str(row[name]))


def pictures_of(
    rows: pd.DataFrame, side: int
) -> tuple[dict[str, NDArray[np.uint8]], dict[str, str]]:
    """Return images by image id, reduced to a width of `side` pixels, and failures.

    Failures are, by image id, the reason why an image has no file or cannot be read.
    """
    pictures: dict[str, NDArray[np.uint8]] = {}
    failed: dict[str, str] = {}
    pairs = list(zip(rows["image_id"].astype(str), rows["path"], strict=True))
    for name, path in track(pairs, total=len(pairs), label="Reading images"):
        if pd.isna(path):
            failed[name] = "No file of this image was found."
            continue
        try:
            image = Image.fromarray(read_image(Path(path), at_least=side))
        except ImageError as error:
            failed[name] = str(error).replace(str(Path(path)), Path(path).name)
            continue
        image.thumbnail((side, 2 * side), Image.Resampling.LANCZOS)
        pictures[name] = np.asarray(image)
    return pictures, failed


def _note(
    shown: pd.DataFrame,
    fitting: pd.DataFrame,
    choice: GridConfig,
    failed: Mapping[str, str],
) -> str:
    count, total = len(shown), len(fitting)
    said = [
        f"{count:,} of {counted(total, 'image')} shown"
        if count < total
        else f"{counted(total, 'image')}"
    ]
    if choice.where is not None:
        said.append(f"where {choice.where}")
    if choice.sort:
        largest = ", largest first" if choice.sort.startswith("-") else ""
        said.append(f"by {choice.sort.removeprefix('-')}{largest}")
    elif count < total:
        said.append(f"drawn at random (seed {choice.seed})")
    if failed:
        said.append(f"{len(failed):,} cannot be shown")
    return f"{', '.join(said)}. {frames_told(shown)}"


def frames_told(shown: pd.DataFrame) -> str:
    """Explain the colours of the frames that occur among the rows `shown`."""
    labels = shown["melanoma"].astype("boolean")
    words = {
        f"blue: {NOT_MELANOMA}": (~labels).any(),
        "red: melanoma": labels.any(),
        "grey: not labelled": labels.isna().any(),
    }
    return f"Frames: {'; '.join(word for word, there in words.items() if there)}."
