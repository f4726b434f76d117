"""SHA-256 hashes of image files, which find identical files without decoding them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from lentigo.errors import ImageError
from lentigo.files import digest
from lentigo.imaging.decoding import packed
from lentigo.progress import track
from lentigo.tables import NotedTable
from lentigo.words import counted, some


def with_hashes(table: pd.DataFrame) -> NotedTable:
    """Return `table` with `sha256` filled for every existing file that has no hash yet.

    A file that exists but cannot be read stays without a hash; a note names it. Each file
    is read once, also inside a zip or an HDF5 file.
    """
    wanted = table.loc[table["sha256"].isna() & table["path"].notna(), "path"]
    paths = [str(path) for path in wanted.unique()]
    read = {
        path: _hash(path) for path in track(paths, total=len(paths), label="Hashing files")
    }
    hashes = table["path"].map(read).astype("string").mask(lambda found: found == "")
    hashed = table.assign(sha256=table["sha256"].fillna(hashes))
    broken = [path for path, found in read.items() if found == ""]
    if not broken:
        return NotedTable(hashed)
    files = counted(len(broken), "file")
    note = f"{files} could not be read, so not be compared: {some(broken)}."
    return NotedTable(hashed, (note,))


def _hash(path: str) -> str | None:
    """Return the hash of one file; None if there is no file, "" if it cannot be read."""
    try:
        if packed.is_there(path):
            return hashlib.sha256(packed.read_bytes(path)).hexdigest()
        return digest(Path(path)) if Path(path).is_file() else None
    except (OSError, ImageError):
        return ""
