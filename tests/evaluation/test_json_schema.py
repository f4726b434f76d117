"""The published JSON Schema fits what is written."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.cli.evaluation_schema import schema_text
from lentigo.evaluation import Evaluation, evaluate
from lentigo.evaluation.json_schema import evaluation_schema
from lentigo.json_files import to_json

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = jsonschema.Draft202012Validator(evaluation_schema())
RNG = np.random.default_rng(0)
TRUTH = pd.DataFrame(
    {
        "image_id": [f"i{number:03}" for number in range(160)],
        "diagnosis": ["melanoma", "nevus", "seborrheic keratosis", "nevus"] * 40,
        "patient_id": [f"p{number // 2}" for number in range(160)],
        "sex": ["male", "female"] * 80,
        "dataset": ["north"] * 80 + ["south"] * 80,
    }
)
PREDICTED = pd.DataFrame(
    {
        "image_id": TRUTH["image_id"],
        "probability": (
            0.4 * (TRUTH["diagnosis"] == "melanoma") + 0.6 * RNG.random(160)
        ).round(3),
        "fold": np.arange(160) % 2,
    }
)


def written(evaluation: Evaluation) -> Any:
    return json.loads(to_json(evaluation.as_dict()))


def test_the_shipped_schema_is_what_the_code_says() -> None:
    shipped = files("lentigo") / "evaluation" / "evaluation.schema.json"
    assert shipped.read_text(encoding="utf-8") == schema_text(), "make docs"
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


def test_an_evaluation_of_everything_fits() -> None:
    found = evaluate(
        PREDICTED, TRUTH, by=["sex", "sex*dataset"], prevalence=0.1, repeats=20,
        choose_on=PREDICTED.assign(image_id="x" + PREDICTED["image_id"]).merge(
            TRUTH.assign(image_id="x" + TRUTH["image_id"])[["image_id", "diagnosis"]]
        ),
    )  # fmt: skip
    SCHEMA.validate(written(found))
    assert {"by_fold", "by_dataset", "subgroups", "difficulty"} <= set(written(found))


@pytest.mark.parametrize("truth", [TRUTH.assign(diagnosis="nevus"), TRUTH.head(12)])
def test_undefined_numbers_fit(truth: pd.DataFrame) -> None:
    SCHEMA.validate(written(evaluate(PREDICTED, truth, repeats=20)))


def test_a_run_holds_evaluations() -> None:
    one = written(evaluate(PREDICTED, TRUTH, repeats=20))
    SCHEMA.validate({"model": one, "baseline": one, "given": {}})
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate({"model": {**one, "n_images": -1}, "baseline": one})


@pytest.mark.parametrize("key", ["auc", "confusion", "notice"])
def test_what_lacks_a_part_is_refused(key: str) -> None:
    one = written(evaluate(PREDICTED, TRUTH, repeats=20))
    del one[key]
    assert not SCHEMA.is_valid(one)
