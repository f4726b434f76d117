"""Small results of every kind that a figure shows, the same each time."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lentigo.evaluation import Evaluation, compare_models, evaluate
from lentigo.evaluation.contest_result import Contest
from lentigo.evaluation.drift import Drift, Side, drift
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.readers import judge_readers
from lentigo.evaluation.readers.study_result import ReaderStudy
from lentigo.evaluation.stress import Answered, judge_disturbed
from lentigo.figures.cohort.drawn import Cohort
from lentigo.figures.grid import Block, Tile
from lentigo.figures.scores import DrawnScores
from lentigo.robustness.conditions import conditions
from lentigo.robustness.result import Stress
from tests.figures.tables import drawn_table, shapes

ROWS = 240


@cache
def truth() -> pd.DataFrame:
    """Images of 120 patients in two archives, a third of them melanomas."""
    rng = np.random.default_rng(3)
    melanoma = np.arange(ROWS) % 3 == 0
    return pd.DataFrame(
        {
            "image_id": [f"i{number:03}" for number in range(ROWS)],
            "melanoma": melanoma,
            "diagnosis": np.where(
                melanoma, "melanoma", rng.choice(["nevus", "keratosis"], ROWS)
            ),
            "patient_id": [f"p{number // 2}" for number in range(ROWS)],
            "dataset": ["north"] * 120 + ["south"] * 120,
            "site": np.where(np.arange(ROWS) < 8, "foot", ["back", "face"] * 120),
        }
    )


def predicted(strength: float, seed: int) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(size=ROWS)
    logit = strength * truth()["melanoma"].to_numpy() + noise - 1
    return pd.DataFrame(
        {"image_id": truth()["image_id"], "probability": 1 / (1 + np.exp(-logit))}
    )


@cache
def judged() -> Evaluation:
    """An evaluation by site and diagnosis, of a model that abstains on some images."""
    rng = np.random.default_rng(5)
    strange = rng.random(ROWS)
    own = predicted(1.5, 2).assign(strangeness=strange, abstain=strange > 0.9)
    return evaluate(own, truth(), by=("site", "dataset"), repeats=60)


@cache
def repeated() -> Evaluation:
    """An evaluation of three repeats of two folds."""
    rng = np.random.default_rng(0)
    parts = [
        predicted(1.0, 10 + number).assign(repeat=number, fold=rng.permutation(ROWS) % 2)
        for number in range(3)
    ]
    return evaluate(pd.concat(parts, ignore_index=True), truth(), repeats=20)


@cache
def contest() -> Contest:
    models = {"weak": predicted(0.3, 1), "good": predicted(2.5, 2), "fair": predicted(1, 3)}
    return compare_models(models, truth(), repeats=60)


@cache
def scores() -> DrawnScores:
    """The scores of a model and of another beside it."""
    melanoma = truth()["melanoma"].to_numpy(bool)
    return DrawnScores(
        models={
            name: (melanoma, predicted(strength, seed)["probability"].to_numpy())
            for name, strength, seed in (("model", 1.5, 2), ("metadata only", 0.4, 7))
        },
        group=truth()["patient_id"],
        threshold=0.4,
        seed=0,
        auc={"model": Interval(0.85, 0.8, 0.9), "metadata only": Interval(0.61)},
        average_precision={"model": Interval(0.7, 0.6, 0.8)},
    )


@cache
def study(conditions_of: int) -> ReaderStudy:
    """Three readers of forty images, once or (with a model's help) twice."""
    rng = np.random.default_rng(8)
    melanoma = np.arange(40) % 2 == 0
    own = pd.DataFrame({"image_id": [f"i{n:02}" for n in range(40)], "melanoma": melanoma})
    rows = [
        {"image_id": name, "reader": reader, "condition": f"way {way}",
         "call": int(rng.random() < 0.3 + (0.35 + 0.1 * way) * truly)}
        for way in range(conditions_of)
        for reader in ("Anna", "Ben", "Cem")
        for name, truly in zip(own["image_id"], melanoma, strict=True)
    ]  # fmt: skip
    guesses = own[["image_id"]].assign(
        probability=(rng.random(40) + 0.6 * melanoma).clip(0, 1.6) / 1.6
    )
    readings = pd.DataFrame(rows)
    if conditions_of == 1:
        readings = readings.drop(columns="condition")
    return judge_readers(readings, own, predictions=guesses, repeats=50)


@cache
def moved() -> Drift:
    """Two months beside the held-out images, of which one moved."""
    rng = np.random.default_rng(4)

    def side(name: str, shift: float) -> Side:
        table = pd.DataFrame(
            {
                "image_id": [f"{name}{n}" for n in range(60)],
                "probability": 1 / (1 + np.exp(-rng.normal(size=60) - shift)),
                "age": rng.integers(30, 80, 60) + 10.0 * shift,
                "sex": rng.choice(["f", "m"], 60),
            }
        )
        return Side(name=name, table=table, groups=np.array([f"P{n}" for n in range(60)]))

    months = [side("march", 0.1), side("april", 1.5)]
    return drift(side("held out", 0), months, ["probability", "age", "sex"], repeats=200)


@cache
def stressed() -> Stress:
    """Every disturbance, each stronger one with more noise in the answers."""
    rng = np.random.default_rng(6)
    melanoma = truth()["melanoma"].to_numpy(bool)
    logit = 1.5 * melanoma + rng.normal(size=ROWS)
    groups = np.arange(ROWS) // 2
    plain = Answered(melanoma, groups, logit, 0.7)
    ways = [each for each in conditions() if each.name != "undisturbed"]
    found = {
        way: judge_disturbed(
            plain, logit - 0.1 * way.strength + 0.3 * way.strength * rng.normal(size=ROWS)
        )
        for way in ways
    }
    none = Interval(float("nan"))
    return Stress(
        plain={"auc": Interval(0.84, 0.78, 0.9), "balanced_error": Interval(0.2)},
        judged=found, corrupted_error=none, relative_error=none,
        adjusted_error=float("nan"), flips={}, findings=(), answers=pd.DataFrame(),
        threshold=0.67, operating_point="", engine="torch", n_images=ROWS,
        n_melanomas=int(melanoma.sum()), n_groups=120,
    )  # fmt: skip


def ablated() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "switch": ["all", "hair removal", "a switch with quite a long name", "views"],
            "auc": [0.83, 0.82, 0.8, 0.835],
            "difference": [np.nan, 0.01, 0.03, -0.005],
            "low": [np.nan, -0.01, 0.02, np.nan],
            "high": [np.nan, 0.03, 0.04, np.nan],
            "difference_seed_0": [np.nan, 0.0, 0.025, -0.01],
            "difference_seed_1": [np.nan, 0.02, 0.035, 0.0],
        }
    )


