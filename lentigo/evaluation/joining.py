"""Match predictions and truth by image, and report what could not be matched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from lentigo.answer_columns import ABSTAIN, YES
from lentigo.datasets.any_table import read_whole
from lentigo.datasets.reading.chosen import choose
from lentigo.datasets.reading.columns import choose_columns, image_names, read_truth
from lentigo.datasets.reading.own_words import described_by
from lentigo.datasets.reading.zipped import is_zip
from lentigo.errors import ColumnError, DatasetError, unknown_name
from lentigo.evaluation.lesions import LESION, is_by_lesion, one_row_a_lesion
from lentigo.evaluation.locking.locked import is_locked
from lentigo.evaluation.named_alike import named_alike
from lentigo.evaluation.nested_table import nested_table, outer_rows
from lentigo.evaluation.prediction_columns import (
    image_and_score,
    says_per_cent,
    with_names_once,
    with_shares_of_per_cent,
)
from lentigo.evaluation.repeated import by_repeat
from lentigo.evaluation.selective import chosen_by_outcome
from lentigo.evaluation.unmatched import unmatched_names
from lentigo.tables import NotedTable, check_predictions, read_any_table
from lentigo.words import counted, some

Source = pd.DataFrame | Path | str

OF_TRUTH = " (truth)"
"""Suffix of the columns that come from the truth table."""

LABEL = "melanoma" + OF_TRUTH


@dataclass(frozen=True)
class Matched:
    """Images with a probability and a label, sorted by `image_id`."""

    table: pd.DataFrame
    """Columns of the predictions (`image_id`, `probability`, …), and columns of the truth
    with the suffix `OF_TRUTH` (`LABEL` is bool)."""
    notes: list[str]
    """Sentences on guessed columns and on images left out."""
    named: int
    """Number of images in at least one of the two tables."""
    left_out: dict[str, int]
    """Reason → number of images left out for it."""
    melanomas_left_out: int = 0
    """Number of melanomas among the images that were left out, as far as the truth says."""
    about_left_out: tuple[str, ...] = ()
    """The `notes` that are about images left out."""
    repeats: tuple[pd.DataFrame, ...] = ()
    """For predictions of repeated cross-validation, the matched table of each repeat;
    `table` is the first. Empty otherwise."""
    nested: pd.DataFrame = field(default_factory=pd.DataFrame)
    """For predictions of nested cross-validation, all of them (`nested_table`); `table` has
    those of the outer folds. Empty otherwise."""
    unanswered: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Rows like those of `table`: labelled images that the model abstained on."""


_LABELS_THEMSELVES = (
    "The probabilities are the labels themselves (0 or 1, equal for every image), so the "
    "scores say nothing of a model. Name another column with --column probability=…."
)


def match(
    predictions: Source, truth: Source, *, columns: Mapping[str, str] | None = None
) -> Matched:
    """Match predictions with labels by image id, ignoring folders and file extensions.

    `columns` names columns that would be guessed wrongly: `probability` of the predictions,
    `melanoma` of the truth, `image_id` of every table that has it. Predictions of lesions,
    which name no image, are matched by lesion. Rows of the truth that --where excludes are
    left out with their predictions.

    Raises:
        ColumnError: a needed column is not there, an image comes twice, or a probability
            lies outside 0–1.
        DatasetError: no image has both a probability and a label.
        UnknownNameError: `columns` has another key.
    """
    given, true = _as_table(predictions), _as_table(truth)
    given, lesions = _by_image(given, columns or {})
    given, inner = outer_rows(given)
    given, *others = by_repeat(given)
    of_predictions, of_truth = _named(columns or {}, given, true)
    guesses, notes = read_predictions(
        given, columns=of_predictions, name=_called(predictions, "the prediction table")
    )
    labels, note = read_truth(true, columns=of_truth, name=_called(truth, "the truth"))
    if lesions:
        labels, told = one_row_a_lesion(labels, _called(truth, "the truth"))
        notes = [*notes, told]
    notes.append(note)
    if not isinstance(truth, pd.DataFrame):  # --where does not apply to a data frame
        guesses, labels, chosen = _chosen(guesses, labels, str(truth))
        notes += chosen
    found = _merged(guesses, labels, notes)
    found = _with_repeats(found, others, labels, of_predictions)
    found = _with_nested(found, inner, of_predictions)
    equal = bool((found.table["probability"] == found.table[LABEL]).all())
    if (
        equal
        and not lesions
        and _of_one_origin(predictions, truth, of_predictions, of_truth)
    ):
        return replace(found, notes=[*found.notes, _LABELS_THEMSELVES])
    return found


def check_readable(predictions: Source, columns: Mapping[str, str]) -> list[str]:
    """Raise the errors that `match` would raise of `predictions` and `columns` alone.

    Labels that are opened only once are opened after this. Returns the names of the
    columns of the predictions.
    """
    _check_keys(columns)
    given, _ = _by_image(_as_table(predictions), columns)
    given = by_repeat(outer_rows(given)[0])[0]
    known = {ours: columns[ours] for ours in ("image_id", "probability") if ours in columns}
    if known.get("image_id") not in given:
        known.pop("image_id", None)
    name = _called(predictions, "the prediction table")
    read_predictions(given, columns=known, name=name)
    return list(map(str, given))


