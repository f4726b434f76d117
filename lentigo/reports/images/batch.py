"""Draw the first batch of a training, to check the images before training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.config import INPUT_VIEWS, Config, GridConfig
from lentigo.curation.splits.folds import TRAIN
from lentigo.errors import ConfigError, DatasetError, ImageError
from lentigo.figures.cohort.values import NOT_MELANOMA
from lentigo.figures.grid import Block, Tile, plot_grid
from lentigo.figures.lettering import sentence_on
from lentigo.imaging.decoding.square import read_square
from lentigo.output import PAGE, check_file
from lentigo.progress import track
from lentigo.reports.images.grid import (
    Grid,
    drawable,
    fitting_rows,
    frame_color,
    frames_told,
    read_images,
)
from lentigo.training.data import Examples, Order
from lentigo.training.lesson import taught
from lentigo.training.schedule import epoch_length
from lentigo.words import counted, none_of


def write_batch(
    source: Path | str,
    out: Path | str,
    *,
    config: Config,
    choice: GridConfig | None = None,
    images: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> Grid:
    """Draw a training batch of the images that `read_images` finds into the new file `out`.

    Raises what `read_images` and `draw_batch` raise and, before anything is read, what
    `check_file` raises for `out`.
    """
    check_file(Path(out), PAGE, new=True)
    choice = choice or GridConfig()
    read = read_images(source, choice.where, images=images, columns=columns)
    grid = _drawn(read.table, config, choice).also_saying(read, choice)
    grid.save(out)
    return grid


def draw_batch(
    table: pd.DataFrame, config: Config, choice: GridConfig | None = None
) -> Grid:
    """Draw the first training images of `table` as the network gets them.

    Images are made square, augmented and shown in the network's view, with the code and the
    seed of the training itself. Shown are the first `choice.limit` draws of the first
    epoch, which may be more than a batch, from all labelled rows; a real training draws
    only from rows that it does not hold out. Stacked views are shown side by side.

    Raises `DatasetError` if no labelled row has a file, or none can be decoded, and
    `ConfigError` if `choice` has `by` or `sort`.
    """
    choice = choice or GridConfig()
    return _drawn(fitting_rows(table, choice), config, choice)


def _drawn(fitting: pd.DataFrame, config: Config, choice: GridConfig) -> Grid:
    """Draw the training images of the rows `fitting`, which `choice.where` has chosen."""
    if choice.by or choice.sort:
        raise ConfigError(
            "A training batch has an order of its own: leave out --by and --sort."
        )
    rows = fitting[fitting["melanoma"].notna() & fitting["path"].notna()]
    if rows.empty:
        raise DatasetError(
            f"{none_of(len(fitting), 'row')} has both a label and an image file, so there "
            "is no batch to show."
        )
    draws = _draws(rows, config)[: choice.limit]
    squares, failed = _squares(rows, sorted({place for place, _ in draws}), config)
    varied = _varied(rows, draws, squares, config)
    drawn = rows.iloc[[place for place, _ in draws]]
    letters = drawable(drawn)
    tiles = _tiles(drawn, varied, letters, failed)
    note = f"{_note(len(draws), rows, config)} {frames_told(drawn)}"
    return Grid(
        plot_grid([Block(tiles)], per_row=choice.per_row, note=note),
        tuple(drawn["image_id"].astype(str)),
        len(rows),
        failed,
        (note, *([sentence_on(letters)] if letters else [])),
    )


def _tiles(
    drawn: pd.DataFrame,
    images: Sequence[Any],
    letters: Mapping[str, str],
    failed: Mapping[str, str],
) -> list[Tile]:
    tiles = []
    for (_, row), image in zip(drawn.iterrows(), images, strict=True):
        name = str(row["image_id"])
        label = "melanoma" if row["melanoma"] else NOT_MELANOMA
        shown = letters.get(name, name)
        reason, color = failed.get(name, ""), frame_color(row["melanoma"])
        tiles.append(Tile(image, shown, [label], color, reason))
    return tiles


def _draws(rows: pd.DataFrame, config: Config) -> list[tuple[int, tuple[int, ...]]]:
    training = config.training
    learnt = pd.Series(TRAIN, index=rows.index, dtype="string")
    order = Order(
        _labels(rows),
        epoch_images=epoch_length(training, len(rows)),
        batch_size=min(training.batch_size, len(rows)),
        seed=config.seed,
        alike=training.imbalance == "oversample" and rows["melanoma"].nunique() == 2,
        cells=taught(rows, learnt, training)[0].cells,
    )
    return [draw for batch in order.epoch(0) for draw in batch]


def _labels(rows: pd.DataFrame) -> NDArray[np.float32]:
    return rows["melanoma"].to_numpy(dtype=np.float32)


def _squares(
    rows: pd.DataFrame, places: list[int], config: Config
) -> tuple[dict[int, NDArray[np.uint8]], dict[str, str]]:
    """Read the images of the rows at `places` as squares.

    Returns the squares by place, and the reasons why images cannot be read by image id.
    Raises `DatasetError` if none can be read.
    """
    squares: dict[int, NDArray[np.uint8]] = {}
    failed: dict[str, str] = {}
    imaging = config.imaging
    for place in track(places, total=len(places), label="Reading images"):
        row = rows.iloc[place]
        path = Path(str(row["path"]))
        try:
            squares[place], _ = read_square(
                path, size=imaging.size, fit=imaging.fit, max_pixels=imaging.max_pixels
            )
        except ImageError as error:
            failed[str(row["image_id"])] = str(error).replace(str(path), path.name)
    if not squares:
        raise DatasetError(
            f"{none_of(len(places), 'image')} of the batch can be decoded: "
            f"{next(iter(failed.values()))}"
        )
    return squares, failed


def _varied(
    rows: pd.DataFrame,
    draws: list[tuple[int, tuple[int, ...]]],
    squares: dict[int, NDArray[np.uint8]],
    config: Config,
) -> list[NDArray[np.uint8] | None]:
    index = np.zeros(len(rows), dtype=np.int64)
    index[list(squares)] = np.arange(len(squares))
    examples = Examples(
        np.stack(list(squares.values())),
        index,
        _labels(rows),
        size=config.training.image_size,
        config=config.augment,
        view=config.imaging.view,
    )
    good = [draw for draw in draws if draw[0] in squares]
    batch: Any = iter(examples.__getitems__(good).images.numpy())
    return [
        _as_picture(next(batch), config.imaging.view) if place in squares else None
        for place, _ in draws
    ]


def _as_picture(channels: NDArray[np.uint8], views: tuple[str, ...]) -> NDArray[np.uint8]:
    """Return C channels, (C, H, W), as an RGB image with the views side by side."""
    pictures, start = [], 0
    for view in views:
        part = channels[start : start + INPUT_VIEWS[view]]
        pictures.append(np.moveaxis(np.resize(part, (3, *part.shape[1:])), 0, 2))
        start += INPUT_VIEWS[view]
    return np.concatenate(pictures, axis=1)


def _note(count: int, rows: pd.DataFrame, config: Config) -> str:
    size, views = config.training.image_size, " + ".join(config.imaging.view)
    return (
        f"The first {counted(count, 'draw')} of a training on "
        f"{counted(len(rows), 'image')} with the recipe "
        f"{config.recipe} (seed {config.seed}), as the network sees them: {size} × {size} "
        f"pixels, view {views}, before each channel is shifted and scaled."
    )
