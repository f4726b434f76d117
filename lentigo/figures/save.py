"""A figure on disk: to print (SVG), to show (PNG), and as numbers (CSV)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
                draw_into(temporary, figure, metadata)
            paths.append(path)
    if data is not None:
        path = stem.with_name(stem.name + ".csv")
        write_csv(data, path)
        paths.append(path)
    return paths


def draw_into(
    path: Path, figure: Figure, metadata: Mapping[str, Any] | None = None
) -> None:
    """Save a figure in the format that `path` ends in; an SVG is always sound XML.

    Letters are outlines; the words stand beside them as comments, and a control character
    of a name is none that XML may hold.
    """
    figure.savefig(path, metadata=metadata)
    if path.suffix.lower() == ".svg":
        text = path.read_text(encoding="utf-8")
        clean = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
        if clean != text:
            path.write_text(clean, encoding="utf-8")


_NOT_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")
