"""Whether figures can be drawn here."""

from __future__ import annotations

from lentigo.extras import NotInstalledError, require
from lentigo.progress import log


def drawable() -> bool:
    """Tell whether matplotlib is installed; say so where it is not.

    An install that only predicts has none; the numbers are worth writing all the same.
    """
    try:
        require("matplotlib", what="Drawing")
    except NotInstalledError as error:
        log.warning("No figures were written. %s", error)
        return False
    return True
