"""A figure on disk: to print (SVG), to show (PNG), and as numbers (CSV)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from lentigo.figures.lettering import boxes_told
from lentigo.figures.style import style
from lentigo.files import write_csv, written_beside


def save_figure(figure: Figure, stem: Path, data: pd.DataFrame | None = None) -> list[Path]:
    """Write `stem`.svg, `stem`.png and, with `data`, `stem`.csv; return their paths.

    Each is written beside and renamed. The same figure gives the same bytes in every run.
    Raises `RunError` where the folder cannot be written.
    """
    paths = []
    with style(), boxes_told():
        for suffix, metadata in ((".svg", {"Date": None}), (".png", {})):
            path = stem.with_name(stem.name + suffix)
            with written_beside(path) as temporary:
                figure.savefig(temporary, metadata=metadata)
            paths.append(path)
    if data is not None:
        path = stem.with_name(stem.name + ".csv")
        write_csv(data, path)
        paths.append(path)
    return paths
