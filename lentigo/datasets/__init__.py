"""Readers: an archive on disk becomes a lesion table, one row per image.

`FORMATS` is the registry. A reader is a module with a function `read(root, **options)`; it
is imported at its first use, so that listing the formats is fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lentigo.datasets.registry import FORMATS, Format
from lentigo.errors import DatasetError, DatasetNotFoundError, unknown_name
from lentigo.run_layout import RunLayout
from lentigo.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from lentigo.datasets.reading.maps import MapSource
    from lentigo.table_files.noted import NotedTable

__all__ = ["FORMATS", "Format", "combine", "guess_format", "read_archive", "read_table"]


def read_table(
    format: str,
    root: Path | str,
    *,
    modality: str | None = None,
    patients: Path | str | None = None,
    map: MapSource | None = None,
    unknown: str | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Return the lesion table of an archive on disk: one row per image, one vocabulary.

    Takes the arguments of `read_archive` and raises the same errors. `read_archive` also
    returns notes on what was guessed, mapped or missing, and the sources to cite.
    """
    return read_archive(
        format, root, modality=modality, patients=patients, map=map, unknown=unknown,
        **options,
    ).table  # fmt: skip


def read_archive(
    format: str,
    root: Path | str,
    *,
    modality: str | None = None,
    patients: Path | str | None = None,
    map: MapSource | None = None,
    unknown: str | None = None,
    **options: Any,
) -> NotedTable:
    """Read the lesion table of an archive on disk, with `notes` on it and its `sources`.

    `format` is a name in `FORMATS` and `root` the archive's folder, or a zip of it (for
    `csv` also the table). `modality` keeps only images of one kind, such as dermoscopy.
    `patients` is a table of patients, whose age, sex and skin type fill in missing values
    of their images. A word in the label that is not known is an error, unless `map` says
    what it means (`"diagnosis:Melanom=melanoma"`, a mapping, or the path of a table of
    words) or `unknown="missing"` leaves such labels empty and counts them. `options` are
    those of the format's reader. Nothing is downloaded or decoded, and no row is dropped
    because its image file is missing: its path is empty.

    Raises `UnknownNameError` for a format or option that does not exist,
    `UnknownWordsError` for labels in unknown words, and `DatasetError` where the archive
    differs from its format.
    """
    read = _reader(format, options)
    from lentigo.datasets.reading import zipped
    from lentigo.datasets.reading.sources import with_source
    from lentigo.datasets.reading.word_map import understood

    with understood(map, unknown=unknown):
        found = zipped.read_unpacked(read, Path(root), options)
        if modality is not None:
            found = _of_one_kind(found, modality, source=str(root))
        found = _with_patients(found, patients, options.get("columns"))
    return with_source(found, FORMATS[format])


def _reader(format: str, options: Mapping[str, Any]) -> Callable[..., NotedTable]:
    """Return the function that reads `format`, after checking the names of its options.

    Raises `UnknownNameError` for a format or option that does not exist.
    """
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    read: Callable[..., NotedTable] = import_module(FORMATS[format].module).read
    known = list(signature(read).parameters)[1:]
    for option in options:
        if option not in known:
            raise unknown_name(f"option of the format {format}", option, known or ["none"])
    return read


def _with_patients(
    found: NotedTable, patients: Path | str | None, columns: object
) -> NotedTable:
    from lentigo.datasets.reading.patient_table import with_asked_patients, with_patients

    given = columns if isinstance(columns, Mapping) else None
    if patients is not None:
        return with_patients(found, Path(patients), columns=given)
    return with_asked_patients(found, columns=given)


def _of_one_kind(found: NotedTable, modality: str, *, source: str) -> NotedTable:
    from lentigo.tables import MODALITIES

    if modality not in MODALITIES:
        raise unknown_name("modality", modality, MODALITIES)
    table = found.table
    kept = table[(table["modality"] == modality).fillna(False)].reset_index(drop=True)
    if kept.empty:
        raise DatasetError(f"{source} holds no image whose modality is {modality}.")
    left = len(table) - len(kept)
    said = f"{counted(left, 'image')} of another kind than {modality} left out."
    return found.holding(kept, *([said] if left else []))


