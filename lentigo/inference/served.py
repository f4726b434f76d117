"""Answers to images that somebody else has decoded, many requests in one batch."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.inference.decide import AUTO
from lentigo.inference.inputs import Source
from lentigo.inference.predict import Answers, Model
from lentigo.inference.rows import looked_at
from lentigo.inference.squares import Square, Squares
from lentigo.models.backend import Preparation
from lentigo.models.index import unit_length

Row = dict[str, Any]
"""A row of a prediction table; what is not known is None."""
FEATURES = "features"
"""Of a row: pooled features of the image by the model's first network, at length 1, as
little-endian numbers of 16 bits in base64; None where the engine gives none."""


@dataclass(frozen=True)
class Question:
    """The options of one request for the images that it brings."""

    images: int
    lesions: tuple[str, ...] = ()
    """One an image, empty for an image of no known lesion; or none at all."""
    prevalence: float | None = None
    operating_point: str = AUTO
    features: bool = False
    """Whether `FEATURES` are wanted in the row of each image."""


@dataclass(frozen=True)
class Reply:
    """The rows of one request."""

    images: list[Row]
    lesions: list[Row]
    """One a lesion, in the order of their first images."""


def answer(
    model: Model,
    questions: Sequence[Question],
    squares: dict[Preparation, Sequence[Square]],
) -> list[Reply]:
    """Return what `model` answers to each question, all images computed together.

    `squares` holds for each way to prepare an image one square an image, (size, size, 3),
    those of the first question first.
    """
    count = sum(each.images for each in questions)
    batch = Squares(list(range(count)), {way: list(s) for way, s in squares.items()}, {})
    found = looked_at(batch, signals=model.can_abstain)
    logits, reasons = model.network_logits(batch, found), found.doubts
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
        Source(str(number), lesion_id=lesion or None)
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
