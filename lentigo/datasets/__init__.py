"""Readers: an archive on disk becomes a lesion table, one row an image.

`FORMATS` is the registry. A reader is a module with a function `read(root, **options)`; it
is imported when it is used, so that listing the formats costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lentigo.datasets.registry import FORMATS, Format
from lentigo.errors import DatasetError, DatasetNotFoundError, unknown_name
from lentigo.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from lentigo.datasets.reading.word_map import MapSource

__all__ = ["FORMATS", "Format", "combine", "guess_format", "read_table"]


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
    """The lesion table of an archive on disk: one row an image, in one vocabulary.

    `format` is a name in `FORMATS` and `root` the archive's folder, or a zip that holds it
    (for `csv` the table, too). `modality` keeps the images of one kind, such as dermoscopy,
    from archives that hold several; those of other or unknown kinds are left out, and
    counted in the notes. `patients` is a table of patients, whose age, sex and skin type
    fill those of their images (`lentigo.datasets.reading.patient_table`).
    A word for a label that is not understood is refused, for a melanoma may be behind it.
    `map` says what such words mean: `{"Melanom": "melanoma"}`, `{"diagnosis": {…}}`,
    `"diagnosis:Melanom=melanoma,NZN=nevus"` or the path of a table of words;
    `unknown="missing"` goes on without these labels, and counts them.
    Further options are the reader's. Nothing is downloaded or decoded, and no row
    is dropped: an image whose file is missing stays, without a path. What was guessed,
    mapped or missing is told in sentences in `attrs["notes"]`, how many images are
    melanoma, are not, or have no label or file in `attrs["counts"]`; whom to cite, and on
    what terms the images may be used, in `attrs["sources"]` and the column `licence`.

    Raises `UnknownNameError` for a format or option that does not exist,
    `UnknownWordsError` for labels that are not understood, and `DatasetError` where the
    archive is not as its format says.
    """
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    read = import_module(FORMATS[format].module).read
    known = list(signature(read).parameters)[1:]
    for option in options:
        if option not in known:
            raise unknown_name(f"option of the format {format}", option, known or ["none"])
    from lentigo.datasets.counts import label_counts
    from lentigo.datasets.reading import zipped
    from lentigo.datasets.reading.sources import with_source
    from lentigo.datasets.reading.word_map import understood

    with understood(map, unknown=unknown):
        table = zipped.read_unpacked(read, Path(root), options)
    if modality is not None:
        table = _of_one_kind(table, modality, source=str(root))
    from lentigo.datasets.reading.patient_table import with_asked_patients, with_patients

    columns = options.get("columns")
    given = columns if isinstance(columns, Mapping) else None
    with understood(map, unknown=unknown):
        if patients is not None:
            table = with_patients(table, Path(patients), columns=given)
        else:
            table = with_asked_patients(table, columns=given)
    table.attrs["counts"] = label_counts(table)
    return with_source(table, FORMATS[format])


def _of_one_kind(table: pd.DataFrame, modality: str, *, source: str) -> pd.DataFrame:
    from lentigo.tables import MODALITIES

    if modality not in MODALITIES:
        raise unknown_name("modality", modality, MODALITIES)
    kept = table[(table["modality"] == modality).fillna(False)].reset_index(drop=True)
    if kept.empty:
        raise DatasetError(f"{source} holds no image whose modality is {modality}.")
    if left := len(table) - len(kept):
        images = counted(left, "image")
        notes = [
            *table.attrs["notes"],
            f"{images} of another kind than {modality} left out.",
        ]
        kept.attrs["notes"] = notes
    return kept


def combine(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One lesion table of several, in which an image that two archives share is one group.

    See `lentigo.datasets.combined.combine`.
    """
    from lentigo.datasets import combined

    return combined.combine(tables)


def guess_format(root: Path | str) -> str:
    """The name of the format that the files in `root`, a folder or a zip, look like.

    Raises `DatasetNotFoundError` where `root` does not exist and `DatasetError` where no
    format fits.
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
    from lentigo.table_files.door import is_visible_table

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
    raise DatasetError(
        f"{root} looks like none of the formats {', '.join(FORMATS)}: it holds "
        f"{len(tables)} tables at its top. Say which format it is, or give the path of "
        "one table."
    )


_TELLING: tuple[tuple[str, str, set[str]], ...] = (
    ("siim2020", "train.csv", {"image_name", "target", "patient_id"}),
    ("pad_ufes20", "metadata.csv", {"img_id", "diagnostic", "patient_id"}),
    ("isic_archive", "metadata.csv", {"isic_id", "attribution"}),
)
"""Format, table, and columns of it that give the archive away."""


def _header(path: Path) -> set[str]:
    from lentigo.table_files.door import read_header

    try:
        return {name.strip().lower() for name in read_header(path)}
    except DatasetError:
        return set()
