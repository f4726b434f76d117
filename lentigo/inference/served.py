"""Predict images that another process has decoded, for many requests in one batch."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.inference.decide import AUTO
from lentigo.inference.inputs import Source, patients_of
from lentigo.inference.predict import Answers, Model
from lentigo.inference.rows import looked_at
from lentigo.inference.squares import Square, Squares
from lentigo.models.backend import Preparation
from lentigo.models.index import unit_length

Row = dict[str, Any]
"""A row of a prediction table, by column; missing values are None."""
FEATURES = "features"
"""Column of pooled features of the image by the model's first network, at length 1, as
little-endian 16-bit floats in base64; None if the engine gives no features."""


@dataclass(frozen=True)
class Question:
    """The options of one request."""

    images: int
    """Number of images."""
    lesions: tuple[str, ...] = ()
    """Lesion id of each image, "" if unknown; or empty if no image has one."""
    prevalence: float | None = None
    operating_point: str = AUTO
    features: bool = False
    """Whether the row of each image is to have `FEATURES`."""
    age: float | None = None
    """Age of the patient in years, for networks that take it; None if unknown."""
    sex: str = ""
    """One of `lentigo.tables.SEXES`; empty if unknown."""
    site: str = ""
    """One of `lentigo.tables.SITES`; empty if unknown."""


@dataclass(frozen=True)
class Reply:
    """The predictions for one request."""

    images: list[Row]
    lesions: list[Row]
    """One row per lesion, in the order of their first images."""


def answer(
    model: Model,
    questions: Sequence[Question],
    squares: dict[Preparation, Sequence[Square]],
) -> list[Reply]:
    """Return a reply to each of `questions`; all images are computed together.

    `squares` has, by `Preparation`, the square of each image, (size, size, 3), in the order
    of the questions.
    """
    count = sum(each.images for each in questions)
    batch = Squares(list(range(count)), {way: list(s) for way, s in squares.items()}, {})
    found = looked_at(batch, signals=model.can_abstain)
    asked = [source for question in questions for source in _sources(question)]
    logits = model.network_logits(batch, found, patients_of(asked))
    reasons = found.doubts
    told = _features(model, squares) if any(q.features for q in questions) else []
    replies, start = [], 0
    for question in questions:
        end = start + question.images
        own = {
            place - start: reason
            for place, reason in reasons.items()
            if start <= place < end
        }
        sources = tuple(_sources(question))
        answers = Answers(model, sources, np.asarray(logits[:, start:end]), own)
        reply = _reply(answers, question)
        if question.features:
            for row, features in zip(reply.images, told[start:end], strict=True):
                row[FEATURES] = features
        replies.append(reply)
        start = end
    return replies


def _features(
    model: Model, squares: dict[Preparation, Sequence[Square]]
) -> list[str | None]:
    network = model.members[0]
    own = squares[network.preparation]
    looked = network.looked(np.stack(own), looks=1)
    if looked is None:
        return [None] * len(own)
    rows = unit_length(looked.features).astype("<f2")
    return [base64.b64encode(row.tobytes()).decode("ascii") for row in rows]


def _sources(question: Question) -> list[Source]:
    lesions = question.lesions or ("",) * question.images
    return [
        Source(
            str(number),
            lesion_id=lesion or None,
            age=question.age,
            sex=question.sex or None,
            site=question.site or None,
        )
        for number, lesion in enumerate(lesions, start=1)
    ]


def _reply(answers: Answers, question: Question) -> Reply:
    decision = answers.model.decision(question.prevalence, question.operating_point)
    lesions = any(question.lesions)
    return Reply(
        _rows(answers.table(decision)),
        _rows(answers.lesions(decision)) if lesions else [],
    )


def _rows(table: pd.DataFrame) -> list[Row]:
    columns = [name for name in table if name != "path"]
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table[columns].to_dict("records")
    ]
