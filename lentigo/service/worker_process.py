"""The program of a worker process, which computes networks for the service.

On standard input, each message is a line of JSON, followed by the bytes of the images'
squares (and of the whole image, if it is to be explained). On standard output, each answer
is a line of JSON. The first line of output says which models were loaded, or why not.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import (
    ExchangedError,
    LentigoError,
    ModelError,
    RunError,
    UnknownNameError,
)
from lentigo.explanation.served import Examiner, NotAllowedError, Wish
from lentigo.inference.predict import Model, load
from lentigo.inference.served import Memo, Question, answer
from lentigo.inference.squares import Square
from lentigo.models.backend import Preparation
from lentigo.models.description import (
    check_version,
    find_models,
    read_description,
    version_of,
)


def main() -> None:
    """Answer messages until standard input ends; the first argument names the models."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    job = json.loads(sys.argv[1])
    try:
        loaded = [_loaded(each["folder"], job["engine"]) for each in job["models"]]
        models = [model for model, _ in loaded]
        _warm_up(models)
    except LentigoError as error:
        _say(answers, {"error": str(error)})
        return
    _say(answers, {"models": [facts for _, facts in loaded], "pid": os.getpid()})
    examiners = [
        Examiner(model, each["folder"], engine=job["engine"], version=facts["version"])
        for (model, facts), each in zip(loaded, job["models"], strict=True)
    ]
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        squares = _squares(asked["ways"], sys.stdin.buffer)
        if "wish" in asked:
            picture = _pixels((*asked["picture"], 3), sys.stdin.buffer)
            _say(answers, _examined(examiners[asked["model"]], asked, squares, picture))
            continue
        _say(answers, _answered(models[asked["model"]], asked, squares))


def _warm_up(models: Sequence[Model]) -> None:
    """Predict a black image with each model: the first prediction takes the longest."""
    for model in models:
        ways = {each.preparation for each in model.members}
        black = {way: [np.zeros((way.size, way.size, 3), np.uint8)] for way in ways}
        answer(model, [Question(1)], {**black})


def _loaded(folder: str, engine: str) -> tuple[Model, dict[str, Any]]:
    """Return a model and its facts; raise `ExchangedError` if it was changed meanwhile."""
    version = version_of(find_models(folder))
    model = load(folder, engine=engine)
    facts = _facts(model, version)
    check_version(model.folders, version)
    return model, facts


def _facts(model: Model, version: str) -> dict[str, Any]:
    ways = dict.fromkeys(each.preparation for each in model.members)
    return {
        "version": version,
        "description": read_description(model.folders[0]).model_dump(mode="json"),
        "engine": model.engine,
        "networks": len(model.members),
        "abstains": model.can_abstain,
        "prevalence": model.prevalence,
        "diagnoses": list(model.diagnoses),
        "metadata": list(model.patient_fields),
        "points": [each.model_dump(mode="json") for each in model.operating_points],
        "ways": [asdict(each) for each in ways],
        "folders": [str(each) for each in model.folders],
    }


def _squares(ways: list[Any], source: BinaryIO) -> dict[Preparation, Sequence[Square]]:
    found: dict[Preparation, Sequence[Square]] = {}
    for given in ways:
        way = Preparation(given["size"], given["fit"], given["max_pixels"])
        found[way] = list(_pixels((given["count"], way.size, way.size, 3), source))
    return found


def _pixels(shape: tuple[int, ...], source: BinaryIO) -> NDArray[np.uint8]:
    content = source.read(int(np.prod(shape)))
    return np.frombuffer(content, np.uint8).reshape(shape)


def _answered(
    model: Model, asked: dict[str, Any], squares: dict[Preparation, Sequence[Square]]
) -> dict[str, Any]:
    questions = [_question(each) for each in asked["questions"]]
    try:
        replies = answer(model, questions, squares)
    except (ModelError, RunError) as error:  # no fault of the request
        return {"failed": str(error)}
    except LentigoError as error:
        return {"refused": str(error)}
    return {"replies": [asdict(each) for each in replies]}


def _examined(
    examiner: Examiner,
    asked: dict[str, Any],
    squares: dict[Preparation, Sequence[Square]],
    picture: NDArray[np.uint8],
) -> dict[str, Any]:
    given = asked["wish"]
    wish = Wish(
        **{**given, "methods": tuple(given["methods"]), "size": tuple(given["size"])}
    )
    try:
        one = {way: np.array(found[0]) for way, found in squares.items()}
        return {"examined": asdict(examiner.examine(wish, one, np.array(picture)))}
    except ExchangedError as error:
        return {"exchanged": str(error)}
    except (UnknownNameError, NotAllowedError) as error:
        return {"refused": str(error)}
    except LentigoError as error:  # no fault of the request
        return {"failed": str(error)}


def _question(given: dict[str, Any]) -> Question:
    ids = {name: tuple(given[name]) for name in ("lesions", "patients", "numbers")}
    before = tuple(Memo(**each) for each in given["before"])
    return Question(**{**given, **ids, "before": before})


def _say(answers: BinaryIO, said: Any) -> None:
    answers.write(json.dumps(said, allow_nan=False).encode() + b"\n")
    answers.flush()
