"""The folder of a pixel store, checked without opening it; quick to import."""

from __future__ import annotations

import json
from pathlib import Path

from lentigo.errors import ConfigError
from lentigo.output import check_own_folder

STORE, UNFINISHED = "store.json", "unfinished"
"""Names that mark a store: its description, and the folder in which it is being built."""


def check_store_folder(folder: Path | None) -> None:
    """Raise `RunError` if `folder` holds other things, so that no store may be built there.

    None, a store within a folder of lentigo's own, always passes.
    """
    if folder is not None:
        check_own_folder(folder, signs=(STORE, UNFINISHED), what="pixel store")


def check_squares(folder: Path | None, *, size: int, fit: str) -> None:
    """Raise `ConfigError` if the store in `folder` holds squares of another size or fit.

    Only its description is read, so that nobody waits for a refusal. A folder without one,
    or with one that cannot be read, passes.
    """
    if folder is None:
        return
    try:
        known = json.loads((folder / STORE).read_text(encoding="utf-8"))
        found = (known["size"], known["fit"])
    except (OSError, ValueError, LookupError, TypeError):
        return  # opened later, where what is wrong with it is told
    if found != (size, fit):
        raise ConfigError(
            f"The pixel store {folder} holds images of {found[0]} px ({found[1]}), but "
            f"{size} px ({fit}) are asked for. Give another folder, or ask for what is "
            f"there: --set imaging.size={found[0]} --set imaging.fit={found[1]} of a "
            f"training, --size {found[0]} of audit and prepare."
        )
