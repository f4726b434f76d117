"""Tell whether figures can be drawn, and put a drawn one into a page."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from lentigo.extras import NotInstalledError, require
from lentigo.progress import log


def drawable() -> bool:
    """Tell whether matplotlib is installed; log a warning if it is not.

    An installation for prediction alone lacks it; reports are then written without figures.
    """
    try:
        require("matplotlib", what="Drawing")
    except NotInstalledError as error:
        log.warning("No figures were written. %s", error)
        return False
    return True


def inlined(svg: Path) -> str:
    """Return an SVG file as a `data:` address; inside an image its scripts cannot run."""
    return "data:image/svg+xml;base64," + b64encode(svg.read_bytes()).decode("ascii")