def combine(tables: Sequence[pd.DataFrame | NotedTable]) -> pd.DataFrame:
    """Join several lesion tables; rows of an image that two archives share stay together.

    See `lentigo.datasets.combined.combine`, which also keeps the notes and sources of all.
    """
    from lentigo.datasets import combined

    return combined.combine(tables).table


def guess_format(root: Path | str) -> str:
    """Return the name of the format that the files in `root`, a folder or a zip, fit.

    A file that is a table is `csv`. Raises `DatasetNotFoundError` where `root` does not
    exist and `DatasetError` where no format fits.
    """
    from lentigo.datasets.reading import zipped
    from lentigo.table_files.door import split_sheet

    root = Path(root)
    if zipped.is_zip(root):
        with zipped.unpacked(root) as (folder, zips):
            try:
                return _guess(folder)
            except DatasetError as error:
                raise DatasetError(zips.real(str(error))) from error
    place = split_sheet(root)[0]
    if place.is_file():
        return "csv"
    if not root.is_dir():
        raise DatasetNotFoundError(f"{root} does not exist; give the folder of an archive.")
    return _guess(root)


def _guess(root: Path) -> str:
    for item in FORMATS.values():
        if any(next(root.glob(sign), None) for sign in item.signs):
            return item.name
    return _guess_by_content(root)


def _guess_by_content(root: Path) -> str:
    from lentigo.datasets.reading import zipped
    from lentigo.imaging.search import is_image
    from lentigo.table_files.door import is_visible_table

    _refuse_run(root)
    tables = [path for path in sorted(root.iterdir()) if is_visible_table(path)]
    headers = {path.name.lower(): _header(path) for path in tables}
    for name, table, columns in _TELLING:
        if columns <= headers.get(table, set()):
            return name
    if len(tables) == 1:
        return "csv"
    if not tables and any(path.is_dir() for path in root.iterdir()):
        return "folder"
    if not tables and any(root.glob("*.dcm")):
        return "dicom"
    if not tables and any(p.suffix.lower() == ".dcm" for p in zipped.files_below(root)):
        return "dicom"
    if not tables and (pictures := sum(is_image(each.name) for each in root.iterdir())):
        raise DatasetError(
            f"{root} holds {counted(pictures, 'image')} and no table, so no image has a "
            "label. Put a table beside them (CSV, Excel or ODS) with a column of image "
            "names and one that says which are melanomas, or sort them into folders "
            "named after classes (melanoma/, nevus/)."
        )
    raise DatasetError(
        f"{root} looks like none of the formats {', '.join(FORMATS)}: it holds "
        f"{len(tables)} tables at its top. Say which format it is, or give the path of "
        "one table."
    )


def _refuse_run(root: Path) -> None:
    """Raise `DatasetError` if `root` is a run folder, whose tables are mistaken easily."""
    run = RunLayout(root)
    if not run.config.is_file():
        return
    held = (run.predictions, run.table)
    if there := [str(path) for path in held if path.is_file()]:
        raise DatasetError(
            f"{root} is a run folder, not an archive or a table; give the path of the "
            f"table that you mean: {' or '.join(there)}."
        )


_TELLING: tuple[tuple[str, str, set[str]], ...] = (
    ("siim2020", "train.csv", {"image_name", "target", "patient_id"}),
    ("pad_ufes20", "metadata.csv", {"img_id", "diagnostic", "patient_id"}),
    ("isic_archive", "metadata.csv", {"isic_id", "attribution"}),
)
"""Format, name of a table, and columns in that table by which the format is recognised."""


def _header(path: Path) -> set[str]:
    from lentigo.table_files.door import read_header

    try:
        return {name.strip().lower() for name in read_header(path)}
    except DatasetError:
        return set()
