"""Everything that a figure holds, in words: what is drawn where, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure, FigureBase
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text
from numpy.typing import NDArray

_MOST = 16
"""Of more points than this, so many are told, evenly spaced, with the mean of all."""


def contents(figure: Figure) -> str:
    """Return the panels of a figure and all that is drawn in them, one thing a line."""
    return "\n".join(_figure(figure)) + "\n"


def table(rows: pd.DataFrame) -> str:
    """Return a table as text, its numbers rounded; of many rows some, with all means."""
    shown = rows.iloc[_some(len(rows))]
    text = shown.to_csv(index=False, float_format="%.5g", lineterminator="\n")
    means = rows.select_dtypes("number").mean()
    many = f"{len(rows)} rows, means {_numbers(means.to_numpy(float))}\n"
    return text + (many if len(rows) > _MOST else "")


def _figure(figure: Figure) -> Iterator[str]:
    yield f"figure {_numbers(figure.get_size_inches())} {_hex(figure.get_facecolor())}"
    yield from (f"over all: {_text(each)}" for each in _texts(figure))
    for legend in figure.legends:
        yield _legend(legend)
    for number, ax in enumerate(figure.axes):
        yield f"panel {number}: {_place(ax)}"
        yield from (f"  {line}" for line in _panel(ax))


def _texts(figure: FigureBase) -> list[Text]:
    above = figure._suptitle  # type: ignore[attr-defined]
    return [*([above] if above else []), *(each for each in figure.texts if each != above)]


def _place(ax: Axes) -> str:
    spec = ax.get_subplotspec()
    if spec is None:
        return f"at {_numbers(np.array(ax.get_position().bounds))}"
    grid = spec.get_gridspec()
    ratios = [grid.get_height_ratios(), grid.get_width_ratios()]
    sizes = " by ".join(_numbers(np.array(each, float)) for each in ratios)
    geometry = [int(each) for each in spec.get_geometry()]
    return f"{geometry}, heights and widths {sizes}"


def _panel(ax: Axes) -> Iterator[str]:
    for side in ("left", "center", "right"):
        if title := ax.get_title(loc=side):
            yield f"title {side} {title!r}"
    if not ax.axison:
        yield "no axes"
    for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        ends = _numbers(np.array(axis.get_view_interval()))
        labels = [each.get_text() for each in axis.get_ticklabels()]
        yield f"{name} {axis.get_label_text()!r} {axis.get_scale()} {ends}"
        yield f"  ticks {_numbers(axis.get_ticklocs())} {labels}"
        look = {key: each for key, each in axis.get_tick_params().items() if each != ""}
        yield f"  look {_look(look)}"
    spines = [name for name, spine in ax.spines.items() if spine.get_visible()]
    yield f"frame {spines}, aspect {ax.get_aspect()}, ground {_hex(ax.get_facecolor())}"
    for child in ax.get_children():
        if child is not ax.patch and child.get_visible():
            yield from _child(ax, child)


def _child(ax: Axes, child: Artist) -> Iterator[str]:
    ends = {ax.title, ax._left_title, ax._right_title}  # type: ignore[attr-defined]
    match child:
        case Text():
            if child.get_text() and child not in ends:
                yield _text(child)
        case Line2D():
            yield f"line {_label(child)} {_line(child)} {_points(child.get_xydata())}"
        case Patch() if child not in ax.spines.values():
            path = child.get_patch_transform().transform_path(child.get_path())
            yield (
                f"{type(child).__name__} {_label(child)} {_patch(child)} "
                f"{_points(path.vertices)}"
            )
        case Collection():
            yield from _collection(child)
        case AxesImage():
            given = np.asarray(child.get_array(), float)
            ends_of = _numbers(np.array(child.get_clim(), float))
            rows = _points(given.reshape(-1, given.shape[-1]))
            yield f"image {given.shape} {rows} {ends_of}"
        case Legend():
            yield _legend(child)


def _collection(child: Collection) -> Iterator[str]:
    inside = [_hex(each) for each in child.get_facecolor()][:_MOST]
    around = [_hex(each) for each in child.get_edgecolor()][:_MOST]
    wide = _numbers(np.atleast_1d(child.get_linewidth()))
    kind = "area" if isinstance(child, PolyCollection) else type(child).__name__
    yield f"{kind} {_label(child)} {inside} {around} {wide} z {child.get_zorder():.4g}"
    offsets = _plain(child.get_offsets())
    if len(offsets) and np.any(np.nan_to_num(offsets)):
        yield f"  at {_points(offsets)}"
    if (values := child.get_array()) is not None:
        flat = _plain(values).reshape(-1, 1)
        ends = _numbers(np.array(child.get_clim(), float))
        yield f"  values {np.shape(values)} {_points(flat)} {ends}"
    for path in child.get_paths()[:_MOST]:
        yield f"  {_points(path.vertices)}"


def _plain(values: Any) -> NDArray[np.float64]:
    return np.asarray(np.ma.filled(np.ma.asarray(values, float), np.nan), np.float64)


def _label(artist: Artist) -> str:
    said = str(artist.get_label())
    return "" if said.startswith("_") else repr(said)


def _line(line: Line2D) -> str:
    return (
        f"{_hex(line.get_color())} {line.get_linestyle()} {line.get_linewidth():.3g} "
        f"{line.get_drawstyle()} marker {line.get_marker()} {line.get_markersize():.3g} "
        f"{_hex(line.get_markerfacecolor())} {_hex(line.get_markeredgecolor())} "
        f"{line.get_markeredgewidth():.3g} alpha {line.get_alpha()} "
        f"z {line.get_zorder():.4g} clipped {line.get_clip_on()}"
    )


def _patch(patch: Patch) -> str:
    return (
        f"{_hex(patch.get_facecolor())} {_hex(patch.get_edgecolor())} "
        f"{patch.get_linewidth():.3g} {patch.get_linestyle()} hatch {patch.get_hatch()} "
        f"alpha {patch.get_alpha()} z {patch.get_zorder():.4g}"
    )


def _text(text: Text) -> str:
    box = text.get_bbox_patch()
    beyond = f" to {_numbers(np.array(text.xy))}" if isinstance(text, Annotation) else ""
    around = f" box {_patch(box)}" if box else ""
    return (
        f"words {text.get_text()!r} at {_numbers(np.array(text.get_position(), float))}"
        f"{beyond} {_hex(text.get_color())} {text.get_fontsize():.3g} "
        f"{text.get_fontweight()} {text.get_horizontalalignment()} "
        f"{text.get_verticalalignment()} {text.get_rotation():.3g}{around}"
    )


def _legend(legend: Legend) -> str:
    words = [(text.get_text(), _hex(text.get_color())) for text in legend.get_texts()]
    sizes = {f"{text.get_fontsize():.3g}" for text in legend.get_texts()}
    anchor = legend.get_bbox_to_anchor()
    if isinstance(legend.parent, Axes):  # else in pixels of the whole figure
        anchor = anchor.transformed(legend.parent.transAxes.inverted())
    return (
        f"legend {legend.get_title().get_text()!r} {words} size {sorted(sizes)} "
        f"loc {legend._loc} at {_numbers(np.array(anchor.bounds))} columns {legend._ncols} "  # type: ignore[attr-defined]
        f"pad {legend.borderaxespad:.3g} frame {legend.get_frame_on()}"
    )


def _look(found: dict[str, Any]) -> str:
    return ", ".join(f"{key} {found[key]}" for key in sorted(found))


def _points(xy: Any) -> str:
    found = np.asarray(xy, dtype=float)
    if found.ndim == 1:
        found = found[:, None]
    shown = " ".join(",".join(_each(row)) for row in found[_some(len(found))])
    if len(found) <= _MOST:
        return shown
    with np.errstate(all="ignore"):
        return f"{shown} of {len(found)}, means {_numbers(np.nanmean(found, axis=0))}"


def _some(count: int) -> list[int]:
    if count <= _MOST:
        return list(range(count))
    places = np.linspace(0, count - 1, _MOST).round().astype(int)
    return [int(each) for each in np.unique(places)]


def _numbers(found: np.ndarray | Iterable[float]) -> str:
    return " ".join(_each(np.asarray(found, dtype=float).ravel()))


def _each(row: np.ndarray) -> list[str]:
    return [f"{0.0 if abs(each) < 1e-9 else each:.5g}" for each in row]


def _hex(color: Any) -> str:
    try:
        return to_hex(color, keep_alpha=True)
    except ValueError:
        return str(color)
