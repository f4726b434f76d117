"""Reading of cells: numbers as people write them, ids, and words that mean "no value"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from lentigo.errors import ColumnError
from lentigo.words import some

NOTHING = frozenset(
    {"#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
     "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", ""}
)  # fmt: skip
"""Words that programs write in a cell without a value."""

IMAGE_COLUMNS = frozenset(
    {"imageid", "imagename", "image", "isicid", "imgid", "img", "filename", "file",
     "imagepath", "filepath", "path", "name", "id", "duplicateof", "ownid", "a", "b",
     "reason", "bild", "bildid", "bildname", "dateiname", "datei", "imagen", "imagem",
     "immagine", "archivo", "fichier", "arquivo", "图像", "图片", "文件名", "imagefile",
     "imageno", "imagenr", "imagenumber", "bildnr", "bildnummer", "bilddatei", "foto",
     "photo", "nomefile", "nomedelfile", "nombrearchivo", "nombredearchivo", "nombreimagen",
     "nomfichier", "nomdufichier", "ficheiro", "nomedoficheiro", "nomearquivo",
     "nomedoarquivo", "图像文件", "图片名称", "图像编号"}
)  # fmt: skip
"""Columns in which a word such as NA may be the name of an image, so that it is kept."""

_OTHER_IDS = frozenset(
    {"patient", "subject", "lesion", "case", "mrn", "sha256", "patientennummer", "paciente",
     "paziente", "fallnummer", "lasion", "lesione", "lesao", "患者编号", "病人编号", "患者",
     "病灶编号", "patientno", "patientnr", "patientnumber", "patientnum", "patientcode",
     "patientennr", "patientenkennung", "patnr", "patno", "patnummer", "npatient",
     "idpatient", "numeropatient", "numerodepatient", "npaciente", "idpaciente",
     "numeropaciente", "numerodepaciente", "npaziente", "idpaziente", "codicepaziente",
     "numeropaziente", "proband", "病人"}
)  # fmt: skip

_REMARK = re.compile(r"(?<=\S)\s*[(\[\uff08].*")
"""A remark behind the name of a column: `Patient (intern)`."""
_NUMBER = (
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|Inf|INF|infinity|Infinity)"
)
_WHOLE = r"-?(?:0|[1-9]\d{0,17})"
_LIKE_AN_ID = r"[+-]?0\d.*|\+.*|[+-]?\d+[eE]\+?\d+|-?\d{19,}"
"""Text that would change as a number: 007, +7, 1e7, and more digits than a number holds."""

_DECIMAL_COMMA = r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+"
_COMMA_THOUSANDS = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"
_PER_CENT = re.compile(
    rf"((?:{_DECIMAL_COMMA})|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{{1,2}})?)\s*[%\uff05\u066a]"
)
_GAPS = re.compile(r"(?<=\d)[ '\u2019](?=\d{3}(?!\d))")
_YES_NO = {"True": True, "False": False, "TRUE": True, "FALSE": False, "true": True,
           "false": False}  # fmt: skip


_NAMED: ContextVar[frozenset[str]] = ContextVar(
    "columns that hold ids", default=frozenset()
)
_OURS = ("image_id", "patient_id", "lesion_id")
_P = ParamSpec("_P")
_R = TypeVar("_R")


@contextmanager
def as_ids(*names: object) -> Iterator[None]:
    """Keep the columns called `names` as text in tables read in the `with` block.

    For columns that the user names as those of ids, whatever they are called: as numbers,
    the patients 1.1 and 1.10 would be one. A name that is None is none.
    """
    given = frozenset(str(name).strip() for name in names if name is not None)
    token = _NAMED.set(_NAMED.get() | given)
    try:
        yield
    finally:
        _NAMED.reset(token)


def ids_as_text(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Wrap `function` so that its keywords `group` and `columns` name ids (`as_ids`)."""

    @wraps(function)
    def kept(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        columns = kwargs.get("columns")
        theirs = columns if isinstance(columns, Mapping) else {}
        with as_ids(kwargs.get("group"), *map(theirs.get, _OURS)):
            return function(*args, **kwargs)

    return kept


def is_id(name: object) -> bool:
    """Tell whether a column with this name holds names or ids, and so must stay text."""
    if str(name).strip() in _NAMED.get():
        return True
    key = _key(_REMARK.sub("", str(name)))
    return key in IMAGE_COLUMNS or key in _OTHER_IDS or key.endswith("id")


def without_nothing(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table`, all text, with words that mean "no value" replaced by missing values.

    Columns that may name images are unchanged: an image may be called `NA`.
    """
    found = {
        name: column if _key(name) in IMAGE_COLUMNS else column.mask(column.isin(NOTHING))
        for name, column in table.items()
    }
    return pd.DataFrame(found, index=table.index, columns=table.columns)


def with_points(table: pd.DataFrame, *, separator: str) -> tuple[pd.DataFrame, list[str]]:
    """Return `table`, all text, with decimal points for commas in columns of numbers.

    Also returns the names of the changed columns. Columns of ids are unchanged. In a file
    separated by commas, a column is changed only if one of its numbers cannot be English
    thousands.
    """
    changed = {}
    for name in table:
        column = table[name]
        if is_id(name) or not column.str.contains(",", regex=False).any():
            continue
        words = column.str.strip()
        there = words.notna() & ~words.isin(NOTHING)
        commas = _matches(words, _DECIMAL_COMMA)
        if not (there & ~commas & ~_matches(words, _NUMBER)).any() and (
            separator != "," or _proves_decimal(words[commas])
        ):
            pointed = words.str.replace(".", "", regex=False)
            pointed = pointed.str.replace(",", ".", regex=False)
            changed[name] = words.where(~commas, pointed)
    names = [str(name) for name in changed]
    return (table.assign(**{str(n): c for n, c in changed.items()}), names)


def with_shares(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return `table`, all text, with 0.125 for "12.5 %" where a whole column is per cent.

    Also returns the names of the changed columns. A column in which only some cells have
    the sign % is unchanged, because the others are ambiguous.
    """
    changed = {}
    for name in table:
        words = table[name].str.strip()
        known = words[words.notna() & ~words.isin(NOTHING)]
        if known.empty or not _PER_CENT.fullmatch(str(known.iloc[0])) or is_id(name):
            continue
        numbers = [_PER_CENT.fullmatch(word) for word in known]
        if all(numbers):
            shares = [_share(found[1]) for found in numbers if found]
            column = pd.Series(shares, index=known.index, dtype=words.dtype)
            changed[name] = column.reindex(words.index)
    names = [str(name) for name in changed]
    return (table.assign(**{str(n): c for n, c in changed.items()}), names)


def _share(text: str) -> str:
    """Return a number of per cent as a share, exactly: "12,5" as "0.125"."""
    point = text.replace(".", "").replace(",", ".") if "," in text else text
    return format(Decimal(point).scaleb(-2), "f")


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table`, all text, with numbers, or yes and no, where a column has only them.

    Columns of ids stay text, and so does one with a cell that a number would change (007,
    +7).
    """
    columns = {name: _typed(table[name], keep=is_id(name)) for name in table}
    return pd.DataFrame(columns, index=table.index, columns=table.columns)


def _typed(column: pd.Series[Any], *, keep: bool) -> pd.Series[Any]:
    if keep:
        return column
    known = column.dropna()
    if known.empty:
        return column.astype("float64")
    first = str(known.iloc[0])
    if first in _YES_NO and known.isin(_YES_NO).all():
        answer = column.map(_YES_NO)
        return answer.astype("boolean" if len(known) < len(column) else "bool")
    if not re.fullmatch(_NUMBER, first.strip()):
        return column.astype("str")
    words = known.str.strip()
    if not _matches(words, _NUMBER).all() or _matches(words, _LIKE_AN_ID).any():
        return column.astype("str")
    if len(known) == len(column) and _matches(words, _WHOLE).all():
        return words.astype("int64")
    return pd.Series(_exact(words), index=known.index).reindex(column.index)


def _exact(words: pd.Series[Any]) -> Any:
    """Return the nearest float to each text.

    The parser of pandas is inexact in the last digit.
    """
    return np.array([float(word) for word in words.tolist()], dtype="float64")


def to_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as floats: 45.5, 45,5, 1.234,5, 1,234.5, 1 234 and −7 are read.

    Other text becomes NaN. A comma is a decimal comma, unless all commas of the column fit
    English thousands (1,234).
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("float64")
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    left = (numbers.isna() & column.notna()).to_numpy(dtype=bool)
    if not left.any():
        return numbers
    words = column[left].astype("string").map(_plain).astype("string")
    commas = words[_matches(words, r".*,.*")]
    english = not _proves_decimal(commas) and bool(_matches(commas, _COMMA_THOUSANDS).all())
    values = numbers.to_numpy(copy=True)
    values[left] = [_number(word, english=english) for word in words]
    return pd.Series(values, index=column.index, name=column.name)


def as_boolean(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return 0 and 1, or false and true, as nullable booleans; missing stays missing.

    Raises `ValueError` or `TypeError` for any other value. pandas raises none for the types
    Int64 and Float64, for which 9, 2, -1 and 0.2 would be true.
    """
    if (
        pd.api.types.is_numeric_dtype(column.dtype)
        and not column.dropna().isin([0, 1]).all()
    ):
        raise ValueError("Need to pass 0 and 1 only.")
    return column.astype("boolean")


def _plain(text: str) -> str:
    """Return `text` with ordinary digits and minus, and no gaps between thousands."""
    plain = unicodedata.normalize("NFKC", str(text)).replace("\u2212", "-").strip()
    return _GAPS.sub("", plain)


def _number(text: str, *, english: bool) -> float:
    if english and re.fullmatch(_COMMA_THOUSANDS, text):
        text = text.replace(",", "")
    elif re.fullmatch(_DECIMAL_COMMA, text):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(_COMMA_THOUSANDS, text) and text.count(",") > 1:
        text = text.replace(",", "")
    return float(text) if re.fullmatch(_NUMBER, text) else float("nan")


def _proves_decimal(words: pd.Series[Any]) -> bool:
    """Tell whether a number with a comma occurs that cannot be English thousands (1,5)."""
    commas = _matches(words, _DECIMAL_COMMA)
    return bool((commas & ~_matches(words, _COMMA_THOUSANDS)).any())


def _matches(words: pd.Series[Any], pattern: str) -> pd.Series[Any]:
    return words.astype("string").str.fullmatch(pattern).fillna(False).astype(bool)


def _key(name: object) -> str:
    """Return a name in lower-case letters without accents, and digits."""
    apart = unicodedata.normalize("NFKD", str(name).casefold())
    return re.sub(r"[\W_]", "", "".join(c for c in apart if not unicodedata.combining(c)))


def check_numbers(column: pd.Series[Any], *, name: str, source: str) -> pd.Series[Any]:
    """Return the numbers in `column`, NaN where there is none, as `to_numbers` does.

    `name` and `source` name column and table. Raises `ColumnError` for another cell.
    """
    numbers = to_numbers(column)
    bad = column[numbers.isna() & column.notna()].unique().tolist()
    if bad:
        raise ColumnError(
            f"{source}: {name} should be a number, but holds {some(bad)}. {_advice(bad)}"
        )
    return numbers


def _advice(bad: list[Any]) -> str:
    """Return what to do about cells that are no numbers: `bad` are their values."""
    if any(str(value).strip()[-1:] in {"%", "\u2030"} for value in bad):
        return (
            "Per cent are understood where every cell of the column has the sign %; "
            "write all so, or all as shares from 0 to 1."
        )
    return "Write a number there, or leave the cell empty where it is not known."
