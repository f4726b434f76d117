"""Patient context is fitted, cross-fitted, kept where it helps, and counted in answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import expit
from typer.testing import CliRunner

import lentigo
from lentigo.cli.app import app
from lentigo.evaluation.without import judge_without
from lentigo.inference.calibrate import Labelled
from lentigo.inference.context import fit_context
from lentigo.inference.predict import load
from lentigo.inference.served import Question, answer
from lentigo.models.context import Context, People
from lentigo.models.description import read_description
from lentigo.models.joined import joined
from tests.inference.test_predict import noise, save

CONTEXT = Context(level=0.5, difference=2.0, oddness=0.5, usual=0.1, n_images=8)


def drawn(*, spread: float, seed: int, patients: int = 300) -> tuple[Labelled, People]:
    """Calibrated logits of four lesions a patient, moved by the patient's own part.

    What is seen of a lesion is N(0, 1), or N(2, 1) of a melanoma, which one in eight is;
    the part of the patient, N(0, `spread`), tells nothing of it.
    """
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(patients), 4)
    truth = rng.random(len(who)) < 0.125
    seen = 2 * truth + rng.normal(0, 1, len(who)) + rng.normal(0, spread, patients)[who]
    logits = (2 * seen - 2) / (1 + spread**2) - np.log(7)
    return Labelled(truth, logits, who), People(who, np.arange(len(who)))


def judged(spread: float, seed: int) -> dict[str, Any] | None:
    """The AUC of others than those of the fit, with and without; None without a context."""
    found = fit_context(*drawn(spread=spread, seed=seed), fitted_on="these")
    if found.context is None:
        return None
    images, people = drawn(spread=spread, seed=seed + 100)
    logits = found.context.apply(images.logits, people)
    table = pd.DataFrame(
        {
            "image_id": [f"{n}" for n in range(len(logits))],
            "group_id": images.group.astype(str), "melanoma": images.truth,
        }
    )  # fmt: skip
    told = table[["image_id"]].assign(
        probability=expit(logits), logit=logits, logit_without_context=images.logits
    )
    result = judge_without(told, table, what="context", repeats=50, seed=0)
    return result.as_dict()["difference"]["auc"] if result else None


def test_context_helps_where_patients_differ_and_is_dropped_where_they_do_not() -> None:
    """The gain lies beyond its interval where it was planted; else nothing is beyond."""
    for seed in range(3):
        gain = judged(1.5, seed)
        assert gain is not None
        assert gain["low"] > 0.03
    none = [judged(0.0, seed) for seed in range(8)]
    assert sum(each is None for each in none) >= 6  # one in six passes by chance
    assert all(each["low"] <= 0 <= each["high"] for each in none if each)


def test_no_image_is_answered_by_a_context_that_saw_its_group() -> None:
    """A group's labels change its cross-fitted logits in no bit, and the context itself."""
    images, people = drawn(spread=1.5, seed=1, patients=80)
    before = fit_context(images, people, fitted_on="these")
    own = np.flatnonzero(images.group == images.group[images.truth][0])
    turned = images.truth.copy()
    turned[own] = np.roll(turned[own], 1)  # the group still holds a melanoma
    assert not np.array_equal(turned, images.truth)
    after = fit_context(replace(images, truth=turned), people, fitted_on="these")
    assert before.context is not None
    assert before.context != after.context
    assert np.array_equal(before.logits[own], after.logits[own])
    assert not np.array_equal(before.logits, after.logits)
    fitted = before.context.apply(images.logits, people)
    assert not np.allclose(fitted, before.logits)


def test_too_few_patients_give_none() -> None:
    images, people = drawn(spread=1.5, seed=0, patients=12)
    found = fit_context(images, people, fitted_on="these")
    assert (found.context, found.gain) == (None, None)
    images, people = drawn(spread=1.5, seed=0)
    alone = replace(people, patient=people.lesion)
    assert fit_context(images, alone, fitted_on="these").gain is None
