"""A page of images with captions, in titled blocks side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from numpy.typing import NDArray

from lentigo.config import MOST_PER_ROW
from lentigo.errors import ConfigError
from lentigo.figures.lettering import boxes_told
from lentigo.figures.style import FAINT, INK, WIDTHS, style
from lentigo.visible import visible

_MARGIN, _GAP, _BETWEEN, _PAD = 0.08, 0.1, 0.26, 0.05
"""Distances in inches: margin of the page, between images, between blocks, and from an
image to its caption."""
_TITLE_LINE = 0.14
"""Height of a line of a block's title, in inches."""
_TALLEST = 1.35
"""Largest ratio of height to width of an image's place; taller images are made narrower."""
_HIGHEST_PAGE = 200
"""Largest height of a page in inches: a PNG with 200 dots per inch may not have more than
65,536 rows."""
_DPI = 200


@dataclass(frozen=True)
class Tile:
    """One image with a name and caption, or the reason why there is no image."""

    image: NDArray[np.uint8] | None
    """(height, width, 3) RGB; None where there is no image."""
    name: str
    """Name of the image, in bold above the caption."""
    caption: Sequence[str] = ()
    """Entries of the caption; each starts on a new line and has at most three lines."""
    color: str = FAINT
    """Colour of the frame, such as OTHER_LESION or MELANOMA."""
    reason: str = ""
    """The text written in place of the image where `image` is None."""


@dataclass(frozen=True)
class Block:
    """Images that belong together, under a title in the colour of their frames."""

    tiles: Sequence[Tile]
    title: str = ""
    color: str = INK


def plot_grid(blocks: Sequence[Block], *, per_row: int = 4, note: str = "") -> Figure:
    """Draw images with captions below them, on a figure as wide as a page.

    Blocks are side by side and share the `per_row` places of a row equally; the images of a
    block fill its rows from left to right, from top to bottom. Images keep their
    proportions. A caption is wrapped to the width of its image, and cut text ends in "…".
    `note` is written at the bottom.

    Raises `ConfigError` when `per_row` is more than `MOST_PER_ROW` or less than the number
    of blocks, or when the page would be too long to draw.
    """
    if not len(blocks) <= per_row <= MOST_PER_ROW:
        raise ConfigError(
            f"{per_row} images a row are asked for; give {max(1, len(blocks))} to "
            f"{MOST_PER_ROW}."
        )
    with style(), boxes_told():
        return _Page(blocks, per_row, note).drawn()


def tile_pixels(per_row: int) -> int:
    """Return the width in pixels of an image on a page with `per_row` images in a row."""
    return int(np.ceil(WIDTHS["page"] / per_row * _DPI))


