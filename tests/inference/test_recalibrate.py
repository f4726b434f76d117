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
from lentigo.datasets.any_table import read_any
from lentigo.errors import ConfigError, DatasetError, ModelError
from lentigo.evaluation.choosing import Costs
from lentigo.evaluation.guarantee import guaranteed_threshold
from lentigo.files import digest
from lentigo.inference import recalibrate as module
from lentigo.inference.calibrate import Labelled
from lentigo.inference.recalibrate import cross_validated_points, recalibrate
from lentigo.inference.sets import fit_sets
from lentigo.models.calibration import Calibration
from lentigo.models.description import read_description
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.metadata import MetadataEncoding, Patients
from lentigo.models.network import build_model
from lentigo.models.operating_point import read_points
from lentigo.recipes import recipe

COSTS = Costs(miss=20, excision=1)


def tiny_model(folder: Path, *, metadata: MetadataEncoding | None = None) -> Path:
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
    network = build_model(config.model, metadata=metadata)
    save_model_folder(network, folder, card=card, config=config)
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
    answered = module._Answered(given, given.logits)
    monkeypatch.setattr(module, "_answered", lambda *_, **__: answered)
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


AGES = Patients.of([40, 60], ["female", "male"], ["torso", "torso"])


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A model that takes age, sex and site, and 120 images of patients of known age."""
    folder = tmp_path_factory.mktemp("aged")
    model = tiny_model(folder / "model", metadata=MetadataEncoding.fitted(AGES, "late"))
    files, rng = images(folder / "images", 120), np.random.default_rng(1)
    table = {
        "image_id": [file.stem for file in files],
        "path": list(map(str, files)),
        "melanoma": rng.random(120) < 0.85,
        "age": rng.integers(20, 90, 120),
    }
    path = folder / "clinic.csv"
    pd.DataFrame(table).to_csv(path, index=False)
    return model, read_any(path).table


def test_what_is_promised_holds_with_and_without_age_sex_and_site(
    aged: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    model, table = aged
    recalibrate(model, table, tmp_path / "own", costs=COSTS, device="cpu")
    known = read_description(tmp_path / "own")
    points = {each["name"]: each for each in known.operating_points}
    assert points["sensitivity_95"]["without_metadata"]
    own = lentigo.load(tmp_path / "own")
    told, untold = (
        own.predict(each, device="cpu")["probability"].to_numpy()
        for each in (table, table.assign(age=np.nan))
    )
    truth = table["melanoma"].to_numpy(bool)
    less = np.where(truth, np.minimum(told, untold), np.maximum(told, untold))
    assert np.abs(told - untold).max() > 1e-4  # otherwise nothing is tested here
    found = guaranteed_threshold(less[truth], np.arange(truth.sum()), sensitivity=0.95)
    assert points["sensitivity_95"]["threshold"] == pytest.approx(found)
    sets = fit_sets(truth, less, list(map(str, range(len(truth)))), set_on="")
    assert sets is not None
    assert known.conformal is not None
    assert known.conformal.melanoma == pytest.approx(sets.melanoma)
    assert known.conformal.not_melanoma == pytest.approx(sets.not_melanoma)


def test_without_any_age_it_is_said_to_hold_without_alone(
    aged: tuple[Path, pd.DataFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, table = aged
    bare, out = table.assign(age=np.nan), tmp_path / "own"
    with caplog.at_level("WARNING"):
        recalibrate(model, bare, out, costs=COSTS, device="cpu")
    assert "these images tell nothing of that" in caplog.text
    entries = {each["name"]: each for each in read_description(out).operating_points}
    (point,) = read_points([entries["sensitivity_95"]])
    assert point.only_untold
    assert point.chosen_on == "own images without age, sex and site"
