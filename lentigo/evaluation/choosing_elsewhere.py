"""Choose thresholds on one table of predictions, to be judged on another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lentigo.config import EvaluationConfig
from lentigo.datasets.reading.columns import guess_columns
from lentigo.errors import DatasetError
from lentigo.evaluation.choosing import Answers, Costs, choose_points
from lentigo.evaluation.fold_thresholds import check_not_moved
from lentigo.evaluation.joining import Source, match
from lentigo.evaluation.prediction_columns import image_and_score
from lentigo.evaluation.scored import scored
from lentigo.evaluation.sums import as_sample
from lentigo.models.operating_point import OperatingPoint
from lentigo.table_files.cells import ids_as_text
from lentigo.tables import read_any_table
from lentigo.words import counted, some, verb


@dataclass(frozen=True)
class ChooseOn:
    """The predictions that thresholds are chosen on, and the truth of their images."""

    predictions: Source
    truth: Source | None = None
    """The table with their labels. If None, the labels in `predictions` are used or,
    without these, the truth of the images to be judged."""


@dataclass(frozen=True)
class Chosen:
    """The chosen operating points, and notes in sentences on how they were chosen."""

    points: tuple[OperatingPoint, ...]
    notes: list[str]


@ids_as_text
def choose_elsewhere(
    asked: ChooseOn,
    judged: pd.DataFrame,
    truth: Source,
    *,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
) -> Chosen:
    """Choose thresholds (`choose_points`) on the predictions `asked`.

    `judged` has `image_id` and `group` of the images that the thresholds are judged on
    later, `truth` their labels. If images or groups of `judged` are also in `asked`, a note
    says how many, since metrics are then too favourable. Costs are the defaults of
    `EvaluationConfig`. `columns` and `group` are as in `evaluate`.

    Raises the errors of `evaluate`.
    """
    name, labels = _called(asked.predictions), _labels(asked, truth, columns or {})
    try:
        matched = match(asked.predictions, labels, columns=columns)
    except DatasetError as error:
        raise DatasetError(
            f"No threshold can be chosen on {name}: {error} The truth of its images may be "
            "given with --choose-truth."
        ) from error
    check_not_moved(matched.table)
    table, _, _ = scored(matched, group=group)
    sample = as_sample(table)
    costs = EvaluationConfig()
    shared, brief = _shared(table, judged)
    points = choose_points(
        Answers(sample.truth, sample.score, sample.group),
        costs=Costs(miss=costs.cost_miss, excision=costs.cost_excision),
        chosen_on=f"images of {Path(name).name}{brief}",
    )
    said = (
        f"Thresholds are chosen on {counted(len(table), 'image')} of {name} with "
        f"{counted(int(sample.truth.sum()), 'melanoma')}, and judged on others."
    )
    if shared:
        said = f"{said.removesuffix(', and judged on others.')}. {shared}"
    return Chosen(points, [said, *matched.notes])


def _labels(asked: ChooseOn, truth: Source, columns: Mapping[str, str]) -> Source:
    """Return where labels are: `asked.truth`, else `asked.predictions`, else `truth`."""
    if asked.truth is not None:
        return asked.truth
    given = asked.predictions
    table = given if isinstance(given, pd.DataFrame) else read_any_table(Path(given))
    named = columns.get("melanoma")
    own = named if named in table else guess_columns(map(str, table)).get("melanoma")
    known = {ours: theirs for ours, theirs in columns.items() if theirs in table}
    score = image_and_score(table, known, source=_called(given))[1]
    return truth if own in {None, score} else given


JUDGED_HERE = "judged here, too"
"""Words in `OperatingPoint.chosen_on` where some of its images are judged, too."""


def _shared(chosen: pd.DataFrame, judged: pd.DataFrame) -> tuple[str, str]:
    """Return a sentence, and brief words, on images (else groups) in both tables.

    Both are empty if none is.
    `chosen` are the images on which thresholds are chosen, `judged` those to be judged.
    """
    images = sorted(set(chosen["image_id"]) & set(judged["image_id"]))
    if images:
        return (
            f"{len(images):,} of them {verb(len(images), 'is', 'are')} among the judged "
            f"images ({some(images)}), which flatters the thresholds: they judge "
            "themselves."
        ), f" ({len(images):,} of them {JUDGED_HERE})"
    groups = sorted(set(chosen["group"].astype(str)) & set(judged["group"].astype(str)))
    if groups:
        return (
            f"{counted(len(groups), 'group')} {verb(len(groups), 'has', 'have')} images "
            f"there and among the judged ones ({some(groups)}), which may flatter the "
            "thresholds."
        ), f" (of {counted(len(groups), 'group')} other images are {JUDGED_HERE})"
    return "", ""


def _called(source: Source) -> str:
    return "the table to choose on" if isinstance(source, pd.DataFrame) else str(source)
