"""Save a figure as SVG (for print), PNG (for screens) and its data as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lentigo.figures.lettering import boxes_told
from lentigo.figures.style import style
from lentigo.files import write_csv, written_beside
from lentigo.imaging.by_products import FIGURE


def save_figure(figure: Figure, stem: Path, data: pd.DataFrame | None = None) -> list[Path]:
    """Write `stem`.svg, `stem`.png and, with `data`, `stem`.csv; return their paths.

    Each file is written under a temporary name and renamed. The same figure gives the same
    bytes in every run. Raises `RunError` when the folder cannot be written.
    """
    paths = []
    with style(), boxes_told(), _laid_out_once(figure):
        for suffix, metadata in ((".svg", {"Date": None}), (".png", {})):
            path = stem.with_name(stem.name + suffix)
            with written_beside(path) as temporary:
                draw_into(temporary, figure, metadata)
            figure.set_layout_engine(None)
            paths.append(path)
    if data is not None:
        path = stem.with_name(stem.name + ".csv")
        write_csv(data, path)
        paths.append(path)
    return paths


@contextmanager
def _laid_out_once(figure: Figure) -> Iterator[None]:
    """Give `figure` its layout engine back, which the block removes after its first file.

    The places that the engine found are fractions of the figure and serve each format; with
    it matplotlib seeks them anew for each file (half of the time of the second file).
    """
    engine = figure.get_layout_engine()
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def draw_into(
    path: Path, figure: Figure, metadata: Mapping[str, Any] | None = None
) -> None:
    """Save a figure in the format of the suffix of `path`; an SVG is always valid XML.

    A PNG says that it is a figure, so that it is not taken for a photograph where it lies
    among some. In an SVG letters are outlines, with the words in XML comments; a control
    character in a name, which XML does not allow, is replaced by U+FFFD.
    """
    if path.suffix.lower() == ".png":
        metadata = {**(metadata or {}), "Software": FIGURE}
    figure.savefig(path, metadata=metadata)
    if path.suffix.lower() == ".svg":
        text = path.read_text(encoding="utf-8")
        clean = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
        if clean != text:
            path.write_text(clean, encoding="utf-8")


_NOT_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")
