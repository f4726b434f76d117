"""A small run folder, made up: 48 images of 24 patients, 10 melanomas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from lentigo.config import Config, ImagingConfig, with_settings
from lentigo.imaging.store.build import build_store
from lentigo.tables import NotedTable, check_table, write_table

IMAGES = 48
"""16 images of 8 patients in each of three folds."""


def write_run(
    folder: Path,
    *,
    folds: int = 1,
    melanomas: int = 10,
    pixels: bool = True,
    first_id: str = "ISIC_0000",
    evaluation: dict[str, Any] | None = None,
) -> Path:
    """A complete run folder; `first_id` is the name of the first image."""
    folder.mkdir(parents=True)
    config = with_settings(Config(recipe="quick"), {"split.folds": 3, "imaging.size": 48})
    table = lesion_table(folder / "images", melanomas=melanomas, first_id=first_id)
    (folder / "config.yaml").write_text(config.to_yaml())
    (folder / "command.txt").write_text("lentigo run data --format csv --out 'my run'\n")
    note = "7 ages are missing; the median, 45, was filled in."
    write_table(NotedTable(table, (note,)), folder / "table.parquet")
    held_out = table[(table["fold"] < folds) & table["path"].notna()]
    predictions(held_out, skill=1.5).to_csv(folder / "predictions.csv", index=False)
    predictions(held_out, skill=0.5).to_csv(folder / "baseline.csv", index=False)
    _write_json(folder / "environment.json", ENVIRONMENT)
    _write_json(folder / "evaluation.json", evaluation or _of_images(len(held_out)))
    pd.DataFrame(FAILURES).to_csv(folder / "failures.csv", index=False)
    pd.DataFrame(PAIRS).to_csv(folder / "duplicates.csv", index=False)
    for fold in range(folds):
        _write_fold(folder / f"fold-{fold}", table, fold)
    if pixels:
        build_store(table, folder / "pixels", config=ImagingConfig(size=48, workers=1))
    return folder


def lesion_table(images: Path, *, melanomas: int, first_id: str) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    melanoma = np.arange(IMAGES) % 5 == 0
    if melanomas != 10:
        melanoma = np.arange(IMAGES) < melanomas
    names = [first_id, *(f"ISIC_{row:04d}" for row in range(1, IMAGES))]
    table = pd.DataFrame(
        {
            "image_id": names,
            "path": [
                str(draw_lesion(images, row, bool(melanoma[row]))) for row in range(IMAGES)
            ],
            "dataset": "made up",
            "patient_id": [f"P{row // 2}" for row in range(IMAGES)],
            "group_id": [f"P{row // 2}" for row in range(IMAGES)],
            "sex": pick(rng, ["female", "male", None]),
            "age": np.where(
                np.arange(IMAGES) % 9 == 0, np.nan, 5.0 * rng.integers(3, 17, IMAGES)
            ),
            "site": pick(rng, ["torso", "lower extremity", "head/neck", None]),
            "diagnosis": np.where(melanoma, "melanoma", "nevus"),
            "melanoma": melanoma,
            "fold": [row // 2 % 3 for row in range(IMAGES)],
        }
    )
    table.loc[4, "path"] = None  # of fold 2
    return check_table(table, source="the made-up table")


def pick(rng: np.random.Generator, words: list[str | None]) -> list[str | None]:
    return [words[place] for place in rng.integers(len(words), size=IMAGES)]


def draw_lesion(folder: Path, number: int, melanoma: bool) -> Path:
    folder.mkdir(exist_ok=True)
    image = Image.new("RGB", (48, 48), (226, 180, 160))
    tone = (70, 40, 45) if melanoma else (150, 95, 70)
    reach = 8 + number % 7
    ImageDraw.Draw(image).ellipse(
        (24 - reach, 24 - reach // 2, 24 + reach, 24 + reach), tone
    )
    path = folder / f"{number}.png"
    image.save(path)
    return path


def predictions(table: pd.DataFrame, *, skill: float) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    melanoma = table["melanoma"].to_numpy(dtype=float)
    logit = skill * melanoma - 1 + 1.3 * rng.normal(size=len(table))
    return pd.DataFrame(
        {
            "image_id": table["image_id"],
            "group_id": table["group_id"],
            "probability": 1 / (1 + np.exp(-logit)),
            "logit": logit,
            "fold": table["fold"],
            "reason": "",
        }
    )


def entry(value: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "undefined": 0}


def judged(auc: dict[str, Any], **metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        "auc": auc,
        **metrics,
        "n_images": 16,
        "n_melanomas": 3,
        "n_groups": 8,
        "threshold": 0.5,
        "repeats": 2000,
        "seed": 0,
        "confusion": {"tp": 2, "fp": 2, "tn": 11, "fn": 1},
        "notes": ["Only 3 melanomas were judged, so the intervals are wide."],
        "notice": "Research software, not a medical device.",
    }


POINT: dict[str, Any] = {
    "sensitivity_wished": 0.95,
    "promised": 0.875,
    "chosen_on": "validation images",
    "thresholds": {"0": 0.1234},
    "melanomas": {"0": 7},
    "n_images": 16,
    "n_melanomas": 3,
    "found": 2,
    "false_alarms": 4,
    "sensitivity": entry(0.6667, 0.2077, 0.9385),
    "specificity": entry(0.6923, 0.4237, 0.8732),
    "ppv": entry(0.3333, 0.0968, 0.7),
    "npv": entry(None, None, None),
}
"""What a threshold chosen on 7 melanomas finds among the held-out images."""


def parts(*aucs: float | None) -> dict[str, Any]:
    """The folds (or archives) of an evaluation, pooled to 0.721."""
    return {
        "parts": [
            {
                "name": str(number), "n_images": 50, "n_groups": 20, "n_melanomas": 10,
                "auc": entry(auc, None, None),
            }
            for number, auc in enumerate(aucs)
        ],
        "mean_auc": float(np.mean([auc for auc in aucs if auc is not None])),
        "pooled_auc": 0.721,
        "why": "Scores of two models are not on one scale.",
    }  # fmt: skip


EVALUATION: dict[str, Any] = {
    "model": judged(
        entry(0.8123, 0.6411, 0.9312),
        auc_delong=entry(0.8123, 0.6505, 0.9741),
        average_precision=entry(0.5432, 0.3101, 0.7899),
        brier=entry(0.1034, 0.0707, 0.1377),
        sensitivity=entry(0.7512, 0.4001, 0.9903),
        ppv={"value": 0.6015, "low": 0.2204, "high": 0.8806, "undefined": 17},
    ),
    "baseline": judged(
        entry(0.6213, 0.4816, 0.7314),
        average_precision=entry(0.2918, 0.1519, 0.4827),
        brier=entry(0.1528, 0.1129, 0.1931),
        ppv=entry(None, None, None),
    ),
    "difference": {
        "auc": entry(0.191, 0.0432, 0.3333),
        "average_precision": entry(0.2514, 0.0633, 0.4441),
        "brier": entry(-0.0494, -0.0888, -0.0102),
        "n_images": 16,
    },
    "operating_points": [POINT],
    "best_reachable_auc": 0.8765,
}

ENVIRONMENT = {
    "lentigo": "0.1.0",
    "python": "3.12.1",
    "packages": {"numpy": "2.4.6", "torch": None},
    "platform": "Linux x86_64",
    "cores": 2,
    "seed": 0,
    "data_digest": "c0ffee" * 10 + "c0ff",
    "started": "2026-01-02T03:04:05+00:00",
    "minutes": 3.25,
}

FAILURES = {
    "image_id": ["ISIC_0004", "007"],
    "path": ["images/4.jpg", "images/notes.jpg"],
    "reason": ["the file is truncated", "the file is no image: it starts like text"],
}

PAIRS = {"a": ["ISIC_0010"], "b": ["ISIC_0011"], "kind": ["near-identical"]}


def _of_images(images: int) -> dict[str, Any]:
    return {**EVALUATION, "model": {**EVALUATION["model"], "n_images": images}}


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def _write_fold(folder: Path, table: pd.DataFrame, held_out: int) -> None:
    folder.mkdir()
    fold = table["fold"]
    role = np.where(
        fold == held_out,
        "test",
        np.where(fold == (held_out + 1) % 3, "validation", "train"),
    )
    pd.DataFrame({"image_id": table["image_id"], "role": role}).to_csv(
        folder / "roles.csv", index=False
    )
    epochs = np.arange(1, 7)
    pd.DataFrame(
        {
            "epoch": epochs,
            "loss": 0.6 / epochs,
            "auc": 1 - 0.4 / epochs,
            "validation_loss": 0.5 / epochs + 0.1,
            "validation_auc": [0.55, 0.64, 0.7, 0.72, 0.7123, 0.71],
            "learning_rate": 1e-3,
            "seconds": 30.0,
            "frozen": epochs == 1,
            "best": epochs <= 4,
        }
    ).to_csv(folder / "metrics.csv", index=False)