def _by_image(given: pd.DataFrame, columns: Mapping[str, str]) -> tuple[pd.DataFrame, bool]:
    """Return the predictions with `image_id`, and whether that is the id of a lesion."""
    lesions = is_by_lesion(given) and "image_id" not in columns
    return given.rename(columns={LESION: "image_id"}) if lesions else given, lesions


def _with_repeats(
    first: Matched,
    others: list[pd.DataFrame],
    labels: pd.DataFrame,
    columns: Mapping[str, str],
) -> Matched:
    """Return `first` with the matched tables of all repeats, if there are `others`."""
    if not others:
        return first
    tables = [first.table]
    for number, each in enumerate(others, start=1):
        name = f"repeat {number} of the prediction table"
        guesses, _ = read_predictions(each, columns=columns, name=name)
        tables.append(_merged(guesses, labels, []).table)
    note = (
        f"The predictions are of {counted(len(tables), 'repeat')}, in which the groups "
        "were dealt anew; what is not said of the repeats is of the first."
    )
    return replace(first, notes=[*first.notes, note], repeats=tuple(tables))


def _with_nested(
    found: Matched, inner: pd.DataFrame, columns: Mapping[str, str]
) -> Matched:
    """Return `found` with all nested predictions, if there are rows of inner folds."""
    if inner.empty:
        return found

    def read(rows: pd.DataFrame, name: str) -> pd.DataFrame:
        return read_predictions(rows, columns=columns, name=name)[0]

    outers = found.repeats or (found.table,)
    note = (
        "The predictions are nested: the nested losses use all folds, and all other "
        "numbers use the outer folds alone, as an ordinary cross-validation does."
    )
    nested = nested_table(outers, inner, label=LABEL, read=read)
    return replace(found, notes=[*found.notes, note], nested=nested)


