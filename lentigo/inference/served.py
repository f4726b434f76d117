"""Predict images that another process has decoded, for many requests in one batch."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from lentigo.imaging.kind.doubt import DOUBT
from lentigo.inference.decide import AUTO, Decision
from lentigo.inference.inputs import Source, patients_of
from lentigo.inference.predict import Answers, Model
from lentigo.inference.rows import looked_at
from lentigo.inference.squares import Square, Squares
from lentigo.models.backend import Preparation
from lentigo.models.index import unit_length
from lentigo.words import counted

Row = dict[str, Any]
"""A row of a prediction table, by column; missing values are None."""
FEATURES = "features"
"""Column of pooled features of the image by the model's first network, at length 1, as
little-endian 16-bit floats in base64; None if the engine gives no features."""
MEMO = "memo"
"""Column of a lesion's `Memo`, as a mapping."""


@dataclass(frozen=True)
class Memo:
    """The images of a lesion that earlier requests answered for, as their mean."""

    images: int
    """Number of images in the mean."""
    outputs: str
    """Mean outputs, as a column of `Answers.logits`: little-endian 64-bit floats in
    base64."""
    doubted: bool
    """Whether one of the images may be no dermoscopy."""
    left_out: int = 0
    """Number of further images, which are not in the mean."""
    lesion: str = ""
    """Lesion id, as in `Question.lesions` where images of the question show it, too."""
    patient: str = ""
    """Patient id, as in `Question.patients`; "" if unknown."""
    request: str = ""
    """Id of the request that answered last for these images; "" if unknown."""


@dataclass(frozen=True)
class Question:
    """The options of one request."""

    images: int
    """Number of images."""
    lesions: tuple[str, ...] = ()
    """Lesion id of each image, "" if unknown; or empty if no image has one."""
    patients: tuple[str, ...] = ()
    """Patient id of each image, "" if unknown; or empty if no image has one. It counts for
    an image that has a lesion id, too."""
    prevalence: float | None = None
    """Share of melanoma that the probabilities are to be meant for; None: the model's
    own."""
    operating_point: str = AUTO
    """Name of the threshold from which melanoma is called; see `Model.decision`."""
    features: bool = False
    """Whether the row of each image is to have `FEATURES`."""
    age: float | None = None
    """Age of the patient in years, for networks that take it; None if unknown."""
    sex: str = ""
    """One of `lentigo.tables.SEXES`; empty if unknown."""
    site: str = ""
    """One of `lentigo.tables.SITES`; empty if unknown."""
    numbers: tuple[int, ...] = ()
    """Number of each image in what the user sent, by which the reason of a lesion names it;
    empty for 1, 2 and so on."""
    memo: bool = False
    """Whether the row of each lesion is to have `MEMO`."""
    before: tuple[Memo, ...] = ()
    """Earlier images, one entry a lesion: of lesions of the question, or of others of its
    patients, which count beside them. Without images the answer is for these lesions."""


@dataclass(frozen=True)
class Reply:
    """The predictions for one request."""

    images: list[Row]
    """One row per image, in the order of the request."""
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
    asked = tuple(
        source
        for number, question in enumerate(questions)
        for source in _sources(question, number)
    )
    logits, doubts = np.empty((model.rows, 0)), {}
    if count:
        found = looked_at(batch, sides=model.sides)
        logits = np.asarray(model.network_logits(batch, found, patients_of(asked)))
        doubts = dict(found.doubts)
    whole = Answers(model, asked, logits, doubts)
    places, start = [], 0
    for question in questions:
        places.append(range(start, start + question.images))
        start += question.images
    rows = _image_rows(whole, questions, places)
    told = _features(model, squares) if count and any(q.features for q in questions) else []
    replies = []
    for number, (question, own) in enumerate(zip(questions, places, strict=True)):
        lesions = []
        known = _part(whole, own)
        if question.before:
            known = _continued(known, question, number)
            rows |= zip(own, _beside_earlier(model, known, question), strict=True)
        images = [rows[place] for place in own]
        if question.features:
            for row, place in zip(images, own, strict=True):
                row[FEATURES] = told[place]
        if known.sources and (any(question.lesions) or question.before):
            lesions = _lesion_rows(model, known, question)
        replies.append(Reply(images, lesions))
    return replies


