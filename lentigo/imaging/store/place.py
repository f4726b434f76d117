"""The folder of a pixel store, checked without opening it; quick to import."""

from __future__ import annotations

from pathlib import Path

from lentigo.output import check_own_folder

STORE, UNFINISHED = "store.json", "unfinished"
"""Names that mark a store: its description, and the folder in which it is being built."""


def check_store_folder(folder: Path | None) -> None:
    """Raise `RunError` if `folder` holds other things, so that no store may be built there.

    None, a store within a folder of lentigo's own, always passes.
    """
    if folder is not None:
        check_own_folder(folder, signs=(STORE, UNFINISHED), what="pixel store")
