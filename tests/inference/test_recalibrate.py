"""A model is calibrated on somebody's own images, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.special import expit
from typer.testing import CliRunner

import lentigo
from lentigo.cli.app import app
from lentigo.config import with_settings
from lentigo.errors import ConfigError, DatasetError, ModelError
from lentigo.evaluation.choosing import Costs
from lentigo.files import digest
from lentigo.inference import recalibrate as module
from lentigo.inference.calibrate import Labelled
from lentigo.inference.recalibrate import cross_validated_points, recalibrate
from lentigo.models.calibration import Calibration
from lentigo.models.description import read_description
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.network import build_model
from lentigo.recipes import recipe

COSTS = Costs(miss=20, excision=1)


def tiny_model(folder: Path) -> Path:
    config = with_settings(
        recipe("quick"),
        {
            "model.backbone": "test_byobnet", "model.pretrained": False,
            "model.weights": None, "training.image_size": 32, "imaging.size": 32,
        },
    )  # fmt: skip
    torch.manual_seed(0)
    card = ModelCard(
        logit_shift=0.0, prevalence=0.1, training_images=10, training_groups=5,
        archives=[], best_epoch=1, validation_auc=0.5,
    )  # fmt: skip
    save_model_folder(build_model(config.model), folder, card=card, config=config)
    return folder


def images(folder: Path, number: int) -> list[Path]:
    rng = np.random.default_rng(0)
    folder.mkdir()
    for place in range(number):
        colour = rng.integers(0, 256, 3)
        noise = rng.integers(-20, 20, (32, 32, 3))
        pixels = np.clip(colour + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"i{place:03}.png")
    return sorted(folder.iterdir())


def test_weights_stay_and_probabilities_become_those_of_the_clinic(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "model")
    files = images(tmp_path / "images", 120)
    labels = np.random.default_rng(1).random(120) < 0.85
    table = tmp_path / "clinic.csv"
    pd.DataFrame(
        {"image_id": [f.stem for f in files], "path": files, "melanoma": labels.astype(int)}
    ).to_csv(table, index=False)
    out = tmp_path / "own"
    asked = ["calibrate", str(model), str(table), "--out", str(out), "--device", "cpu"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "before → after on left-out groups" in done.output
    assert "(sensitivity_95), chosen on own images" in done.output
    old, new = read_description(model), read_description(out)
    assert digest(out / "model.safetensors") == digest(model / "model.safetensors")
    assert new.members == old.members
    assert new.prevalence == pytest.approx(labels.mean())
    assert new.calibration.fitted_on == "own images"
    after = lentigo.load(out).predict(files, device="cpu")
    assert after["probability"].mean() == pytest.approx(0.85, abs=0.05)
    assert after["meant_for"][0] == pytest.approx(labels.mean())
    again = CliRunner().invoke(app, asked)
    assert again.exit_code == 1
    assert "Give --out a folder that is new" in again.output


def drawn(number: int, slope: float) -> Labelled:
    rng = np.random.default_rng(number)
    logits = rng.normal(0, 2, number)
    return Labelled(rng.random(number) < expit(slope * logits), logits, np.arange(number))


def refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: Labelled) -> Path:
    monkeypatch.setattr(module, "_answered", lambda *_, **__: (given, given.logits, None))
    model, out = tiny_model(tmp_path / "model"), tmp_path / "own"
    recalibrate(model, pd.DataFrame(), out, costs=COSTS)
    return out


def test_a_model_that_is_right_already_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no better than before"):
        refused(monkeypatch, tmp_path, drawn(400, 1.0))
    assert not (tmp_path / "own").exists()


def test_no_interval_is_told_where_the_folds_found_no_calibration() -> None:
    given = drawn(400, 1.0)
    unchanged = module._judged(given, given.logits, given.logits)
    with pytest.raises(ModelError, match="no calibration was found") as refusal:
        module._check_helps(unchanged, Calibration())
    assert "nan" not in str(refusal.value)


def test_a_model_that_is_too_sure_is_calibrated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = refused(monkeypatch, tmp_path, drawn(1200, 0.3))
    points = {p["name"]: p for p in read_description(out).operating_points}
    held_out = points["sensitivity_95"]["held_out"]["figures"]["sensitivity"]
    assert held_out["value"] >= 0.93


def test_few_images_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"image_id": ["a"], "melanoma": [None], "path": [None]})
    with pytest.raises(DatasetError, match="nothing to calibrate on"):
        module._labelled(table)
    with pytest.raises(DatasetError, match="too few to calibrate on"):
        module._check_enough(drawn(15, 1.0))


def test_several_networks_are_exported_first(tmp_path: Path) -> None:
    for fold in (0, 1):
        tiny_model(tmp_path / f"fold-{fold}" / "model")
    with pytest.raises(ConfigError, match="lentigo export"):
        recalibrate(tmp_path, pd.DataFrame(), tmp_path / "own", costs=COSTS)


def test_each_image_is_judged_by_what_its_group_did_not_fit() -> None:
    after, points = cross_validated_points(drawn(600, 0.3), COSTS)
    assert np.isfinite(after).all()
    assert points["youden"].n_images == 600
    assert "sensitivity_95" in points
