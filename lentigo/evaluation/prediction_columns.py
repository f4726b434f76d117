"""Find the column of a prediction table that holds the probability of melanoma."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

import pandas as pd

from lentigo.datasets.reading.column_names import key
from lentigo.datasets.reading.columns import (
    are_same,
    check_only_one,
    guess_columns,
    missing_column,
)
from lentigo.datasets.reading.labels import read_label
from lentigo.datasets.reading.word_map import understood
from lentigo.errors import ColumnError
from lentigo.tables import ROUNDING
from lentigo.visible import visible
from lentigo.words import listed, some

PROBABILITY_COLUMNS = (
    "probability",
    "prediction",
    "p_melanoma",
    "p_mel",
    "melanoma_probability",
    "probability_melanoma",
    "prob_melanoma",
    "prob_mel",
    "prob",
    "proba",
    "y_prob",
    "y_score",
    "pred",
    "y_pred",
    "melanoma",
    "mel",
    "score",
    "probability_of_melanoma", "prob_of_melanoma", "melanoma_prob", "mel_prob",
    "mel_probability", "probability_mel", "melanomwahrscheinlichkeit",
    "wahrscheinlichkeit_melanom", "wahrscheinlichkeit_für_melanom",
    "wahrscheinlichkeit_für_ein_melanom", "wahrscheinlichkeit_eines_melanoms",
    "probabilidad_de_melanoma", "probabilidad_melanoma", "probabilité_de_mélanome",
    "probabilité_mélanome", "probabilità_di_melanoma", "probabilità_melanoma",
    "probabilidade_de_melanoma", "probabilidade_melanoma", "黑色素瘤概率",
    "wahrscheinlichkeit", "probabilidad", "probabilité", "probabilità", "probabilidade",
    "概率", "target",
)  # fmt: skip
"""Known column names for the probability of melanoma, the most probable name first.

Case, accents, spaces, signs and a word for per cent do not matter. The first column that
holds probabilities, not only classes (0 and 1, or words), is taken. `target` comes last,
since in a table with another of these columns it is the label.
"""

_PER_CENT = re.compile(
    r"[%％]|\b((in|en|em)\s+)?(per\s?cent|pct|prozent|porcentaje|pourcentage|percentuale|"
    r"porcentagem|percentagem|por\s+ciento|pour\s?cent|per\s?cento|por\s+cento)\b|百分比",
    re.IGNORECASE,
)
"""What a column's name says where its numbers are per cent."""

_LABEL_BESIDE_OTHERS = "target"
"""The one of these names that is the label where there is another of them."""

_CALLS = ("prediction", "pred", "y_pred", "predicted", "predicted_class", "called")
"""Known column names for the class that a model predicts; they never hold the label."""


def image_and_score(
    table: pd.DataFrame, columns: Mapping[str, str], *, source: str
) -> tuple[str, str, list[str]]:
    """Return the names of the image id and probability columns, and sentences on guesses.

    `columns` names `image_id` and `probability` where they should not be guessed; `source`
    names the table in messages. A column that holds only predicted classes (0 and 1, or
    words) is passed over for one that holds probabilities.

    A column in per cent (`with_shares_of_per_cent`) is read as shares.

    Raises `ColumnError` when either column is not found, when several columns may be the
    probability, when another column of the same name differs, and when the probabilities
    contradict a column of predicted classes.
    """
    table, _ = with_shares_of_per_cent(table, columns.get("probability"))
    image = columns.get("image_id") or guess_columns(map(str, table)).get("image_id")
    given = columns.get("probability")
    if given is not None and given not in table:
        raise missing_column(given, map(str, table), source=source)
    named = [given] if given is not None else _named(table, PROBABILITY_COLUMNS, image)
    if image is None or not named:
        raise _not_found(table, image, source=source)
    if "image_id" not in columns:
        check_only_one(table, "image_id", image, source=source)
    if given is not None:
        return image, given, []
    score, notes = _likeliest(table, named, source=source)
    check_only_one(table, "probability", score, source=source)
    for calls in _named(table, _CALLS, image):
        if calls != score:
            _check_against_calls(table, score, calls, source=source)
    return image, score, notes