@dataclass
class _Page:
    """A page of blocks side by side, to be drawn."""

    blocks: Sequence[Block]
    per_row: int
    """Number of images in a row over all blocks."""
    note: str
    """Text at the foot of the page."""
    size: float = field(init=False)
    """Font size, in points."""

    def __post_init__(self) -> None:
        self.each = self.per_row // len(self.blocks)
        columns = self.each * len(self.blocks)
        gaps = (columns - len(self.blocks)) * _GAP + (len(self.blocks) - 1) * _BETWEEN
        self.side = (WIDTHS["page"] - 2 * _MARGIN - gaps) / columns
        self.size = 7 if columns <= 4 else 6.2 if columns <= 6 else 5.4
        self.line = self.size * 1.28 / 72
        self.figure = Figure(figsize=(1, 1), dpi=_DPI)
        canvas = FigureCanvasAgg(self.figure)
        self.renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]

    def drawn(self) -> Figure:
        titles = self._wrapped_titles()
        most = max(map(len, titles), default=0)
        head = 0.1 + most * _TITLE_LINE if most else 0
        foot = wrapped(self.note, self._fits(WIDTHS["page"] - 2 * _MARGIN), lines=3)
        rows = list(zip_longest(*(_rows(block.tiles, self.each) for block in self.blocks)))
        captions = [
            [[self._lines(tile) for tile in tiles or ()] for tiles in row] for row in rows
        ]
        heights = [
            self._picture_height(row) + _PAD + self._caption_height(texts) + _GAP
            for row, texts in zip(rows, captions, strict=True)
        ]
        height = 2 * _MARGIN + head + sum(heights) + len(foot) * self.line
        if height > _HIGHEST_PAGE:
            raise ConfigError(
                f"The page would be {height:.0f} inches high; show fewer images, or more "
                "in a row."
            )
        self.figure.set_size_inches(WIDTHS["page"], height)
        top = height - _MARGIN - head
        self._titles(titles, height - _MARGIN)
        for row, texts, room in zip(rows, captions, heights, strict=True):
            below = top - self._picture_height(row)
            for number, (tiles, lines) in enumerate(zip(row, texts, strict=True)):
                for place, tile in enumerate(tiles or ()):
                    self._tile(tile, lines[place], self._left(number, place), below)
            top -= room
        for number, text in enumerate(foot):
            self._text(_MARGIN, top - number * self.line, text, color="#666666")
        return self.figure

    def _left(self, block: int, place: int) -> float:
        column = block * self.each + place
        return _MARGIN + column * (self.side + _GAP) + block * (_BETWEEN - _GAP)

    def _picture_height(self, row: Sequence[Sequence[Tile] | None]) -> float:
        shapes = [tile.image for tiles in row for tile in tiles or ()]
        ratios = [
            0.75 if each is None else each.shape[0] / each.shape[1] for each in shapes
        ]
        return self.side * min(max(ratios), _TALLEST)

    def _caption_height(self, texts: Sequence[Sequence[Sequence[str]]]) -> float:
        return self.line * max(len(lines) for block in texts for lines in block)

    def _wrapped_titles(self) -> list[list[str]]:
        fits = self._fits(self.each * (self.side + _GAP) - _GAP, bold=True, size=8)
        return [wrapped(block.title, fits, lines=4) for block in self.blocks]

    def _titles(self, titles: Sequence[Sequence[str]], top: float) -> None:
        for number, (block, lines) in enumerate(zip(self.blocks, titles, strict=True)):
            for place, text in enumerate(lines):
                self._text(self._left(number, 0), top - place * _TITLE_LINE, text,
                           color=block.color, bold=True, size=8)  # fmt: skip

    def _lines(self, tile: Tile) -> list[str]:
        """Return the lines of name and caption; the name's lines begin with a zero byte."""
        name = wrapped(tile.name, self._fits(self.side, bold=True), lines=2)
        rest = [wrapped(text, self._fits(self.side), lines=3) for text in tile.caption]
        return [_BOLD + text for text in name] + [text for part in rest for text in part]

    def _tile(self, tile: Tile, lines: Sequence[str], left: float, below: float) -> None:
        wide, high = self.figure.get_size_inches()
        width, height = self.side, self.side * 0.75
        if tile.image is not None:
            ratio = tile.image.shape[0] / tile.image.shape[1]
            width = self.side * min(1, _TALLEST / ratio)
            height = width * ratio
        corner = left + (self.side - width) / 2
        ax = self.figure.add_axes(
            (corner / wide, below / high, width / wide, height / high)
        )
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=tile.color, linewidth=1.6)
        if tile.image is not None:
            ax.imshow(tile.image, aspect="auto")
        else:
            self._say_why(tile.reason, left, below + height)
            ax.set_facecolor("#F1F1F1")
        for number, text in enumerate(lines):
            place = below - _PAD - number * self.line
            self._text(left, place, text.removeprefix(_BOLD), bold=text.startswith(_BOLD))

    def _say_why(self, reason: str, left: float, top: float) -> None:
        room = int(self.side * 0.75 / self.line) - 1
        fits = self._fits(self.side - 0.12)
        for number, text in enumerate(wrapped(reason, fits, lines=max(room, 1))):
            place = top - 0.06 - number * self.line
            self._text(left + 0.06, place, text, color="#555555")

    def _text(
        self,
        left: float,
        top: float,
        text: str,
        *,
        color: str = INK,
        bold: bool = False,
        size: float | None = None,
    ) -> None:
        wide, high = self.figure.get_size_inches()
        self.figure.text(
            left / wide,
            top / high,
            text,
            va="top",
            color=color,
            fontsize=size or self.size,
            fontweight="bold" if bold else "normal",
            parse_math=False,
            zorder=5,
        )

    def _fits(
        self, width: float, *, bold: bool = False, size: float | None = None
    ) -> Callable[[str], bool]:
        font = FontProperties(weight="bold" if bold else "normal", size=size or self.size)

        def fits(text: str) -> bool:
            measured = self.renderer.get_text_width_height_descent(text, font, False)
            return bool(measured[0] / _DPI <= width)

        return fits


_BOLD = "\0"
_LOOKED_AT = 2_000
"""Number of letters of a caption that are considered; more could not be shown."""


def _rows(tiles: Sequence[Tile], each: int) -> list[Sequence[Tile]]:
    return [tiles[start : start + each] for start in range(0, len(tiles), each)]


def wrapped(text: str, fits: Callable[[str], bool], *, lines: int) -> list[str]:
    """Wrap `text` into at most `lines` lines for which `fits` is True; a cut ends in "…".

    It is broken at spaces (not at the no-break space between a number and its unit), after
    "-", "_" and "/" in long names, and elsewhere only if necessary.
    """
    # Not split(): it would also split at the no-break space between number and unit.
    rest = visible(re.sub(r"[ \t\r\n]+", " ", text[:_LOOKED_AT]).strip(" "))
    pieces: list[str] = []
    while rest and len(pieces) < lines:
        taken = _longest(rest, fits)
        if taken < len(rest) and len(pieces) == lines - 1:
            while taken > 1 and not fits(rest[:taken].rstrip() + "…"):
                taken -= 1
            return [*pieces, rest[:taken].rstrip() + "…"]
        if taken < len(rest):
            taken = _break(rest, taken)
        pieces.append(rest[:taken].rstrip())
        rest = rest[taken:].lstrip()
    return pieces


def _longest(text: str, fits: Callable[[str], bool]) -> int:
    """Return how many letters from the start of `text` fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
    return low


def _break(text: str, at_most: int) -> int:
    if text[at_most] == " ":
        return at_most
    space = text.rfind(" ", 0, at_most)
    if space > 0:
        return space + 1
    mark = max(text.rfind(letter, 0, at_most) for letter in "-_/")
    return mark + 1 if mark > at_most // 3 else at_most
