"""Several networks answer together, each for the image as it was trained to see it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lentigo
from lentigo.config import Config
from lentigo.errors import ConfigError, DatasetNotFoundError
from lentigo.imaging.kind.unlike import DOUBT
from lentigo.inference import rows as module
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save

SMALL = tiny_config(training__image_size=32, imaging__size=48)
OTHERS = {
    "another square": tiny_config(training__image_size=32, imaging__size=96),
    "another size": tiny_config(training__image_size=64, imaging__size=48),
    "another view": tiny_config(
        training__image_size=32, imaging__size=48, imaging__view=["hsv_blur", "gray"]
    ),
    "another scaling": tiny_config(
        training__image_size=32, imaging__size=48, model__mean=[0.1, 0.2, 0.3],
        model__std=[0.5, 0.6, 0.7],
    ),
    "another fit": tiny_config(
        training__image_size=32, imaging__size=48, imaging__fit="crop"
    ),
    "all of it": tiny_config(
        training__image_size=64, imaging__size=160, imaging__fit="pad",
        imaging__view="gray", imaging__max_pixels=1_000_000, model__backbone="test_resnet",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _decoded_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no processes: twenty predictions would wait for them (see test_squares)."""
    monkeypatch.setattr(sys, "executable", "")


def pair(folder: Path, other: Config) -> list[Path]:
    """A model of 32 pixels, and another one."""
    save(folder / "small", shift=0.5, config=SMALL)
    save(folder / "other", seed=1, config=other)
    return [folder / "small", folder / "other"]


def photos(folder: Path) -> list[Any]:
    """A JPEG that is decoded at a fraction of its size, and a small PNG, none square."""
    folder.mkdir(exist_ok=True)
    rough = Image.fromarray(noise(30))
    rough.resize((800, 600)).save(folder / "a.jpg", quality=90)
    rough.resize((90, 60)).save(folder / "b.png")
    return [folder / "a.jpg", folder / "b.png"]


@pytest.mark.parametrize("name", OTHERS)
def test_two_networks_answer_the_mean_of_what_each_answers_alone(
    tmp_path: Path, name: str
) -> None:
    models, images = pair(tmp_path, OTHERS[name]), [*photos(tmp_path), noise(70)[:50]]
    first, second = (lentigo.load(path).predict(images)["logit"] for path in models)
    assert (first != second).all()
    for order in (models, models[::-1]):
        both = lentigo.load(order).predict(images)
        assert np.array_equal(both["logit"], (first + second) / 2)
        assert both["probability"].to_numpy() == pytest.approx(
            1 / (1 + np.exp(-(first + second) / 2))
        )


def test_the_folds_of_a_run_may_differ_in_what_they_see(tmp_path: Path) -> None:
    save(tmp_path / "fold-0" / "model", config=SMALL)
    save(tmp_path / "fold-1" / "model", seed=1, config=OTHERS["all of it"])
    images = photos(tmp_path / "photos")
    each = [
        lentigo.load(tmp_path / fold).predict(images)["logit"]
        for fold in ("fold-0", "fold-1")
    ]
    both = lentigo.load(tmp_path).predict(images)["logit"]
    assert np.array_equal(both, (each[0] + each[1]) / 2)


@pytest.mark.parametrize("refusing", [0, 1])
def test_an_image_that_one_network_refuses_has_no_answer(
    tmp_path: Path, refusing: int
) -> None:
    strict = tiny_config(
        training__image_size=32, imaging__size=48, imaging__max_pixels=10_000
    )
    models = pair(tmp_path, strict)
    table = lentigo.load(models if refusing else models[::-1]).predict(photos(tmp_path))
    assert table["probability"].isna().tolist() == [True, False]
    assert "a.jpg" in table["reason"][0]
    assert lentigo.load(models[0]).predict(photos(tmp_path))["probability"].notna().all()


def test_a_doubt_in_one_way_to_prepare_an_image_is_a_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = pair(tmp_path, OTHERS["another square"])
    for side in (48, 96):
        monkeypatch.setattr(module, "kind_of", len)
        monkeypatch.setattr(
            module,
            "doubt_of",
            lambda found, side=side: f"{DOUBT} {side}" if found == side else "",
        )
        table = lentigo.load(models).predict([noise(), noise(50)])
        assert table["reason"].tolist() == [f"{DOUBT} {side}"] * 2
        assert table["probability"].notna().all()


def test_a_network_that_would_count_twice_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "run" / "fold-0" / "model", config=SMALL)
    with pytest.raises(ConfigError, match="given twice"):
        lentigo.load([tmp_path / "run", tmp_path / "run" / "fold-0"])


def test_every_model_has_to_be_there(tmp_path: Path) -> None:
    save(tmp_path / "small", config=SMALL)
    with pytest.raises(DatasetNotFoundError, match="gone"):
        lentigo.load([tmp_path / "small", tmp_path / "gone"])
    with pytest.raises(ConfigError, match="No model was given"):
        lentigo.load([])
