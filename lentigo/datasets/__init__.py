"""Readers: an archive on disk becomes a lesion table, one row an image.

`FORMATS` is the registry. A reader is a module with a function `read(root, **options)`; it
is imported when it is used, so that listing the formats costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lentigo.errors import DatasetError, DatasetNotFoundError, unknown_name

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Format:
    """One kind of archive that can be read."""

    name: str
    module: str
    """Module whose function `read` reads it."""
    summary: str
    """What it is, and what its folder holds."""
    citation: str
    licence: str
    signs: tuple[str, ...] = ()
    """Patterns of files that show that a folder is of this kind."""


FORMATS: dict[str, Format] = {
    item.name: item
    for item in (
        Format(
            name="siim2020",
            module="lentigo.datasets.siim2020",
            summary="SIIM-ISIC 2020: train.csv, test.csv and jpeg/train (or tables alone)",
            citation="Rotemberg et al. 2021, doi:10.1038/s41597-021-00815-z",
            licence="CC BY-NC 4.0",
            signs=("ISIC_2020_*.csv",),
        ),
        Format(
            name="ham10000",
            module="lentigo.datasets.ham10000",
            summary="HAM10000: HAM10000_metadata.csv and HAM10000_images_part_1, _part_2",
            citation="Tschandl et al. 2018, doi:10.1038/sdata.2018.161",
            licence="CC BY-NC 4.0",
            signs=("HAM10000_metadata*",),
        ),
        Format(
            name="isic2017",
            module="lentigo.datasets.isic2017",
            summary="ISIC 2017 part 3: ISIC-2017_*_Part3_GroundTruth.csv, ISIC-2017_*_Data",
            citation="Codella et al. 2018, doi:10.1109/ISBI.2018.8363547",
            licence="CC-0",
            signs=("ISIC-2017_*_Part3_GroundTruth.csv",),
        ),
        Format(
            name="folder",
            module="lentigo.datasets.folder",
            summary="any images, in one subfolder a class (melanoma, nevus …)",
            citation="",
            licence="yours",
        ),
        Format(
            name="csv",
            module="lentigo.datasets.csv_folder",
            summary="any CSV with a row an image, and a folder of images",
            citation="",
            licence="yours",
        ),
        Format(
            name="synthetic",
            module="lentigo.datasets.synthetic",
            summary="the embedded data set: lesions drawn by our own code",
            citation="",
            licence="Apache-2.0",
            signs=("synthetic.json",),
        ),
    )
}


def read_table(format: str, root: Path | str, **options: Any) -> pd.DataFrame:
    """The lesion table of an archive on disk: one row an image, in one vocabulary.

    `format` is a name in `FORMATS` and `root` the archive's folder (for `csv` the table,
    too). Further options are the reader's. Nothing is downloaded or decoded, and no row
    is dropped: an image whose file is missing stays, without a path. What was guessed,
    mapped or missing is told in sentences in `attrs["notes"]`.

    Raises `UnknownNameError` for a format or option that does not exist and
    `DatasetError` where the archive is not as its format says.
    """
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    read = import_module(FORMATS[format].module).read
    known = list(signature(read).parameters)[1:]
    for option in options:
        if option not in known:
            raise unknown_name(f"option of the format {format}", option, known or ["none"])
    table: pd.DataFrame = read(Path(root), **options)
    return table


def guess_format(root: Path | str) -> str:
    """The name of the format that the files in `root` look like.

    Raises `DatasetNotFoundError` where `root` does not exist and `DatasetError` where no
    format fits.
    """
    root = Path(root)
    if root.is_file():
        return "csv"
    if not root.is_dir():
        raise DatasetNotFoundError(f"{root} does not exist; give the folder of an archive.")
    for item in FORMATS.values():
        if any(next(root.glob(sign), None) for sign in item.signs):
            return item.name
    return _guess_by_content(root)


def _guess_by_content(root: Path) -> str:
    tables = [path for path in root.glob("*.csv") if path.is_file()]
    headers = {path.name.lower(): _header(path) for path in tables}
    if {"image_name", "target", "patient_id"} <= headers.get("train.csv", set()):
        return "siim2020"
    if len(tables) == 1:
        return "csv"
    if not tables and any(path.is_dir() for path in root.iterdir()):
        return "folder"
    raise DatasetError(
        f"{root} looks like none of the formats {', '.join(FORMATS)}: it holds "
        f"{len(tables)} CSV files at its top. Say which format it is, or give the path of "
        "one table."
    )


def _header(path: Path) -> set[str]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return {name.strip().strip('"') for name in file.readline().split(",")}
