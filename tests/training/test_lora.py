"""A run with low-rank adapters leaves a model like any other, and goes on when stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import lentigo
from lentigo.config import with_settings
from lentigo.export import export
from lentigo.models.network import build_model
from lentigo.stopping import Terminated, listening
from lentigo.tables import read_any_table
from lentigo.training.loop import fit
from tests.cohorts import draw_cohort, tiny_config
from tests.training.test_trainer import stop_after, trainer

RANK = 2
VIT = {"model__backbone": "test_vit", "model__backbone_args": {"img_size": 32}}
ADAPTED = tiny_config(
    **VIT, model__lora_rank=RANK, training__batch_size=8, training__average=0.9,
    training__frozen_epochs=1, training__frozen_views=1, split__folds=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(5)
    backbone = build_model(tiny_config(**VIT).model).backbone
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    state = backbone.state_dict()
    save_file({f"teacher.backbone.{name}": value for name, value in state.items()}, path)
    return path


@pytest.fixture(scope="module")
def run(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    folder = tmp_path_factory.mktemp("adapted")
    config = with_settings(
        ADAPTED, {"model.weights": str(weights), "training.frozen_epochs": 0}
    )
    return lentigo.train(draw_cohort(folder / "discs", images=32), config, out=folder / "r")


def test_what_is_saved_differs_in_attention_alone_and_by_the_rank(
    run: lentigo.Run, weights: Path
) -> None:
    saved = load_file(run.layout.fold(0).model / "model.safetensors")
    began = load_file(weights)
    changed = []
    for name, before in began.items():
        after = saved["backbone." + name.removeprefix("teacher.backbone.")]
        if torch.equal(before, after):
            continue
        changed.append(name)
        sizes = torch.linalg.svdvals((after - before).double())
        assert sizes[RANK] < 1e-2 * sizes[0]  # what is beyond is rounding
    assert len(changed) == 2 * sum(name.endswith("attn.qkv.weight") for name in began)
    assert all(name.endswith(("attn.qkv.weight", "attn.proj.weight")) for name in changed)


def test_torch_and_onnx_answer_what_the_training_predicted(
    run: lentigo.Run, tmp_path: Path
) -> None:
    wanted = read_any_table(run.layout.predictions)
    paths = run.table.set_index("image_id")["path"].loc[wanted["image_id"]].tolist()
    export(run.folder, out=tmp_path / "onnx")
    for folder in (run.folder, tmp_path / "onnx"):
        told = lentigo.load(folder).predict(paths)
        assert np.allclose(told["raw_logit"], wanted["raw_logit"], atol=1e-4)


@pytest.mark.parametrize("steps", [2, 5], ids=["frozen", "adapting"])
def test_stopped_it_goes_on_from_that_very_step(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trainer(tmp_path / "whole", ADAPTED)
    fit(whole)
    with monkeypatch.context() as patched:
        stop_after(patched, steps)
        with pytest.raises(Terminated, match="Stopped; fold-0 is saved"), listening():
            fit(trainer(tmp_path / "fold-0", ADAPTED))
    resumed = trainer(tmp_path / "fold-0", ADAPTED)
    fit(resumed)
    weights = whole.judged.state_dict()
    assert any("weight.0.b" in name and value.any() for name, value in weights.items())
    assert all(torch.equal(v, weights[k]) for k, v in resumed.judged.state_dict().items())
