"""Write images of lesions in other views (image transformations), and contact sheets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ConfigError, ImageError
from lentigo.figures.contact_sheet import plot_views
from lentigo.figures.save import draw_into
from lentigo.figures.style import style
from lentigo.files import clear_leftovers, read_bytes, written_beside
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.mask import read_mask_with_size
from lentigo.imaging.views import VIEWS, outline, view_image
from lentigo.imaging.views.registry import find_view
from lentigo.inference.inputs import Source, find_sources
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import alone, check_folder, check_not_input, check_not_there
from lentigo.progress import log, track
from lentigo.words import some

Pixels = NDArray[np.uint8]

OUTLINE = "outline"
"""Name of the view that draws the outline of a mask; it is no input of a network."""
SHEET = "sheet"
_UNFINISHED = ".unfinished-views"
"""Name of a file that lists the view files being written, to remove them after a kill."""
_LONGEST = 100_000_000
"""Most bytes of the file `_UNFINISHED`."""


@dataclass(frozen=True)
class Viewed:
    """Result for one image: the files written, or the reason why there are none."""

    path: str
    """Path of the image, as it was given."""
    files: tuple[Path, ...] = ()
    """One PNG for each view, in order, then the contact sheet."""
    reason: str = ""
    """Why nothing was written."""


def write_views(
    inputs: Sequence[str | Path],
    out: Path,
    *,
    views: Sequence[str] = ("all",),
    size: int = 512,
    mask: Path | None = None,
    sheet: bool = True,
) -> list[Viewed]:
    """Write each image in each of the `views` as STEM.VIEW.png in `out`.

    With `sheet`, STEM.sheet.png shows all views of an image. `inputs` are files, folders,
    patterns or lesion tables. The longer side of an image is reduced to `size` pixels (0
    keeps its size). With a `mask` of the lesion (white inside, for one image only) the view
    `outline` is written, too. An image that cannot be read gets a `reason` and no file; if
    two images have the same name, the files of the second begin with STEM-2.

    Raises:
        UnknownNameError: there is no such view.
        ConfigError: an outline without a mask, or a mask for several images.
        DatasetNotFoundError: there is no such input.
        RunError: a file to be written exists, or `out` is an input or cannot be written.
    """
    names = _names(views, with_mask=mask is not None)
    check_folder(out)
    check_not_input(out, inputs)
    sources = find_sources(inputs)
    if mask is not None and len(sources) != 1:
        raise ConfigError(
            f"A mask belongs to one image, but {len(sources):,} are given. Give one image."
        )
    named = stems(sources)
    wanted = [*names, SHEET] if sheet else names
    planned = [out / f"{stem}.{name}.png" for stem in named for name in wanted]
    if not (out / _UNFINISHED).exists():
        check_not_there(planned)
    inside = read_mask(mask) if mask is not None else None
    pairs = zip(sources, named, strict=True)
    with alone(out, keep=False), _all_or_none(out, planned):
        return [
            _view_one(source, out / stem, wanted, size=size, mask=inside)
            for source, stem in track(pairs, total=len(sources), label="Viewing images")
        ]


@contextmanager
def _all_or_none(out: Path, planned: Sequence[Path]) -> Iterator[None]:
    """Remove the `planned` files if the block fails or is stopped.

    Until the block ends, a file in `out` lists them. If the process is killed, the next
    process that writes views into `out` removes them, with a log line.
    """
    marker = out / _UNFINISHED
    if marker.exists():
        _clear_of_killed(out, marker)
    check_not_there(planned)  # checked again: another process may have written since
    with written_beside(marker) as temporary:  # no name holds a zero byte
        temporary.write_bytes(b"\0".join(os.fsencode(path.name) for path in planned))
    try:
        yield
    except BaseException:
        _remove(planned)
        raise
    finally:
        marker.unlink(missing_ok=True)


def _clear_of_killed(out: Path, marker: Path) -> None:
    named = [os.fsdecode(name) for name in read_bytes(marker, most=_LONGEST).split(b"\0")]
    # Whatever the list holds, only PNG files in `out` are removed.
    left = [
        out / name
        for name in named
        if name == Path(name).name and name.endswith(".png") and (out / name).is_file()
    ]
    if left:
        log.info(
            "%s holds what a command left that was killed (%s); it is cleared.",
            out, some([path.name for path in left]),
        )  # fmt: skip
    _remove(left)
    clear_leftovers(out)


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _names(views: Sequence[str], *, with_mask: bool) -> list[str]:
    """Return the names of the views in order, each once; with a mask, `outline` as well."""
    names: list[str] = []
    for view in views:
        if view == "all":
            names += VIEWS
        elif view == OUTLINE:
            names.append(view)
        else:
            names.append(find_view(view).__name__)
    if with_mask:
        names.append(OUTLINE)
    elif OUTLINE in names:
        raise ConfigError("An outline needs the mask of the lesion: give --mask FILE.")
    if not names:
        raise ConfigError(f"No view is named. Known: {some(list(VIEWS), at_most=20)}.")
    return list(dict.fromkeys(names))


def stems(sources: Sequence[Source]) -> list[str]:
    """Return a unique file name, without ending, for each image; case does not count."""
    names: list[str] = []
    taken: set[str] = set()
    for source in sources:
        stem = wanted = source.path.stem if source.path else source.image_id
        number = 2
        while stem.casefold() in taken:
            stem, number = f"{wanted}-{number}", number + 1
        taken.add(stem.casefold())
        names.append(stem)
    return names


def _view_one(
    source: Source,
    stem: Path,
    wanted: Sequence[str],
    *,
    size: int,
    mask: NDArray[np.bool_] | None,
) -> Viewed:
    if source.path is None:
        return Viewed(source.image_id, reason=f"{source.image_id} has no file.")
    try:
        image = shrunk(read_image(source.path, at_least=size or None), size)
        shown = {name: _view(image, name, mask) for name in wanted if name != SHEET}
    except ImageError as error:
        return Viewed(str(source.path), reason=str(error))
    files = [_write(view, stem, name) for name, view in shown.items()]
    if SHEET in wanted:
        with style():
            figure = plot_views(shown, title=source.path.name, notice=RESEARCH_ONLY)
            files.append(_write(figure, stem, SHEET))
    return Viewed(str(source.path), files=tuple(files))


def _view(image: Pixels, name: str, mask: NDArray[np.bool_] | None) -> Pixels:
    if name == OUTLINE and mask is not None:
        return outline(image, mask)
    return view_image(image, name)


def _write(content: Pixels | Figure, stem: Path, name: str) -> Path:
    path = stem.with_name(f"{stem.name}.{name}.png")
    with written_beside(path) as temporary:
        if isinstance(content, Figure):
            draw_into(temporary, content)
        else:
            Image.fromarray(content).save(temporary)
    return path


def shrunk(image: Pixels, size: int) -> Pixels:
    """Return `image` with its longer side reduced to `size` pixels; 0 keeps its size."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    if not 0 < scale < 1:
        return image
    small = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, small, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask, (H, W): True where a pixel is above half of the brightest pixel."""
    return mask_of(read_mask_with_size(path)[0])


def mask_of(image: Pixels) -> NDArray[np.bool_]:
    """Return the mask, (H, W), from pixels of a mask file, (H, W, 3); see `read_mask`."""
    plane = image.max(axis=2)
    return np.asarray(plane > plane.max() / 2)
