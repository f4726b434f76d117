"""The columns of the lesion table and of the prediction table, and their checks.

Both are ordinary pandas frames. A missing value is `pd.NA` or NaN, never a number or word
with a special meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lentigo.errors import ColumnError, DatasetError, unknown_name
from lentigo.files import write_csv, written_beside
from lentigo.output import PREDICTIONS, check_file
from lentigo.table_files.cells import as_boolean, check_numbers
from lentigo.table_files.columnar import write_parquet
from lentigo.table_files.door import read_any_table as read_any_table
from lentigo.table_files.door import read_noted as read_noted
from lentigo.table_files.each_value import repeated_names
from lentigo.table_files.not_known import known_ids, plain
from lentigo.table_files.noted import NotedTable as NotedTable
from lentigo.table_files.noted import as_noted as as_noted
from lentigo.words import counted, listed, some, verb

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

SEXES = ("female", "male")

SITES = (
    "head/neck",
    "upper extremity",
    "lower extremity",
    "torso",
    "palms/soles",
    "oral/genital",
)
"""Anatomical sites as in SIIM-ISIC 2020; finer sites of other archives are mapped onto
these."""

SITE_DETAIL = "site_detail"
"""A further column of lesion tables read from archives whose sites are finer than `SITES`:
the archive's own word (`back`), which the baseline without images uses beside the site."""

MODALITIES = ("dermoscopy", "clinical", "confocal", "histology")

_LESION_COLUMNS: dict[str, tuple[str, dict[str, Any]]] = {
    "image_id": ("string", {"str_length": {"min_value": 1}}),
    "path": ("string", {}),
    "dataset": ("string", {}),
    "patient_id": ("string", {}),
    "lesion_id": ("string", {}),
    "group_id": ("string", {}),
    "sex": ("string", {"isin": {"allowed_values": SEXES}}),
    "age": ("float64", {"in_range": {"min_value": 0, "max_value": 120}}),
    "site": ("string", {"isin": {"allowed_values": SITES}}),
    "diagnosis": ("string", {}),
    "melanoma": ("boolean", {}),
    "malignant": ("boolean", {}),
    "modality": ("string", {"isin": {"allowed_values": MODALITIES}}),
    "skin_type": ("Int64", {"in_range": {"min_value": 1, "max_value": 6}}),
    "width": ("Int64", {"ge": {"min_value": 1}}),
    "height": ("Int64", {"ge": {"min_value": 1}}),
    "sha256": ("string", {"str_matches": {"pattern": "^[0-9a-f]{64}$"}}),
    "fold": ("Int64", {"ge": {"min_value": 0}}),
}
"""The data type of each column, and the pandera checks of its values."""

LESION_COLUMNS = tuple(_LESION_COLUMNS)

DIAGNOSIS_COLUMNS = "probability_"
"""The beginning of the names of those columns of a prediction table that hold the
probability of a diagnosis; see `diagnosis_column`."""

WITHOUT_METADATA = "_without_metadata"
"""End of the names of two columns of a prediction table, `logit_without_metadata` and
`raw_logit_without_metadata`: logits of a network to which no age, sex or site is given."""

WITHOUT_CONTEXT = "_without_context"
"""End of the name of a column of a prediction table, `logit_without_context`: the logit
without what the same patient's other lesions add to it."""

_IDS = ("patient_id", "lesion_id", "group_id")
_WORDS = ("sex", "site", "modality")

_OF_ARCHIVES = frozenset(
    {"attribution", "biopsed", "copyright_license", "diagnosis_confirm_type", "diameter_1",
     "diameter_2", "dx_type", "histology", "management", "seven_point_score", "skin_tone",
     "skin_tone_class", "nine_partition_label", "three_partition_label", "qc", "url",
     "asymmetry", "pigment_network", "dots_globules", "streaks", "regression_areas",
     "blue_whitish_veil", "colors", "true_probability"}
)  # fmt: skip
"""Further columns that the readers of public archives keep."""

_OF_LENTIGO = frozenset(
    {"duplicate_of", "isic_id", "licence", "mask_path", "own_id", "part", "role", "side",
     "table", "age_filled", "sex_filled", "site_filled", "age_missing", "sex_missing",
     "site_missing", "age_normalised", SITE_DETAIL}
)  # fmt: skip

ARCHIVE_COLUMNS = frozenset({*LESION_COLUMNS, *_OF_ARCHIVES, *_OF_LENTIGO})
"""All columns that a table may have once it was read, besides those of its user."""


def diagnosis_column(diagnosis: str) -> str:
    """Return the name of the prediction table's column with the probability of `diagnosis`.

    Spaces of the diagnosis become underscores: `probability_basal_cell_carcinoma`.
    """
    return DIAGNOSIS_COLUMNS + diagnosis.replace(" ", "_")


