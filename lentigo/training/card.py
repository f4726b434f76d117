"""The facts of a training for the card of its model."""

from __future__ import annotations

import hashlib

import pandas as pd

from lentigo.datasets.registry import FORMATS
from lentigo.models.folder import ModelCard
from lentigo.models.metadata import FIELDS, MetadataEncoding
from lentigo.training.lesson import Lesson
from lentigo.training.prepare import Prepared
from lentigo.training.teacher_split import noted_teacher
from lentigo.training.trainer import Trainer


def card_of(trainer: Trainer, work: Prepared, role: pd.Series) -> ModelCard:
    """Return the facts of a training for the model card, still without a calibration."""
    progress, fold = trainer.progress, trainer.fold
    best = progress.history[progress.best_epoch - 1]
    mine = work.table[(role == "train").to_numpy()]
    names = sorted(mine["dataset"].dropna().astype(str).unique().tolist())
    return ModelCard(
        logit_shift=fold.shift,
        prevalence=fold.prevalence,
        training_images=len(mine),
        training_groups=int(mine["group_id"].nunique()),
        training_melanomas=int(mine["melanoma"].sum()),
        archives=[_archive(name) for name in names],
        table_sha256=_table_digest(mine, fold.lesson, trainer.model.metadata),
        teacher_sha256=noted_teacher(fold.layout),
        name=fold.layout.name,
        best_epoch=progress.best_epoch,
        validation_auc=float(best["validation_auc"]),
    )


def _archive(name: str) -> dict[str, str]:
    known = FORMATS.get(name)
    terms = {"licence": known.licence, "citation": known.citation} if known else {}
    return {"name": name, **terms}


def _table_digest(
    learnt: pd.DataFrame, lesson: Lesson, encoding: MetadataEncoding | None
) -> str:
    """Return the SHA-256 of image ids, groups and labels; the row order does not matter.

    If the network takes age, sex and site, these are included.
    """
    also = ["diagnosis", "malignant"] if lesson.tells_diagnoses else []
    known = FIELDS if encoding is not None else ()
    names = ["image_id", "group_id", "melanoma", *also, *known]
    columns = learnt[names].astype("string").fillna("<NA>")
    lines = sorted("\t".join(row) for row in columns.itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
