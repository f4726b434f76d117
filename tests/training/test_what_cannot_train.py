"""Settings, labels and states that no training can go on with, and those at the edge."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from lentigo.config import Config, TrainConfig, with_settings
from lentigo.errors import ConfigError, ModelError, RunError, UnreadableFileError
from lentigo.run_layout import RunLayout
from lentigo.training.arithmetic import Arithmetic, _check_device, read_arithmetic
from lentigo.training.checkpoint import _check_stored, _is_progress
from lentigo.training.fabric import make_fabric
from lentigo.training.memory import as_many_as_fit
from lentigo.training.run_folder import _noted, note_in_environment
from lentigo.training.schedule import layer_scales, restore_optimizer
from lentigo.training.targets import Label, allowed_classes

PLAIN = Arithmetic("32-true", channels_last=True, device="cpu")
ROW = {"validation_loss": 0.5, "validation_auc": 0.8}


def test_a_batch_is_shared_evenly_by_all_devices_of_all_nodes() -> None:
    config = TrainConfig(batch_size=6, devices=2, nodes=2)
    with pytest.raises(ConfigError, match="batch_size 6 cannot be shared evenly by 4"):
        make_fabric(config, PLAIN)


def test_a_device_that_is_not_there_is_refused_in_words() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    config = TrainConfig(accelerator="cuda")
    with pytest.raises(ConfigError, match="Cannot train on 1 × cuda"):
        make_fabric(config, PLAIN)
    with pytest.raises(RunError, match="was begun on a device of the kind cuda"):
        _check_device(Arithmetic("32-true", channels_last=True, device="cuda"), Path("r"))
    _check_device(PLAIN, Path("r"))


def test_a_memory_that_is_full_is_tried_with_half() -> None:
    tried = []

    def compute(at_once: int) -> str:
        tried.append(at_once)
        if at_once > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return "done"

    assert as_many_as_fit(compute, 9, device=torch.device("cpu")) == ("done", 2)
    assert tried == [9, 5, 3, 2]


def test_one_image_that_does_not_fit_is_told_and_another_fault_is_not_taken_for_it() -> (
    None
):
    def full(at_once: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    def broken(at_once: int) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RunError, match="1 image"):
        as_many_as_fit(full, 4, device=torch.device("cpu"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        as_many_as_fit(broken, 4, device=torch.device("cpu"))


def test_the_rate_falls_from_layer_to_layer_only_where_layers_are_known() -> None:
    bare = nn.Linear(2, 2)
    assert [factor for _, factor in layer_scales(bare, 1.0)] == [1.0, 1.0]
    with pytest.raises(ModelError, match="timm knows no layers of Linear"):
        layer_scales(bare, 0.5)


def test_an_optimiser_goes_on_with_its_moments_and_the_rate_of_now() -> None:
    def learnt(width: int, rate: float) -> torch.optim.Optimizer:
        weight = nn.Parameter(torch.ones(width))
        optimizer = torch.optim.AdamW([weight], lr=rate)
        weight.sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return optimizer

    now, before = learnt(3, 0.1), learnt(3, 0.5)
    restore_optimizer(now, before.state_dict())
    assert now.param_groups[0]["lr"] == 0.1
    with pytest.raises(ValueError, match="other shapes"):
        restore_optimizer(now, learnt(4, 0.5).state_dict())


@pytest.mark.parametrize(
    ("found", "sound"),
    [
        ({"epoch": 2, "history": [ROW, ROW], "best_epoch": 2}, True),
        ({"epoch": 2, "history": [ROW, ROW], "best_epoch": 0}, True),
        ({"epoch": 2, "history": [ROW, ROW], "best_epoch": 3}, False),
        ({"epoch": 2, "history": [ROW, ROW], "best_epoch": -1}, False),
        ({"epoch": 1, "history": [ROW, ROW], "best_epoch": 1}, False),
        ({"epoch": 1, "history": [{"validation_loss": 0.5}], "best_epoch": 1}, False),
        ({"epoch": "1", "history": [ROW], "best_epoch": 1}, False),
        ({"epoch": 1, "history": [ROW]}, False),
    ],
)
def test_a_checkpoint_says_how_far_it_is(found: dict[str, object], sound: bool) -> None:
    assert _is_progress(found) is sound


def test_a_checkpoint_with_packed_parts_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    for kind, said in ((zipfile.ZIP_DEFLATED, "packed"), (zipfile.ZIP_STORED, None)):
        with zipfile.ZipFile(path, "w", kind) as file:
            file.writestr("data.pkl", b"x" * 1000)
        if said is None:
            _check_stored(path)
        else:
            with pytest.raises(UnreadableFileError, match=said):
                _check_stored(path)
    damaged = path.read_bytes().replace(b"xxxx", b"xyxx", 1)
    path.write_bytes(damaged)
    with pytest.raises(UnreadableFileError, match=r"data\.pkl is damaged"):
        _check_stored(path)


def test_notes_of_a_run_are_numbers_or_refused(tmp_path: Path) -> None:
    RunLayout(tmp_path).environment.write_text('{"seconds": 3, "kind": "x", "is": true}')
    note_in_environment(tmp_path, more=2.5)
    assert [_noted(tmp_path, name) for name in ("seconds", "more", "none")] == [3, 2.5, 0]
    for name in ("kind", "is"):
        with pytest.raises(RunError, match=f"{name} is .* and should be a number"):
            _noted(tmp_path, name)


def test_another_arithmetic_than_ours_is_refused(tmp_path: Path) -> None:
    path = RunLayout(tmp_path).arithmetic
    path.write_text(json.dumps({"precision": "32-true", "channels_last": False}))
    assert read_arithmetic(tmp_path).channels_last is False
    path.write_text('{"precision": "32-true", "channels": 3}')
    with pytest.raises(RunError, match="says of no arithmetic that we know"):
        read_arithmetic(tmp_path)


CLASSES = ("melanoma", "nevus", "basal cell carcinoma")


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        (Label(melanoma=True, malignant=True, diagnosis="nevus"), (True, False, False)),
        (Label(melanoma=False, malignant=None, diagnosis=None), (False, True, True)),
        (Label(melanoma=None, malignant=None, diagnosis=None), (True, True, True)),
        (Label(melanoma=False, malignant=None, diagnosis="nevus"), (False, True, False)),
        (Label(melanoma=None, malignant=False, diagnosis=None), (False, True, False)),
        # Neither class is a dermatofibroma's: all stay allowed, but for melanoma.
        (
            Label(melanoma=False, malignant=False, diagnosis="dermatofibroma"),
            (False, True, True),
        ),
        (
            Label(melanoma=None, malignant=False, diagnosis="dermatofibroma"),
            (True, True, True),
        ),
    ],
)
def test_a_label_allows_the_classes_that_it_does_not_exclude(
    label: Label, allowed: tuple[bool, ...]
) -> None:
    assert allowed_classes(label, CLASSES) == allowed


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"training.method": "logistic", "model.hidden": 8}, "linear head: model.hidden=0"),
        ({"training.method": "logistic", "model.lora_rank": 4}, "trains no backbone"),
    ],
)
def test_a_logistic_regression_has_a_linear_head_and_a_fixed_backbone(
    settings: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        with_settings(Config(), settings)