def with_shares_of_per_cent(
    table: pd.DataFrame, given: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Return `table` with probabilities in per cent divided by 100, and these columns.

    Such a column has a name for the probability of melanoma, or is `given`, its name says
    per cent, and it has a number above 1. Where all numbers are up to 1 they are shares:
    12.5 % in a cell is one as soon as the file is read.
    """
    wanted = {key(name) for name in PROBABILITY_COLUMNS}
    changed = {
        name: numbers / 100
        for name in table
        if says_per_cent(name) and (name == given or _bare(name) in wanted)
        for numbers in [_numbers(table[name])]
        if numbers.notna().sum() == table[name].notna().sum()
        and (numbers > 1 + ROUNDING).any()
    }
    return table.assign(**{str(name): share for name, share in changed.items()}), [
        str(name) for name in changed
    ]


def says_per_cent(name: object) -> bool:
    """Tell whether the name of a column says that its numbers are in per cent."""
    return _PER_CENT.search(str(name)) is not None


def _bare(name: object) -> str:
    """Return a column's name in the form for comparison, without a word for per cent."""
    return key(_PER_CENT.sub(" ", str(name)))


def with_names_once(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with columns of one name called as in a file: `score`, `score.1`.

    Of columns of one name that hold the same, only the first is kept.
    """
    if table.columns.is_unique:
        return table
    taken = set(table.columns)
    kept: dict[Any, pd.Series[Any]] = {}
    for place, name in enumerate(table.columns):
        column = table.iloc[:, place]
        further = (new for k in count(1) if (new := f"{name}.{k}") not in taken)
        own = next(
            new
            for new in chain([name], further)
            if new not in kept or are_same(column, kept[new])
        )
        kept.setdefault(own, column)
    return pd.DataFrame(kept, index=table.index)


def holds_calls_only(column: pd.Series[Any]) -> bool:
    """Tell whether all known values are words, whole numbers or booleans: classes."""
    known = column.dropna()
    numbers = pd.to_numeric(known, errors="coerce")
    return bool((numbers.isna() | (numbers % 1 == 0)).all())


def _likeliest(
    table: pd.DataFrame, named: list[str], *, source: str
) -> tuple[str, list[str]]:
    """Return the first of the columns `named` that holds probabilities, and notes.

    If all hold only called classes, the first is returned, with a note if these are 0 and
    1. Raises `ColumnError` when a column not in `named` may be the probability instead.
    """
    score = next((name for name in named if not holds_calls_only(table[name])), None)
    if score == named[0]:
        return score, _beside(table, score, named[1:], source=source)
    if score is not None:
        return score, [
            f"{source}: {named[0]} holds only called classes, so the probability of "
            f"melanoma is read from {score}; --column probability=… names another."
        ]
    others = _other_shares(table, named)
    if others:
        raise ColumnError(
            f"{source}: {named[0]} holds only called classes, and {some(others)} may be "
            "the probability of melanoma. Say which it is with --column "
            f"probability={others[0]} (or --column probability={named[0]} to judge the "
            "classes)."
        )
    numbers = pd.to_numeric(table[named[0]].dropna(), errors="coerce")
    if numbers.empty or not numbers.isin([0, 1]).all():
        return named[0], []  # `check_predictions` raises an error that shows the values
    return named[0], [
        f"{source}: {named[0]} holds only 0 and 1, which are called classes and no "
        "probabilities, so AUC and calibration are those of one cut."
    ]


def _beside(
    table: pd.DataFrame, score: str, others: list[str], *, source: str
) -> list[str]:
    """Return a sentence on columns that may be the probability as well as `score` may.

    None where `score` has the name that we give it, or where they hold the same numbers or
    the label.
    """
    own = _numbers(table[score])
    also = [
        name
        for name in others
        if name.strip().lower() != _LABEL_BESIDE_OTHERS
        and _is_share(table[name])
        and not _numbers(table[name]).equals(own)
    ]
    if not also or score.strip().lower() == PROBABILITY_COLUMNS[0]:
        return []
    return [
        f"{source}: the probability of melanoma is read from {score}, though {some(also)} "
        f"may be it, too; --column probability={also[0]} takes that one."
    ]


def _other_shares(table: pd.DataFrame, named: list[str]) -> list[str]:
    """Return further columns whose values vary, lie in 0–1 and are not only classes."""
    known = {*guess_columns(map(str, table)).values(), *named}
    return [
        str(name)
        for name in table
        if name not in known and _is_share(table[name]) and len(table[name].unique()) > 1
    ]


def _numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _is_share(column: pd.Series[Any]) -> bool:
    numbers = pd.to_numeric(column, errors="coerce")
    whole = column.notna().sum() == numbers.notna().sum()
    inside = numbers.dropna().between(-ROUNDING, 1 + ROUNDING).all()
    return bool(whole and inside) and not holds_calls_only(column)


def _check_against_calls(
    table: pd.DataFrame, score: str, calls: str, *, source: str
) -> None:
    """Raise `ColumnError` if `score` is the probability of the called class or of benign.

    `calls` is a column of predicted classes; if it is unreadable, nothing is checked.
    """
    try:
        with understood(unknown="missing"):
            called, _ = read_label(table[calls], source=source)
    except ColumnError:
        return
    number = pd.to_numeric(table[score], errors="coerce")
    as_melanoma = number[(called == True).fillna(False).to_numpy(bool)]  # noqa: E712
    as_other = number[(called == False).fillna(False).to_numpy(bool)]  # noqa: E712
    if as_melanoma.empty or as_other.empty:
        return
    if as_other.min() >= 0.5 or as_melanoma.mean() < as_other.mean():
        raise ColumnError(
            f"{source}: {score} cannot be the probability of melanoma, for it is "
            f"{as_other.mean():.2g} on average where {calls} says that it is none and "
            f"{as_melanoma.mean():.2g} where it says melanoma. Turn a probability of "
            "the called class into one of melanoma, or insist with --column "
            f"probability={score}."
        )


def _named(table: pd.DataFrame, names: tuple[str, ...], image: str | None) -> list[str]:
    """Return columns called by one of `names`, those spelled alike first; not `image`."""
    columns = [str(column) for column in table if str(column) != image]
    exact = [c for name in names for c in columns if c.strip().lower() == name]
    alike = [c for name in map(key, names) for c in columns if _bare(c) == name]
    order = {name: place for place, name in reversed(list(enumerate(map(key, names))))}
    found = dict.fromkeys([*exact, *alike])
    return sorted(found, key=lambda column: order[_bare(column)])


def _not_found(table: pd.DataFrame, image: str | None, *, source: str) -> ColumnError:
    ours, lacking = "image_id", "image ids (such as image_id or image_name)"
    if image is not None:
        ours = "probability"
        lacking = "the probability of melanoma (such as probability, prediction or MEL)"
    there = some(list(table), at_most=8) or "none at all"
    return ColumnError(
        f"{source} has no column with {lacking}. It has {there}; "
        f"say which one it is with --column {ours}=…."
    )


def own_calls(table: pd.DataFrame) -> list[str]:
    """Return a sentence on calls that lentigo wrote beside the probabilities, if any."""
    if not {"call", "operating_point"} <= set(table):
        return []
    names = table.loc[table["call"].notna(), "operating_point"].dropna().unique()
    own = [visible(str(name)) for name in names if str(name)]
    if not own:
        return []
    return [
        f"The predictions bring calls at a threshold of their model ({listed(own)}), which "
        "are not judged here: give --model to judge the model's thresholds."
    ]