@cache
def _schema(names: tuple[str, ...]) -> DataFrameSchema:
    # Imported only when a table is checked: it takes a quarter of a second, which the
    # prediction of an image, or the writing of a table, need not spend.
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {
            name: pa.Column(
                dtype,
                [getattr(pa.Check, check)(**bounds) for check, bounds in checks.items()],
                nullable=name != "image_id",
                unique=name == "image_id",
            )
            for name in names
            for dtype, checks in [_LESION_COLUMNS[name]]
        }
    )


def _to_check(typed: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with a rule and a value: pandera takes a millisecond for each."""
    ruled = [name for name, (_, checks) in _LESION_COLUMNS.items() if checks]
    return typed[["image_id", *(name for name in ruled[1:] if typed[name].notna().any())]]


def check_table(
    table: pd.DataFrame, *, source: str, of_others: bool = False
) -> pd.DataFrame:
    """Return `table` as a lesion table: one row per image, with all `LESION_COLUMNS`.

    Absent columns are added, with missing values; further columns stay. Ids of patients,
    lesions and groups are read in the same way in every table: a word such as "unknown" is
    missing, and 7.0 is 7. `source` names the table in errors; with `of_others` the errors
    do not advise `lentigo read csv`.

    Raises:
        DatasetError: the table has no row.
        ColumnError: there is no column `image_id`, an `image_id` is missing or repeated, or
            a value has the wrong type or is out of range.
    """
    if len(table) == 0:
        raise DatasetError(f"{source} has no rows: there is not one row to read.")
    if "image_id" not in table:
        raise ColumnError(
            f"{source} has no column image_id. It has {some(list(table), at_most=8)}. "
            "Other tables than lentigo's own are read by 'lentigo read csv'."
        )
    typed = _typed(table.reset_index(drop=True), source)
    from pandera.errors import SchemaErrors

    checked = _to_check(typed)
    try:
        _schema(tuple(checked)).validate(checked, lazy=True)
    except SchemaErrors as error:
        advice = "" if of_others else _ADVICE
        raise ColumnError(_explain(error.failure_cases, source) + advice) from None
    return typed


def _typed(given: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return all columns of a lesion table in their types, then the further ones."""
    nothing = {
        dtype: pd.Series(
            float("nan") if dtype == "float64" else pd.NA, index=given.index, dtype=dtype
        )
        for dtype in ("string", "boolean", "Int64", "float64")
    }
    known = {
        name: _as_type(_known(given[name], name), dtype, name=name, source=source)
        if name in given
        else nothing[dtype]
        for name, (dtype, _) in _LESION_COLUMNS.items()
    }
    further = given.drop(columns=[name for name in known if name in given])
    return pd.concat([pd.DataFrame(known), further], axis=1)


def read_table_file(path: Path) -> pd.DataFrame:
    """Read a lesion table from a Parquet (or CSV) file that lentigo wrote."""
    return read_noted_file(path).table


def read_noted_file(path: Path) -> NotedTable:
    """Read a lesion table that lentigo wrote, with the notes stored in its file."""
    noted = read_noted(path)
    return noted.holding(check_table(noted.table, source=str(path)))


def write_table(
    table: pd.DataFrame | NotedTable, path: Path, *, new: bool = False, same: bool = False
) -> None:
    """Write a table to `path` (`.csv`, `.parquet` or `.jsonl`) by way of a temporary file.

    A Parquet file holds the notes on the table, too; a JSON Lines file has one object per
    row.

    `new` and `same` are as for `files.written_beside`. Raises `ConfigError` for another
    ending, and `RunError` where `path` cannot be written or is there.
    """
    check_file(path, PREDICTIONS)
    noted = as_noted(table)
    if path.suffix.lower() == ".csv":
        write_csv(noted.table, path, new=new, same=same)
        return
    with written_beside(path, new=new, same=same) as temporary:
        if path.suffix.lower() == ".jsonl":
            noted.table.to_json(
                temporary, orient="records", lines=True, double_precision=15
            )
        else:
            write_parquet(noted, temporary)


def without_others(
    table: pd.DataFrame, *, keep: Sequence[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Return `table` with only the columns that lentigo knows, and the names of the others.

    A table of a clinic may hold names, birth dates and record numbers, which must not be in
    a file that is passed on. `keep` names further columns to keep.

    Raises `UnknownNameError` where a column in `keep` does not exist.
    """
    for name in keep:
        if name not in table:
            raise unknown_name("column to keep", name, map(str, table))
    known = {*ARCHIVE_COLUMNS, *keep}
    others = [str(name) for name in table if name not in known]
    return table[[name for name in table if name in known]], others


ROUNDING = 1.001e-6
"""How far a probability may lie outside of 0 to 1: in 32 bits, 1 may become 1.0000001."""


def _one_row_each(table: pd.DataFrame) -> str:
    """Return what to do where a prediction table names images twice, by its columns."""
    folds = [name for name in table if "fold" in str(name).lower()]
    if not folds and "repeat" not in table:
        return "Keep one row each; give several models a file each."
    missing = [name for name in ("outer_fold", "inner_fold") if name not in table]
    if not missing:
        return "Keep one row each within a fold."
    return (
        "Of a nested cross-validation, name the folds in the columns outer_fold and "
        f"inner_fold ({listed(missing)} {verb(len(missing), 'is', 'are')} missing); of a "
        "repeated one, the repeat in a column repeat. Else keep one row each."
    )


def check_predictions(table: pd.DataFrame, *, source: str) -> pd.DataFrame:
    """Return `table` as a prediction table: `image_id`, `probability`, one row per image.

    A probability may be missing (NaN), and a column `reason` then says why; in a row with a
    probability, `reason` says why that is doubtful. A probability outside of 0 to 1 by no
    more than `ROUNDING` becomes 0 or 1.

    Raises `ColumnError` for a missing column, an image named twice, or a probability that
    is no number or lies outside of 0 to 1.
    """
    for name in ("image_id", "probability"):
        if name not in table:
            raise ColumnError(
                f"{source} has no column {name}. It has {some(list(table), at_most=8)}."
            )
    checked = table.reset_index(drop=True).copy()
    checked["image_id"] = checked["image_id"].astype("string")
    checked["probability"] = check_numbers(
        checked["probability"], name="probability", source=source
    )
    if twice := repeated_names(checked["image_id"]):
        raise ColumnError(
            f"{source} names some images twice: {some(twice)}. {_one_row_each(checked)}"
        )
    given = checked["probability"]
    outside = ~given.between(-ROUNDING, 1 + ROUNDING) & given.notna()
    if count := int(outside.sum()):
        values = given[outside].unique().tolist()
        raise ColumnError(
            f"{source}: a probability lies between 0 and 1, but {count:,} "
            f"{verb(count, 'does', 'do')} not ({some(values)}). Logits must be turned into "
            "probabilities first, and per cent divided by 100."
        )
    return checked.assign(probability=given.clip(0, 1))


def _known(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Return `column` with words such as "unknown" replaced by missing values."""
    if name in _IDS:
        return known_ids(column)
    return column.mask(plain(column).isna()) if name in _WORDS else column


def _as_type(
    column: pd.Series[Any], dtype: str, *, name: str, source: str
) -> pd.Series[Any]:
    if dtype in {"float64", "Int64"}:
        numbers = check_numbers(column, name=name, source=source)
        if (
            dtype == "Int64"
            and (wrong := numbers.dropna()[~is_whole(numbers.dropna())]).size
        ):
            raise ColumnError(
                f"{source}: {name} holds whole numbers only, not {some(wrong.tolist())}."
            )
        return numbers.astype(dtype)  # type: ignore[call-overload, no-any-return]
    try:
        return as_boolean(column) if dtype == "boolean" else column.astype(dtype)  # type: ignore[call-overload]
    except (ValueError, TypeError):
        values = column.dropna().unique().tolist()
        raise ColumnError(
            f"{source}: {name} should be yes or no (true/false, 1/0), not {some(values)}."
        ) from None


def is_whole(numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Tell for each number whether it is whole and below 2**53, so exact as a float."""
    return (numbers % 1 == 0) & (numbers.abs() < 2**53)


def _explain(failures: pd.DataFrame, source: str) -> str:
    sentences = []
    for (column, check), rows in failures.groupby(["column", "check"], sort=False):
        values = rows["failure_case"].drop_duplicates().tolist()
        rule = _RULES.get(str(column), f"fails {check}")
        if str(check) == "field_uniqueness":
            rule = "names each image once"
        elif str(check) == "not_nullable":
            lines = [int(row) + 2 for row in rows["index"]]
            sentences.append(f"{column} is missing in line {some(lines)}")
            continue
        count = f"{counted(len(rows), 'row')} {verb(len(rows), 'does', 'do')}"
        sentences.append(f"{column} {rule}, but {count} not: {some(values)}")
    return f"{source}: " + "; ".join(sentences) + "."


_ADVICE = (
    " Other tables than lentigo's own are read by 'lentigo read csv', which knows more "
    "words."
)


_RULES: Mapping[str, str] = {
    "image_id": "is a name of at least one letter",
    "sex": f"is one of {', '.join(SEXES)} or missing",
    "age": "lies between 0 and 120 years",
    "site": f"is one of {', '.join(SITES)} or missing",
    "modality": f"is one of {', '.join(MODALITIES)} or missing",
    "skin_type": "is a Fitzpatrick type from 1 to 6",
    "width": "is at least 1 pixel",
    "height": "is at least 1 pixel",
    "sha256": "is 64 hexadecimal digits",
    "fold": "is a number from 0",
}
