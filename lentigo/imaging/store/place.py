"""The folder of a pixel store as it looks from outside; light, since it is asked first."""

from __future__ import annotations

from pathlib import Path

from lentigo.output import check_own_folder

STORE, UNFINISHED = "store.json", "unfinished"
"""What tells a store: its description, and the folder in which it is being built."""


def check_store_folder(folder: Path | None) -> None:
    """Refuse with `RunError` a folder of other things, in which no store is to be built.

    None is a store that has its place in a folder of ours.
    """
    if folder is not None:
        check_own_folder(folder, signs=(STORE, UNFINISHED), what="pixel store")
