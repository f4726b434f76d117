"""Bring predictions and truth together, image by image, and say what did not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.columns import (
    choose_columns,
    guess_columns,
    image_names,
    missing_column,
    read_truth,
)
from lentigo.errors import ColumnError, DatasetError, counted, some, unknown_name
from lentigo.tables import check_predictions, read_any_table

Source = pd.DataFrame | Path | str

PROBABILITY_COLUMNS = (
    "probability",
    "prediction",
    "p_melanoma",
    "p_mel",
    "melanoma_probability",
    "prob",
    "pred",
    "melanoma",
    "mel",
    "score",
    "target",
)
"""What others call the probability of melanoma, likeliest first; case does not matter.

`target` comes last: beside any of the others it is the truth.
"""

OF_TRUTH = " (truth)"
"""Ending of the columns that come from the truth."""

LABEL = "melanoma" + OF_TRUTH


@dataclass(frozen=True)
class Matched:
    """Images with a probability and a label, sorted by `image_id`."""

    table: pd.DataFrame
    """Columns of the predictions (`image_id`, `probability`, …) and of the truth, these
    with `OF_TRUTH` at the end (`LABEL` is bool)."""
    notes: list[str]
    """What was guessed and what was left out, one sentence each."""


def match(
    predictions: Source, truth: Source, *, columns: Mapping[str, str] | None = None
) -> Matched:
    """Match predictions with labels by image id; folders and file endings do not matter.

    `columns` says which column is which where the guess would be wrong: `probability` of
    the predictions, `melanoma` of the truth, `image_id` of every table that has it.

    Raises:
        ColumnError: a needed column is not there, an image comes twice, or a probability
            lies outside 0–1.
        DatasetError: no image has both.
    """
    of_predictions, of_truth = _named(columns or {}, predictions, truth)
    guesses, notes = read_predictions(predictions, columns=of_predictions)
    labels, note = read_truth(truth, columns=of_truth)
    notes.append(note)
    renamed = labels.rename(
        columns={n: f"{n}{OF_TRUTH}" for n in labels if n != "image_id"}
    )
    merged = guesses.merge(renamed, on="image_id", how="inner", validate="one_to_one")
    notes += _unmatched(guesses, labels)
    merged, lacking = _complete(merged)
    notes += lacking
    if merged.empty:
        raise DatasetError(
            "There is nothing to judge: no image has a label and a probability. "
            + notes[-1]
        )
    typed = merged.astype({LABEL: bool, "probability": "float64"})
    if (typed["probability"] == typed[LABEL]).all() and _of_one_origin(
        predictions, truth, of_predictions, of_truth
    ):
        notes.append(
            "The probabilities are the labels themselves (0 or 1, equal for every "
            "image), so the scores say nothing of a model. Name another column with "
            "--column probability=…."
        )
    return Matched(typed.sort_values("image_id").reset_index(drop=True), notes)


def _complete(merged: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows with a label and a probability, and sentences on the others."""
    notes = []
    for column, what in ((LABEL, "label"), ("probability", "probability")):
        lacking = merged[column].isna()
        if lacking.any():
            lost = merged.loc[lacking, "image_id"].tolist()
            notes.append(
                f"{len(lost):,} of {counted(len(merged), 'image')} left out for want of a "
                f"{what}: {some(lost)}."
            )
        merged = merged[~lacking]
    return merged, notes


def _of_one_origin(
    predictions: Source,
    truth: Source,
    of_predictions: Mapping[str, str],
    of_truth: Mapping[str, str],
) -> bool:
    """Whether probability and label come from one file, or from columns of one name."""
    one, other = (
        source if isinstance(source, pd.DataFrame) else Path(source).resolve()
        for source in (predictions, truth)
    )
    if one is other or (isinstance(one, Path) and one == other):
        return True
    _, score = _image_and_score(_as_table(predictions), of_predictions, source="")
    chosen = choose_columns(_as_table(truth).columns, given=of_truth, source="")
    return score == chosen.get("melanoma")