def _chosen(
    guesses: pd.DataFrame, labels: pd.DataFrame, name: str
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Return the predictions and labels of the rows chosen by --where, and notes on them.

    Predictions of images that are not in the truth are kept, to be counted later.
    """
    rows = choose(NotedTable(labels), source=name, asked=lambda: described_by(labels))
    others = set(labels["image_id"]) - set(rows.table["image_id"])
    return guesses[~guesses["image_id"].isin(others)], rows.table, rows.notes


def _merged(guesses: pd.DataFrame, labels: pd.DataFrame, notes: list[str]) -> Matched:
    """Join predictions and labels, with counts and notes on images that lack either.

    Raises `DatasetError` where no image has both a label and a probability.
    """
    guesses, labels, alike = named_alike(guesses, labels)
    renamed = labels.rename(
        columns={n: f"{n}{OF_TRUTH}" for n in labels if n != "image_id"}
    )
    merged = _joined(guesses, renamed)
    left_out, unmatched = unmatched_names(guesses, labels, both=len(merged))
    refused = _unanswered(merged)
    merged, lost, lacking = _complete(merged)
    chosen = chosen_by_outcome(labels["melanoma"], merged[LABEL])
    about = (*unmatched, *lacking, *chosen)
    notes = [*notes, *alike, *about]
    if merged.empty:
        raise DatasetError(
            "There is nothing to judge: no image has a label and a probability. "
            + notes[-1]
        )
    typed = merged.astype({LABEL: bool, "probability": "float64"})
    return Matched(
        typed.sort_values("image_id").reset_index(drop=True),
        notes,
        named=len(typed) + sum(left_out.values()) + sum(lost.values()),
        left_out=left_out | lost,
        melanomas_left_out=int(labels["melanoma"].eq(True).sum()) - int(typed[LABEL].sum()),
        about_left_out=about,
        unanswered=refused.astype({LABEL: bool, "probability": "float64"}),
    )


def _joined(guesses: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of both tables for the images that are in both, once in each.

    Tables with the same images in the same order, as most are, need no search.
    """
    others = labels.drop(columns="image_id")
    same = guesses["image_id"].array.equals(labels["image_id"].array)
    if same and not set(guesses) & set(others):
        return pd.concat(
            [guesses.reset_index(drop=True), others.reset_index(drop=True)], axis=1
        )
    return guesses.merge(labels, on="image_id", how="inner", validate="one_to_one")


def _unanswered(merged: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a label and no probability whose `abstain` is "yes"."""
    if ABSTAIN not in merged:
        return merged.head(0)
    refused = merged[ABSTAIN].astype("string").str.strip().str.lower() == YES
    lacking = merged["probability"].isna() & merged[LABEL].notna()
    return merged[lacking & refused.fillna(False).astype(bool)]


def _complete(
    merged: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, int], list[str]]:
    """Return the rows with label and probability, and counts and notes on all others."""
    notes = []
    counts = {}
    for column, what in ((LABEL, "label"), ("probability", "probability")):
        lacking = merged[column].isna()
        if lacking.any():
            lost = merged.loc[lacking, "image_id"].tolist()
            counts[f"without a {what}"] = len(lost)
            notes.append(
                f"{len(lost):,} of {counted(len(merged), 'image')} left out for want of a "
                f"{what}: {some(lost)}."
            )
        merged = merged[~lacking]
    return merged, counts, notes


def _of_one_origin(
    predictions: Source,
    truth: Source,
    of_predictions: Mapping[str, str],
    of_truth: Mapping[str, str],
) -> bool:
    """Tell whether both sources are one file, or probability and label have one name.

    `of_predictions` and `of_truth` map our names of columns to those of each table.
    """
    one, other = (
        source if isinstance(source, pd.DataFrame) else Path(source).resolve()
        for source in (predictions, truth)
    )
    if one is other or (isinstance(one, Path) and isinstance(other, Path) and one == other):
        return True
    named = _called(predictions, "the prediction table"), _called(truth, "the truth")
    _, score, _ = image_and_score(_as_table(predictions), of_predictions, source=named[0])
    chosen = choose_columns(_as_table(truth).columns, given=of_truth, source=named[1])
    return score == chosen.get("melanoma")


def read_predictions(
    source: Source, *, columns: Mapping[str, str] | None = None, name: str | None = None,
    may_be_empty: bool = False,
) -> tuple[pd.DataFrame, list[str]]:  # fmt: skip
    """Return a checked prediction table, and sentences on columns that were guessed.

    `columns` gives the names of `image_id` and `probability` in the table, where they
    differ; `name` is what the table is called in messages.

    Raises `ColumnError` for a missing column, a repeated image, or a value outside 0–1, and
    `DatasetError` for a table without rows, unless it `may_be_empty`.
    """
    table = _as_table(source)
    name = name or _called(source, "the prediction table")
    image, score, notes = image_and_score(table, columns or {}, source=name)
    if table.empty and not may_be_empty:
        raise DatasetError(f"{name} has no rows: there is nothing to judge.")
    if (image, score) != ("image_id", "probability"):
        notes.append(
            f"{name}: images are named by the column {image}, and the probability of "
            f"melanoma is read from {score}."
        )
    table, in_per_cent = with_shares_of_per_cent(table, (columns or {}).get("probability"))
    if score in in_per_cent:
        notes.append(f"{name}: {score} is in per cent, which was divided by 100.")
    elif says_per_cent(score):
        notes.append(
            f"{name}: {score} says per cent, but has no number above 1, so its numbers are "
            "taken as shares: 0.4 is 40 %. If they are per cent, divide them by 100."
        )
    plain = table.assign(image_id=image_names(table[image]), probability=table[score])
    if plain["image_id"].isna().any():
        rows = (plain.index[plain["image_id"].isna()] + 2).tolist()
        raise ColumnError(f"{name} does not name the image in line {some(rows)}.")
    return check_predictions(plain, source=name), notes


def _as_table(source: Source) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        # Image ids are often the index of a frame; in files they are read as a column, too.
        names = [name for name in source.index.names if name is not None]
        lacking = [name for name in names if name not in source]
        return with_names_once(source.reset_index(level=lacking))
    path = Path(source)
    if is_locked(path):
        raise DatasetError(
            f"{path} is a locked test set, which `lentigo evaluate --truth {path}` opens "
            "and nothing else; in Python, lentigo.evaluation.locking.open_labels."
        )
    archive = path.is_dir() or is_zip(path)
    return read_whole(path).table if archive else read_any_table(path)


def _called(source: Source, otherwise: str) -> str:
    return otherwise if isinstance(source, pd.DataFrame) else str(source)


def _check_keys(columns: Mapping[str, str]) -> None:
    known = ["image_id", "probability", "melanoma"]
    for ours in columns:
        if ours not in known:
            raise unknown_name("column to name", ours, known)


def _named(
    columns: Mapping[str, str], predictions: pd.DataFrame, truth: pd.DataFrame
) -> tuple[dict[str, str], dict[str, str]]:
    """Divide `columns` into the names for the predictions and those for the truth.

    Raises `UnknownNameError` for an unknown key, and `ColumnError` when neither table has
    the column for `image_id`.
    """
    _check_keys(columns)
    of_predictions, of_truth = (
        {ours: columns[ours] for ours in asked if ours in columns}
        for asked in (("image_id", "probability"), ("image_id", "melanoma"))
    )
    if "image_id" in columns:
        # Image columns often have different names: a table uses the name if it has it.
        name, having = columns["image_id"], 0
        for mine, table in ((of_predictions, predictions), (of_truth, truth)):
            if name in table:
                having += 1
            else:
                del mine["image_id"]
        if not having:
            raise ColumnError(f"Neither table has a column {name} to name the images by.")
    return of_predictions, of_truth
