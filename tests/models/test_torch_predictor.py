"""A network of torch behind the protocol of a predictor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import lentigo
from lentigo.errors import ConfigError
from lentigo.imaging.decoding.square import to_square
from lentigo.models.backend import Predictor, Preparation
from lentigo.models.engines import load_predictor
from lentigo.models.torch_engine import load_network
from lentigo.models.torch_predictor import TorchPredictor
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save


def test_an_answer_is_that_of_plain_torch_bit_for_bit(tmp_path: Path) -> None:
    config = tiny_config(training__image_size=32, imaging__size=48, imaging__fit="crop")
    network = save(tmp_path, shift=0.75, config=config)
    network.to(memory_format=torch.channels_last)
    images = [noise(60, seed)[:50] for seed in range(3)]
    squares = [to_square(image, size=48, fit="crop") for image in images]
    seen = [cv2.resize(each, (32, 32), interpolation=cv2.INTER_AREA) for each in squares]
    batch = torch.from_numpy(np.stack(seen)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        mean = (network(batch) + network(batch.flip(3))) / 2
    wanted = mean.double().numpy() - 0.75
    assert np.array_equal(lentigo.load(tmp_path).predict(images)["logit"], wanted)


def test_a_predictor_says_what_a_caller_needs_to_know(tmp_path: Path) -> None:
    config = tiny_config(
        training__image_size=32, imaging__size=48, imaging__fit="pad",
        imaging__max_pixels=5000, imaging__view=["gray", "hsv"],
    )  # fmt: skip
    save(tmp_path, config=config)
    predictor: Predictor = load_network(tmp_path)
    assert predictor.preparation == Preparation(48, "pad", 5000)
    assert predictor.image_size == 32
    assert predictor.view == ("gray", "hsv")


def test_the_engine_is_called_as_the_registry_calls_it(tmp_path: Path) -> None:
    save(tmp_path)
    assert load_predictor(tmp_path, engine="torch").engine == "torch"


def test_a_predictor_goes_to_the_device_that_is_asked_for(tmp_path: Path) -> None:
    save(tmp_path)
    predictor = load_network(tmp_path)
    assert isinstance(predictor, TorchPredictor)
    predictor.use("cpu")
    assert predictor.network.mean.device.type == "cpu"
    for name in ("toaster", "meta", "cuda:99"):
        with pytest.raises(ConfigError, match=f"no device '{name}'"):
            predictor.use(name)
