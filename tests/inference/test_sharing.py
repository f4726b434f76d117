"""What a cluster is asked for and answers; here this process stands in for it."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lentigo.errors import ConfigError, RunError
from lentigo.inference.inputs import find_sources
from lentigo.inference.journal import Journal
from lentigo.inference.predict import load, task
from lentigo.inference.sharing import answer_of, asked_of, check_same_model, threads_of
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sharing")
    config = tiny_config(model__backbone="test_resnet", training__image_size=32)
    save(folder / "model", config=config)
    (folder / "images").mkdir()
    for seed in range(21):
        Image.fromarray(noise(24, seed)).save(folder / "images" / f"{seed:02}.png")
    (folder / "images" / "17.png").write_bytes(b"broken")
    return folder


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(function: Any, items: Iterable[Any], **_: Any) -> Iterator[Any]:
        for item in items:  # sent there and back
            there, asked = pickle.loads(pickle.dumps((function, item)))
            yield pickle.loads(pickle.dumps(there(asked)))

    monkeypatch.setattr("lentigo.inference.sharing.on_ray", here)
    monkeypatch.setattr("lentigo.inference.sharing.check_place", lambda *_: None)


def test_the_rows_are_those_of_one_machine_also_after_a_stop(
    place: Path, tmp_path: Path
) -> None:
    sources = find_sources([place / "images"])
    alone = load(place / "model").predict_sources(sources, batch_size=2)
    there = load(place / "model", on="ray")
    assert there.predict_sources(sources, batch_size=2).equals(alone)  # 16 and 5 images
    asked = task([place / "model"], sources, [], 2, loaded=there)
    journal = Journal(tmp_path / "p.csv", asked, resume=False)
    batches = there._shared(sources, 0, 2, "auto")
    for _ in range(3):
        journal.add(next(batches))
    rest = there.predict_sources(sources, batch_size=2, journal=journal)
    assert rest.equals(alone)
    journal.finish()


def test_another_model_or_an_image_that_is_not_seen_there_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_of([place / "model"], "torch", None, 2)
    check_same_model(asked)
    with pytest.raises(RunError, match="another model in"):
        check_same_model(replace(asked, digests=("0" * 64,)))
    unseen = str(place / "images" / "03.png")
    monkeypatch.setattr(
        "lentigo.inference.predict.answer_of",
        lambda *given: replace(answer_of(*given), unseen=[unseen]),
    )
    with pytest.raises(RunError, match=r"does not see .*03\.png"):
        load(place / "model", on="ray").predict(place / "images")


def test_a_cluster_computes_on_processors(place: Path) -> None:
    with pytest.raises(ConfigError, match="computes on processors; --device cuda"):
        load(place / "model", on="ray", device="cuda")


def test_torch_has_as_many_threads_there_as_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads_of({"torch", "onnx"}) == 3
    assert threads_of({"onnx"}) == 1