def _image_rows(
    whole: Answers, questions: Sequence[Question], places: Sequence[range]
) -> dict[int, Row]:
    """Return the row of each image by its position in `whole`.

    `places` has, for each of `questions`, the positions of its images. Questions with the
    same options share one table: making a table takes longer than its rows do.
    """
    alike: dict[tuple[float | None, str], list[int]] = {}
    for question, own in zip(questions, places, strict=True):
        if question.before:  # their patients have more lesions than the images show
            continue
        key = question.prevalence, question.operating_point
        alike.setdefault(key, []).extend(own)
    found: dict[int, Row] = {}
    for (prevalence, operating_point), own_places in alike.items():
        decision = whole.model.decision(prevalence, operating_point)
        rows = _rows(_part(whole, own_places).table(decision))
        found |= zip(own_places, rows, strict=True)
    return found


def _part(whole: Answers, places: Sequence[int]) -> Answers:
    """Return the answers to some of the images."""
    reasons = {
        row: whole.reasons[place]
        for row, place in enumerate(places)
        if place in whole.reasons
    }
    sources = tuple(whole.sources[place] for place in places)
    return Answers(whole.model, sources, whole.logits[:, list(places)], reasons)


def _lesion_rows(model: Model, own: Answers, question: Question) -> list[Row]:
    """Return the rows of the lesions that a question asks for.

    `own` are the answers to its images, after those of earlier requests (`_continued`).
    """
    decision = _decision(model, question)
    wanted = set(question.lesions) or {each.lesion for each in question.before}
    rows = _rows(own.lesions(decision))
    earlier = {each.lesion: each.left_out for each in question.before}
    if question.memo:
        found = own.averaged(decision)
        places = found.places.values()
        for row, mean, images, every in zip(
            rows, found.logits.T, found.counting, places, strict=True
        ):
            outputs = base64.b64encode(mean.astype("<f8").tobytes()).decode("ascii")
            left = earlier.get(row["lesion_id"], 0) + len(every) - len(images)
            row[MEMO] = asdict(Memo(len(images), outputs, DOUBT in row["reason"], left))
    for row in rows:
        if left := earlier.get(row["lesion_id"], 0):
            told = f"{counted(left, 'earlier image')} left out"
            row["reason"] = "; ".join(filter(None, [told, row["reason"]]))
    return [row for row in rows if row["lesion_id"] in wanted]


def _continued(own: Answers, question: Question, request: int) -> Answers:
    """Return answers to the images of a question with those of earlier requests in front.

    Each earlier image of a lesion has the mean of them all, so that the mean over all its
    images is right.
    """
    sources: list[Source] = []
    means, reasons = [np.empty((len(own.logits), 0))], {}
    for each in question.before:
        mean = np.frombuffer(base64.b64decode(each.outputs), "<f8")
        if each.doubted and each.images:
            reasons[len(sources)] = DOUBT
        one = _source(question, request, "an earlier image", each.lesion, each.patient)
        sources += [one] * each.images
        means.append(np.repeat(mean[:, None], each.images, axis=1))
    reasons |= {len(sources) + place: reason for place, reason in own.reasons.items()}
    logits = np.concatenate([*means, own.logits], axis=1)
    return Answers(own.model, (*sources, *own.sources), logits, reasons)


def _beside_earlier(model: Model, known: Answers, question: Question) -> list[Row]:
    """Return the rows of the images of a question, which earlier ones count beside."""
    if not question.images:
        return []
    table = known.table(_decision(model, question))
    return _rows(table.iloc[len(table) - question.images :])


def _decision(model: Model, question: Question) -> Decision:
    return model.decision(question.prevalence, question.operating_point)


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


def _sources(question: Question, request: int) -> list[Source]:
    """Return the images of a question; its patients are those of no other request.

    An image without a lesion id is of no patient: the pictures of a request often show one
    lesion, and as several they would count as evidence about each other.
    """
    lesions = question.lesions or ("",) * question.images
    patients = question.patients or ("",) * question.images
    numbers = question.numbers or range(1, question.images + 1)
    return [
        _source(question, request, str(number), lesion, patient)
        for number, lesion, patient in zip(numbers, lesions, patients, strict=True)
    ]


def _source(
    question: Question, request: int, name: str, lesion: str, patient: str
) -> Source:
    return Source(
        name,
        lesion_id=lesion or None,
        age=question.age,
        sex=question.sex or None,
        site=question.site or None,
        patient_id=f"{request} {patient}" if patient and lesion else None,
    )


def _rows(table: pd.DataFrame) -> list[Row]:
    columns = {str(name): table[name].tolist() for name in table if name != "path"}
    return [
        {
            name: None if value is None or value != value else value  # NaN is not itself
            for name, value in zip(columns, row, strict=True)
        }
        for row in zip(*columns.values(), strict=True)
    ]
