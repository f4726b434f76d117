"""Bring predictions and truth together, image by image, and say what did not fit."""

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
from lentigo.evaluation.prediction_columns import image_and_score
from lentigo.evaluation.repeated import by_repeat
from lentigo.tables import NotedTable, check_predictions, read_any_table
from lentigo.words import counted, some

Source = pd.DataFrame | Path | str

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
    named: int
    """Images that either table names."""
    left_out: dict[str, int]
    """How many of them could not be judged, by the reason."""
    about_left_out: tuple[str, ...] = ()
    """Those of the notes that tell of them."""
    repeats: tuple[pd.DataFrame, ...] = ()
    """Where the predictions are of several repeats: `table` of each; it is the first."""
    unanswered: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Rows like those of `table` of images with a label that a model did not answer."""


_LABELS_THEMSELVES = (
    "The probabilities are the labels themselves (0 or 1, equal for every image), so the "
    "scores say nothing of a model. Name another column with --column probability=…."
)


def match(
    predictions: Source, truth: Source, *, columns: Mapping[str, str] | None = None
) -> Matched:
    """Match predictions with labels by image id; folders and file endings do not matter.

    `columns` says which column is which where the guess would be wrong: `probability` of
    the predictions, `melanoma` of the truth, `image_id` of every table that has it.
    Predictions of lesions, which name no image, are matched by lesion. Rows
    of the truth that --where does not choose are left out with their predictions.

    Raises:
        ColumnError: a needed column is not there, an image comes twice, or a probability
            lies outside 0–1.
        DatasetError: no image has both.
    """
    given, true = _as_table(predictions), _as_table(truth)
    lesions = is_by_lesion(given) and "image_id" not in (columns or {})
    if lesions:
        given = given.rename(columns={LESION: "image_id"})
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
    if not isinstance(truth, pd.DataFrame):  # of a frame, whoever made it chose the rows
        guesses, labels, chosen = _chosen(guesses, labels, str(truth))
        notes += chosen
    found = _merged(guesses, labels, notes)
    found = _with_repeats(found, others, labels, of_predictions)
    one_origin = not lesions and _of_one_origin(
        predictions, truth, of_predictions, of_truth
    )
    if one_origin and (found.table["probability"] == found.table[LABEL]).all():
        return replace(found, notes=[*found.notes, _LABELS_THEMSELVES])
    return found


def _with_repeats(
    first: Matched,
    others: list[pd.DataFrame],
    labels: pd.DataFrame,
    columns: Mapping[str, str],
) -> Matched:
    """The first repeat of predictions, and beside it all of them with their labels."""
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


def _chosen(
    guesses: pd.DataFrame, labels: pd.DataFrame, name: str
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """The predictions and labels of the rows that were asked for, and how many these are.

    Predictions of images that the truth does not have stay, to be counted.
    """
    rows = choose(NotedTable(labels), source=name, asked=lambda: described_by(labels))
    others = set(labels["image_id"]) - set(rows.table["image_id"])
    return guesses[~guesses["image_id"].isin(others)], rows.table, rows.notes


def _merged(guesses: pd.DataFrame, labels: pd.DataFrame, notes: list[str]) -> Matched:
    """Join predictions and labels; count and tell what has only one of them."""
    renamed = labels.rename(
        columns={n: f"{n}{OF_TRUTH}" for n in labels if n != "image_id"}
    )
    merged = guesses.merge(renamed, on="image_id", how="inner", validate="one_to_one")
    left_out, unmatched = _unmatched(guesses, labels)
    refused = _unanswered(merged)
    merged, lost, lacking = _complete(merged)
    notes = [*notes, *unmatched, *lacking]
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
        about_left_out=(*unmatched, *lacking),
        unanswered=refused.astype({LABEL: bool, "probability": "float64"}),
    )


def _unanswered(merged: pd.DataFrame) -> pd.DataFrame:
    """The rows with a label that the model itself refused, and gave no probability."""
    if ABSTAIN not in merged:
        return merged.head(0)
    refused = merged[ABSTAIN].astype("string").str.strip().str.lower() == YES
    lacking = merged["probability"].isna() & merged[LABEL].notna()
    return merged[lacking & refused.fillna(False).astype(bool)]


def _complete(
    merged: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, int], list[str]]:
    """The rows with a label and a probability; counts of the others, and sentences."""
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
    """Whether probability and label come from one file, or from columns of one name."""
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
    source: Source, *, columns: Mapping[str, str] | None = None, name: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """A prediction table from anybody's CSV, and what was guessed about its columns.

    `columns` names `image_id` and `probability` where they are called something else;
    `name` is what the table is called in sentences.

    Raises `ColumnError` for a missing column, a repeated image, or a value outside 0–1.
    """
    table = _as_table(source)
    name = name or _called(source, "the prediction table")
    image, score, notes = image_and_score(table, columns or {}, source=name)
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
    if isinstance(source, pd.DataFrame):
        # Image ids are often the index of a frame; in files they are read as a column, too.
        names = [name for name in source.index.names if name is not None]
        return source.reset_index(level=[name for name in names if name not in source])
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


def _named(
    columns: Mapping[str, str], predictions: pd.DataFrame, truth: pd.DataFrame
) -> tuple[dict[str, str], dict[str, str]]:
    """Divide `columns` into the names for the predictions and those for the truth."""
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
        for mine, table in ((of_predictions, predictions), (of_truth, truth)):
            if name in table:
                having += 1
            else:
                del mine["image_id"]
        if not having:
            raise ColumnError(f"Neither table has a column {name} to name the images by.")
    return of_predictions, of_truth


def _unmatched(
    guesses: pd.DataFrame, labels: pd.DataFrame
) -> tuple[dict[str, int], list[str]]:
    """Counts of the images that one table alone names, and sentences on them."""
    if guesses.empty:
        raise DatasetError("The predictions have no rows: there is nothing to judge.")
    # Sets, because `isin` of pandas takes four seconds for 400,000 texts.
    both = set(guesses["image_id"]) & set(labels["image_id"])
    if not both:
        raise DatasetError(
            "No image is in both tables: the predictions name "
            f"{some(guesses['image_id'].tolist(), at_most=2)}; the truth names "
            f"{some(labels['image_id'].tolist(), at_most=2)}. Give the truth of these "
            "images, or say which column names them with --column image_id=…."
        )
    counts, notes = {}, []
    for table, reason, text in (
        (
            guesses,
            "without a row in the truth",
            "predictions are left out, having no row in the truth",
        ),
        (
            labels,
            "without a prediction",
            "rows of the truth are left out, having no prediction",
        ),
    ):
        if len(both) == len(table):  # each image stands in a table once
            continue
        lost = [name for name in table["image_id"] if name not in both]
        if lost:
            counts[reason] = len(lost)
            notes.append(f"{len(lost):,} of {len(table):,} {text}: {some(lost)}.")
    return counts, notes
