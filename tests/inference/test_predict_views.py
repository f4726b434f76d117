"""A model that was trained on a view looks at that view, and old models at RGB."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import lentigo
from lentigo.imaging.views import network_input
from lentigo.json_files import write_json
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.network import build_model
from lentigo.models.torch_engine import load_network
from lentigo.training.data import Draw, Examples
from tests.cohorts import draw_cohort, tiny_config

CARD = ModelCard(
    logit_shift=0.0, prevalence=0.1, training_images=10, training_groups=5,
    archives=[{"name": "discs"}], best_epoch=1, validation_auc=0.5,
)  # fmt: skip


@pytest.mark.parametrize("view", ["hsv_blur", ["rgb", "gray"], ["haemoglobin"]])
def test_the_model_folder_carries_the_view(tmp_path: Path, view: object) -> None:
    config = tiny_config(imaging__view=view, training__views=1)
    torch.manual_seed(0)
    network = build_model(config.model, view=config.imaging.view).eval()
    save_model_folder(network, tmp_path, card=CARD, config=config)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    shown = torch.from_numpy(network_input(image, config.imaging.view)).permute(2, 0, 1)
    with torch.inference_mode():
        wanted = float(network(shown[None]))
    answer = lentigo.load(tmp_path).predict(image)
    assert answer["logit"][0] == pytest.approx(wanted, abs=1e-4)


def test_a_model_from_before_the_views_sees_rgb(tmp_path: Path) -> None:
    config = tiny_config()
    save_model_folder(build_model(config.model), tmp_path, card=CARD, config=config)
    description = json.loads((tmp_path / "model.json").read_text())
    assert description["members"][0]["input"].pop("view") == ["rgb"]
    write_json(tmp_path / "model.json", description)
    assert load_network(tmp_path).view == ("rgb",)


def test_a_batch_is_the_view_of_what_it_was() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    rows, labels = np.arange(3), np.zeros(3, dtype=np.float32)
    augment = tiny_config().augment
    draws: list[Draw] = [(place, (0, 0, place)) for place in range(3)]
    for config in (None, augment):
        plain = Examples(images, rows, labels, size=32, config=config)
        other = Examples(images, rows, labels, size=32, config=config, view=("gray", "hsv"))
        for rgb, seen in zip(
            plain.__getitems__(draws).images, other.__getitems__(draws).images, strict=True
        ):
            wanted = network_input(rgb.permute(1, 2, 0).numpy(), ("gray", "hsv"))
            assert np.array_equal(seen.permute(1, 2, 0).numpy(), wanted)


def test_a_training_on_two_stacked_views_predicts_as_it_was_judged(tmp_path: Path) -> None:
    config = tiny_config(imaging__view=["rgb", "hsv-blur"])
    table = draw_cohort(tmp_path / "images", images=60)
    run = lentigo.train(table, config, out=tmp_path / "run")
    description = json.loads((run.folder / "fold-0" / "model" / "model.json").read_text())
    assert description["members"][0]["input"]["view"] == ["rgb", "hsv_blur"]
    assert len(description["members"][0]["input"]["mean"]) == 6
    judged = run.predictions.set_index("image_id")["logit"]
    paths = table.set_index("image_id").loc[judged.index, "path"].tolist()
    again = lentigo.load(run.folder).predict(paths).set_index("image_id")["logit"]
    assert np.allclose(again[judged.index], judged, atol=1e-3)
