"""A synthetic data set on disk: images/, metadata.csv and synthetic.json."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading.files import check_folder
from lentigo.datasets.reading.zipped import files_below
from lentigo.datasets.synthetic.cohort import NOTE, best_reachable_auc, draw_features
from lentigo.datasets.synthetic.model import MODEL_VERSION
from lentigo.elsewhere import ProcessDiedError, in_processes
from lentigo.errors import (
    ColumnError,
    ConfigError,
    DatasetError,
    DatasetNotFoundError,
    RunError,
)
from lentigo.json_files import read_json, write_json
from lentigo.machine import cores
from lentigo.output import alone
from lentigo.progress import track
from lentigo.tables import NotedTable, check_table, read_any_table, write_table
from lentigo.words import counted, some

_SETTINGS = "synthetic.json"
_TABLE = "metadata.csv"
_WORTH_A_PROCESS = 64
"""With fewer images than these, drawing takes less time than starting worker processes."""


def draw_dataset(
    folder: Path | str,
    *,
    images: int = 4000,
    size: int = 96,
    seed: int = 0,
    workers: int = 0,
) -> pd.DataFrame:
    """Fill `folder` with synthetic dermoscopy images and return their lesion table.

    Writes `images/SYN_0000001.jpg` and so on (`size` × `size` pixels, 64 to 1024),
    `metadata.csv` (the lesion table with every feature and `true_probability`) and
    `synthetic.json` (the settings, and the best possible AUC for these images). The same
    seed gives the same bytes for any number of `workers` (processes; 0: one per core). A
    second call with the same settings keeps existing images and adds missing ones.

    Raises `ConfigError` for a wrong setting, `DatasetError` where `folder` holds other
    files or a set with other settings, and `RunError` where it cannot be written.
    """
    # Reading a synthetic set must work without OpenCV.
    from lentigo.datasets.synthetic.painting import check_size

    folder = Path(folder)
    check_size(size)
    if workers < 0:
        raise ConfigError(f"workers is {workers}; give 0 (one a core) or more.")
    table = draw_features(images, seed=seed)
    settings = {
        "model_version": MODEL_VERSION,
        "seed": seed,
        "size": size,
        "images": images,
    }
    with alone(folder, keep=False):
        _check_folder(folder, settings)
        write_json(folder / _SETTINGS, settings | _facts(table))
        _draw_missing(folder, table, size=size, workers=workers)
        _write_table(table, folder, size)
    return read(folder).table


def _write_table(table: pd.DataFrame, folder: Path, size: int) -> None:
    table["path"] = pd.array([f"images/{name}.jpg" for name in table["image_id"]], "string")
    table["width"] = table["height"] = pd.array([size] * len(table), dtype="Int64")
    write_table(table, folder / _TABLE)


def read(root: Path) -> NotedTable:
    """Return the lesion table, with notes, of a folder that `draw_dataset` wrote.

    An image whose file is missing keeps its row, without a path; a note names such images.

    Raises `DatasetNotFoundError` where the folder or its `metadata.csv` is missing and
    `ColumnError` where `metadata.csv` lacks `image_id`, `path` or `true_probability`.
    """
    root = check_folder(Path(root), archive="a drawn data set")
    if not (root / _TABLE).is_file():
        raise DatasetNotFoundError(
            f"{root} holds no {_TABLE}. If drawing was broken off, call draw_dataset again "
            "with the same settings; it keeps what is there."
        )
    table = read_any_table(root / _TABLE)
    for name in ("image_id", "path", "true_probability"):
        if name not in table:
            raise ColumnError(
                f"{root / _TABLE} has no column {name}: it is no drawn set. Give "
                "the folder that draw_dataset wrote."
            )
    paths = [root / str(name) for name in table["path"]]
    packed = set(files_below(root))
    there = [path in packed or path.is_file() for path in paths]
    table["path"] = [
        str(path) if ok else pd.NA for path, ok in zip(paths, there, strict=True)
    ]
    notes = [NOTE]
    if not all(there):
        gone = [path.name for path, ok in zip(paths, there, strict=True) if not ok]
        notes.append(
            f"{len(gone):,} of {counted(len(table), 'image')} are not there: {some(gone)}."
        )
    return NotedTable(check_table(table, source=str(root / _TABLE)), tuple(notes))


def _facts(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "best_reachable_auc": best_reachable_auc(table),
        "prevalence": float(table["melanoma"].mean()),
        "melanomas": int(table["melanoma"].sum()),
        "patients": int(table["patient_id"].nunique()),
        "lesions": int(table["lesion_id"].nunique()),
        "licence": "Apache-2.0",
        "notes": [NOTE],
    }


def _check_folder(folder: Path, settings: Mapping[str, int]) -> None:
    """Raise `DatasetError` for a folder of other files or of another synthetic set."""
    if not folder.is_dir():
        return
    found = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if found and _SETTINGS not in found:
        raise DatasetError(
            f"{folder} is not empty: it holds {some(found)}. Give a new or empty folder."
        )
    if not found:
        return
    try:
        before = read_json(folder / _SETTINGS)
        asked = {name: settings[name] for name in ("model_version", "seed", "size")}
        others = [f"{name} {before[name]}" for name in asked if before[name] != asked[name]]
        if before["images"] > settings["images"]:
            others.append(f"{counted(before['images'], 'image')}")
    except (ValueError, KeyError, TypeError):
        raise DatasetError(
            f"{folder / _SETTINGS} cannot be read. Give a new or empty folder."
        ) from None
    if others:
        raise DatasetError(
            f"{folder} holds another drawn set ({some(others, at_most=4)}). Give the same "
            "settings, or a new folder."
        )


def _draw_missing(folder: Path, table: pd.DataFrame, *, size: int, workers: int) -> None:
    rows = table.to_dict("records")
    missing = [row for row in rows if not _is_whole(_image_path(folder, row))]
    (folder / "images").mkdir(parents=True, exist_ok=True)
    wanted = workers or cores()
    jobs = [(_image_path(folder, row), row) for row in missing]
    batches = [jobs[start : start + 16] for start in range(0, len(jobs), 16)]
    parallel = wanted > 1 and len(missing) >= _WORTH_A_PROCESS
    drawn = _in_processes(batches, size, wanted) if parallel else _here(batches, size)
    for _ in track(drawn, total=len(batches), label="Drawing lesions"):
        pass


def _here(batches: list[Any], size: int) -> Iterator[int]:
    from lentigo.datasets.synthetic.files import draw_files

    for batch in batches:
        yield draw_files(batch, size)


def _in_processes(batches: list[Any], size: int, workers: int) -> Iterator[int]:
    from lentigo.datasets.synthetic.files import draw_files

    draw = partial(draw_files, size=size, threads=1)
    try:
        yield from in_processes(draw, batches, workers=workers)
    except ProcessDiedError as error:
        raise RunError(
            "A process that was drawing was killed, perhaps for want of memory. Call "
            "draw_dataset again with the same settings: it keeps what is there. With "
            "workers=1 it needs no further process."
        ) from error


def _image_path(folder: Path, row: Mapping[Any, Any]) -> Path:
    return folder / "images" / f"{row['image_id']}.jpg"


def _is_whole(path: Path) -> bool:
    """Tell whether a JPEG has its end mark; a power cut can leave a part of the file."""
    if not path.is_file() or path.stat().st_size < 4:
        return False
    with path.open("rb") as file:
        file.seek(-2, os.SEEK_END)
        return file.read() == b"\xff\xd9"