def rates() -> pd.DataFrame:
    rate = np.geomspace(1e-5, 1, 30)
    smoothed = 0.7 - 0.3 * np.exp(-((np.log10(rate) + 2) ** 2)) + 5 * (rate > 0.3)
    noise = 0.02 * np.sin(np.arange(30))
    return pd.DataFrame(
        {"learning_rate": rate, "loss": smoothed + noise, "smoothed": smoothed}
    )


def trials() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "trial": range(12),
            "state": ["finished", "finished", "stopped"] * 4,
            "validation_auc": 0.7 + 0.2 * rng.random(12),
            "learning_rate": np.geomspace(1e-4, 1e-2, 12),
            "balance": ["none", "class", "batch"] * 4,
            "dropout": np.linspace(0, 0.5, 12),
        }
    )


def histories() -> dict[str, pd.DataFrame]:
    rows = pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4, 5],
            "loss": [0.9, 0.6, 0.4, 0.3, 0.28],
            "auc": [0.6, 0.7, 0.8, 0.9, 0.91],
            "validation_loss": [0.9, 0.7, 0.6, 0.65, 0.66],
            "validation_auc": [0.6, 0.7, 0.75, 0.74, 0.73],
            "frozen": [True, True, False, False, False],
            "averaged": [False, False, False, True, True],
            "best": [True, True, True, False, False],
        }
    )
    return {f"fold-{number} member-0": rows for number in range(6)}


def pictures(folder: Path) -> list[np.ndarray]:
    """Four small images, also as files i0.png to i3.png in `folder`."""
    rng = np.random.default_rng(1)
    found = []
    for number, (height, width) in enumerate([(40, 60), (60, 40), (50, 50), (50, 50)]):
        skin = np.array([230, 190, 160]) - 40 * number
        image = skin + rng.integers(-10, 10, (height, width, 1))
        image[height // 3 : height // 2, width // 3 : width // 2] -= 60
        found.append(image.clip(0, 255).astype(np.uint8))
        Image.fromarray(found[-1]).save(folder / f"i{number}.png")
    return found


def blocks(images: list[np.ndarray]) -> list[Block]:
    tiles = [
        Tile(image, f"image_{n}_with_a_long_name", ("0.93", "nevus, 54 years, torso"))
        for n, image in enumerate(images)
    ]
    lost = Tile(None, "lost", ("0.1",), reason="The file is gone.")
    return [
        Block([*tiles, lost], "Melanomas that the model missed", "#C44E52"),
        Block(tiles[:1]),
    ]


def cohorts(folder: Path) -> dict[str, Cohort]:
    """Cohorts of 400 images, of three rows, and of three data sets, with a test set."""
    test = drawn_table(150, seed=9)
    large, sets = drawn_table(400), shapes()["three sets"]
    small = drawn_table(4).assign(
        path=[str(folder / f"i{number}.png") for number in range(4)],
        width=float("nan"), height=float("nan"), melanoma=[True, False, False, False],
    )  # fmt: skip
    return {
        "large": Cohort(large, test=test),
        "sets": Cohort(sets),
        "small": Cohort(small.convert_dtypes(), features=("age",)),
    }
