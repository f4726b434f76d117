"""Tell whether figures can be drawn: whether matplotlib is installed."""

from __future__ import annotations

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
