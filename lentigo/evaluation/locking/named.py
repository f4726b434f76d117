"""Check the columns that are named for a locked test set, before its labels are opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lentigo.datasets.reading.columns import missing_column
from lentigo.errors import ColumnError
from lentigo.evaluation.locking.locked import MOST_BYTES, state_of
from lentigo.files import unguarded
from lentigo.json_files import read_json_object
from lentigo.run_layout import LOCKED_IMAGES, LOCKED_LABELS
from lentigo.table_files.delimited import parse
from lentigo.tables import read_any_table

_LABEL = "melanoma"


def check_named(folder: Path, columns: Mapping[str, str], predicted: Iterable[str]) -> None:
    """Check the `columns` named for the locked test set in `folder`; its labels stay shut.

    `predicted` are the columns of the predictions. Of the labels only the names of their
    columns are read.

    Raises `ColumnError` where the column for `melanoma` is not there or is not that of the
    locked labels, or no open table has the column for `image_id`; and the errors of
    `state_of`.
    """
    if not {"image_id", _LABEL} & set(columns):
        return
    fixed = state_of(folder).protocol
    label, image = columns.get(_LABEL, _LABEL), columns.get("image_id")
    allowed = fixed is not None and f"{_LABEL}={label}" in (fixed.columns or ())
    if label != _LABEL:
        names = _label_columns(folder)
        if label not in names:
            raise missing_column(label, names, source=str(folder))
        if not allowed:
            raise ColumnError(
                f"The labels of {folder} were locked as the column {_LABEL}, and {label} "
                f"is another one; leave --column {_LABEL}={label} out."
            )
    seen = [*map(str, read_any_table(folder / LOCKED_IMAGES)), *map(str, predicted)]
    if image is not None and image not in seen:
        raise ColumnError(
            f"Neither the predictions nor {folder / LOCKED_IMAGES} have a column {image} "
            "to name the images by."
        )


def _label_columns(folder: Path) -> list[str]:
    path = folder / LOCKED_LABELS
    table = str(read_json_object(path, most=MOST_BYTES)["table"]).encode("utf-8")
    return list(map(str, unguarded(parse(table, path)[0])))
