from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lentigo.errors import ConfigError
from lentigo.figures.grid import Block, Tile, plot_grid, wrapped
from lentigo.figures.style import MELANOMA, OTHER_LESION, style

LONG = "ISIC_0000000_a_very_long_identifier_that_somebody_wrote_down_anyway_0001"
WORDS = "atypical melanocytic proliferation of uncertain malignant potential and more words"
PICTURE = np.full((30, 40, 3), 200, np.uint8)


def tile(name: str = "L1", *caption: str, image: np.ndarray | None = PICTURE) -> Tile:
    return Tile(
        image, name, caption, OTHER_LESION, "" if image is not None else "No file. " * 40
    )


def fits_ten(text: str) -> bool:
    return len(text) <= 10


@pytest.mark.parametrize(
    ("text", "lines", "expected"),
    [
        ("", 2, []),
        ("short", 2, ["short"]),
        ("ten letters", 2, ["ten", "letters"]),
        ("torso, male, 45\u00a0years", 3, ["torso,", "male,", "45\u00a0years"]),
        ("ISIC_00000_1234", 2, ["ISIC_", "00000_1234"]),
        ("abcdefghijklmno", 2, ["abcdefghij", "klmno"]),
        ("one two three four five", 2, ["one two", "three fou…"]),
        ("abcdefghijklmno", 1, ["abcdefghi…"]),
    ],
)
def test_a_caption_is_broken_where_a_reader_would(
    text: str, lines: int, expected: list[str]
) -> None:
    assert wrapped(text, fits_ten, lines=lines) == expected


def boxes(figure: Figure) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right and top of each text, in pixels."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    extents = [text.get_window_extent(renderer) for text in figure.texts]
    return [(e.x0, e.y0, e.x1, e.y1) for e in extents if e.width]


@pytest.mark.parametrize("per_row", [1, 2, 4, 8, 12])
def test_no_two_words_touch_and_none_leaves_the_page(per_row: int) -> None:
    tall = np.zeros((90, 30, 3), np.uint8)
    tiles = [
        tile(LONG, WORDS, "head/neck, female, 100\u00a0years", WORDS),
        tile("محمد عبد الله", "P$_2$ $x"),
        tile("x", image=None),
        tile("y", WORDS, image=tall),
        *[tile(f"L{number}", "torso, male, 45\u00a0years", "nevus") for number in range(9)],
    ]
    with style():
        figure = plot_grid([Block(tiles)], per_row=per_row, note=WORDS * 2)
        found = boxes(figure)
    wide, high = figure.get_size_inches() * figure.dpi
    for x0, y0, x1, y1 in found:
        assert min(x0, y0) >= 0
        assert x1 <= wide
        assert y1 <= high
    for number, (a0, b0, a1, b1) in enumerate(found):
        for c0, d0, c1, d1 in found[number + 1 :]:
            across = min(a1, c1) - max(a0, c0)
            along = min(b1, d1) - max(b0, d0)
            # Extents include the room above small letters: a third of a line may overlap.
            assert across <= 1 or along <= 0.4 * min(b1 - b0, d1 - d0)
    for ax in figure.axes:
        place = ax.get_position()
        assert 0 <= place.x0 < place.x1 <= 1
        assert 0 <= place.y0 < place.y1 <= 1


def test_blocks_stand_side_by_side_and_pictures_keep_their_shape() -> None:
    blocks = [
        Block([tile()] * 3, "Benign: 3 of 7", OTHER_LESION),
        Block([tile()], "Melanoma: 1 of 1", MELANOMA),
    ]
    figure = plot_grid(blocks, per_row=4)
    assert len(figure.axes) == 4
    wide, high = figure.get_size_inches()
    places = [ax.get_position() for ax in figure.axes]
    for place in places:
        shape = (place.height * high) / (place.width * wide)
        assert shape == pytest.approx(30 / 40, rel=1e-3)
    benign = [place for place in places if place.x0 < 0.5]
    assert len(benign) == 3  # two in the first row, one below
    assert {round(place.y0, 6) for place in places} == {
        round(place.y0, 6) for place in benign
    }


def test_more_than_a_page_can_hold_is_refused() -> None:
    with pytest.raises(ConfigError, match="give 2 to 12"):
        plot_grid([Block([tile()]), Block([tile()])], per_row=1)
    with pytest.raises(ConfigError, match="inches high; show fewer"):
        plot_grid([Block([tile()] * 60)], per_row=1)


def test_the_heading_of_a_narrow_block_is_not_cut() -> None:
    title = "superficial spreading melanoma in situ arising in a nevus: 1 of 1"
    figure = plot_grid([Block([tile()], title), Block([tile()] * 5, "nevus")], per_row=6)
    said = " ".join(text.get_text() for text in figure.texts)
    assert title in said
    tops = [ax.get_position().y1 * figure.get_figheight() for ax in figure.axes]
    lowest = min(
        text.get_position()[1]
        for text in figure.texts
        if text.get_fontsize() == 8
    )  # fmt: skip
    assert lowest * figure.get_figheight() - 0.12 > max(tops)