def read_predictions(
    source: Source, *, columns: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """A prediction table from anybody's CSV, and what was guessed about its columns.

    `columns` names `image_id` and `probability` where they are called something else.
    Raises `ColumnError` for a missing column, a repeated image, or a value outside 0–1.
    """
    table = _as_table(source)
    name = "the prediction table" if isinstance(source, pd.DataFrame) else str(source)
    image, score = _image_and_score(table, columns or {}, source=name)
    notes = []
    if (image, score) != ("image_id", "probability"):
        notes.append(
            f"{name}: images are named by the column {image}, and the probability of "
            f"melanoma is read from {score}."
        )
    plain = table.assign(image_id=image_names(table[image]), probability=table[score])
    if plain["image_id"].isna().any():
        rows = (plain.index[plain["image_id"].isna()] + 2).tolist()
        raise ColumnError(f"{name} does not name the image in line {some(rows)}.")
    return check_predictions(plain, source=name), notes


def _as_table(source: Source) -> pd.DataFrame:
    return source if isinstance(source, pd.DataFrame) else read_any_table(Path(source))


def _named(
    columns: Mapping[str, str], predictions: Source, truth: Source
) -> tuple[dict[str, str], dict[str, str]]:
    """What `columns` says about the predictions, and about the truth."""
    for ours in columns:
        if ours not in {"image_id", "probability", "melanoma"}:
            raise unknown_name(
                "column to name", ours, ["image_id", "probability", "melanoma"]
            )
    of_predictions, of_truth = (
        {ours: columns[ours] for ours in asked if ours in columns}
        for asked in (("image_id", "probability"), ("image_id", "melanoma"))
    )
    if "image_id" in columns:
        # The tables seldom name their images alike: each one that has the column takes it.
        name, having = columns["image_id"], 0
        for mine, source in ((of_predictions, predictions), (of_truth, truth)):
            if name in _as_table(source):
                having += 1
            else:
                del mine["image_id"]
        if not having:
            raise ColumnError(f"Neither table has a column {name} to name the images by.")
    return of_predictions, of_truth


def _image_and_score(
    table: pd.DataFrame, columns: Mapping[str, str], *, source: str
) -> tuple[str, str]:
    given = columns.get("probability")
    if given is not None and given not in table:
        raise missing_column(given, map(str, table), source=source)
    image = columns.get("image_id") or guess_columns(map(str, table)).get("image_id")
    known = {str(column).strip().lower(): str(column) for column in reversed(list(table))}
    score = given or next(
        (known[n] for n in PROBABILITY_COLUMNS if known.get(n, image) != image), None
    )
    if image is not None and score is not None:
        return image, score
    ours, lacking = "image_id", "image ids (such as image_id or image_name)"
    if image is not None:
        ours = "probability"
        lacking = "the probability of melanoma (such as probability, prediction or MEL)"
    raise ColumnError(
        f"{source} has no column with {lacking}. It has {some(list(table), at_most=8)}; "
        f"say which one it is with --column {ours}=…."
    )


def grouped(matched: Matched, group: str | None) -> tuple[pd.Series[Any], str]:
    """The group of each image, complete, and a sentence on what a group is.

    `group` is a column of either table; without it `group_id` is taken where there is one,
    else every image stands alone.

    Raises:
        ColumnError: neither table has the column.
        DatasetError: some images have no group.
    """
    table = matched.table
    if group is None and (group := _usual_group(table)) is None:
        note = "No groups are given, so every image counts as independent"
        known = next((n for n in _MORE_GROUPS if _is_complete(table, n)), None)
        hint = (
            f"; {known.removesuffix(OF_TRUTH)} is there and may be given as group"
            if known
            else ""
        )
        return table["image_id"], f"{note}{hint}."
    column = next((n for n in (group, group + OF_TRUTH) if n in table), None)
    if column is None:
        names = sorted({str(name).removesuffix(OF_TRUTH) for name in table})
        near = get_close_matches(group, names, n=3) or names
        raise ColumnError(
            f"Neither table has a column {group} to group by; there is {some(near)}."
        )
    lacking = table.loc[table[column].isna(), "image_id"].tolist()
    if lacking:
        raise DatasetError(
            f"{counted(len(lacking), 'image')} without {group} cannot be resampled by it: "
            f"{some(lacking)}. Fill it in, or choose another column as the group."
        )
    where = "truth" if column.endswith(OF_TRUTH) else "predictions"
    plain = column.removesuffix(OF_TRUTH)
    note = f"Intervals come from resampling whole groups, by {plain} of the {where}."
    return table[column].astype("string"), note


_MORE_GROUPS = tuple(
    name + ending for name in ("patient_id", "lesion_id") for ending in ("", OF_TRUTH)
)


def _usual_group(table: pd.DataFrame) -> str | None:
    # A lesion table always has the column, though it may be empty.
    for name in ("group_id", "group_id" + OF_TRUTH):
        if name in table and table[name].notna().any():
            return name
    return None


def _is_complete(table: pd.DataFrame, name: str) -> bool:
    return name in table and bool(table[name].notna().all())


def _unmatched(guesses: pd.DataFrame, labels: pd.DataFrame) -> list[str]:
    # Sets, because `isin` of pandas takes four seconds for 400,000 texts.
    both = set(guesses["image_id"]) & set(labels["image_id"])
    if not both:
        raise DatasetError(
            "No image is in both tables: the predictions name "
            f"{some(guesses['image_id'].tolist(), at_most=2)}; the truth names "
            f"{some(labels['image_id'].tolist(), at_most=2)}. Give the truth of these "
            "images, or say which column names them with --column image_id=…."
        )
    notes = []
    for table, text in (
        (guesses, "predictions are left out, having no row in the truth"),
        (labels, "rows of the truth are left out, having no prediction"),
    ):
        lost = [name for name in table["image_id"] if name not in both]
        if lost:
            notes.append(f"{len(lost):,} of {len(table):,} {text}: {some(lost)}.")
    return notes
