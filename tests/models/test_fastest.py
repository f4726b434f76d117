"""`auto` takes the engine that is fastest here, and remembers what it measured."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ModelError
from lentigo.export import export
from lentigo.inference.journal import engine_of, journal_of
from lentigo.inference.predict import load
from lentigo.models import fastest as module
from lentigo.models.engines import ENGINES, Engine
from lentigo.models.fastest import fastest
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save
from tests.inference.test_resume import stopped_after

CONFIG = tiny_config(model__backbone="test_resnet", training__image_size=32)
SPEEDS = {
    "onnx": 5.0,
    "torch": 1.0,
    "openvino": 9.0,
    "onnx-int8": 50.0,
    "openvino-int8": 90.0,
}
"""Images a second of engines that are as slow as large networks."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with files for every engine; the 8-bit file is the exact one."""
    place = tmp_path_factory.mktemp("fastest")
    save(place / "trained", config=CONFIG)
    (place / "images").mkdir()
    for seed in range(3):
        Image.fromarray(noise(40, seed)).save(place / "images" / f"{seed}.png")
    export(place / "trained", place / "model", images=[place / "images"])
    known = json.loads((place / "model" / "model.json").read_text())
    shutil.copyfile(place / "model" / "model.onnx", place / "model" / "same.onnx")
    known["members"][0]["files"]["onnx_int8"] = "same.onnx"
    known["files"]["same.onnx"] = known["files"]["model.onnx"]
    (place / "model" / "model.json").write_text(json.dumps(known))
    return place


Measured = list[str]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Measured:
    """Engines that were measured, which are as fast as `SPEEDS` says; an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names: Measured = []

    def seconds(kind: object, engine: Engine, device: str, share: float) -> float:
        names.append(engine.name)
        return 1 / SPEEDS[engine.name]

    monkeypatch.setattr(module, "_seconds_an_image", seconds)
    return names


def remembered(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache" / "lentigo" / "engines").iterdir()
    return found


def test_the_fastest_exact_engine_is_taken_said_and_remembered(
    folder: Path, measured: Measured, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="lentigo")
    assert fastest([folder / "model"], images=1000) == "openvino"
    assert measured == ["onnx", "torch", "openvino"]  # never 8 bits
    assert "openvino: 9 images a second on this machine, onnx 5 and torch 1" in caplog.text
    assert fastest([folder / "model"], images=1000) == "openvino"
    assert len(measured) == 3
    assert json.loads(remembered(tmp_path).read_text())["images_a_second"] == {
        name: speed for name, speed in SPEEDS.items() if "int8" not in name
    }


def test_nothing_is_measured_that_cannot_pay_back(
    folder: Path, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fastest([folder / "model"], images=199) == "auto"
    assert fastest([folder / "trained"], images=1000) == "auto"  # torch alone
    assert measured == []
    monkeypatch.setitem(SPEEDS, "onnx", 100.0)  # 1,000 images take it 10 seconds
    assert fastest([folder / "model"], images=1000) == "auto"
    assert measured == ["onnx"]


def test_the_first_engine_stays_where_another_is_hardly_faster(
    folder: Path, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPEEDS, "openvino", 5.4)
    assert fastest([folder / "model"], images=1000) == "onnx"


Spoil = Callable[[Path], object]


def foreign(place: Path) -> None:
    content = json.loads(place.read_text())
    content["of"]["processor"] = "another one"
    place.write_text(json.dumps(content))


def rates(found: object) -> Spoil:
    def spoil(place: Path) -> None:
        content = json.loads(place.read_text())
        place.write_text(json.dumps({**content, "images_a_second": found}))

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda place: place.write_text(""),
        lambda place: place.write_bytes(b"\xff\x00"),
        lambda place: place.write_text("[1]"),
        lambda place: place.write_text(place.read_text()[:40]),
        lambda place: place.write_text("{" + " " * 200_000 + "}"),
        foreign,
        rates([5.0]),
        rates({}),
        rates({"onnx": "fast"}),
        rates({"onnx": -1.0, "torch": 9.0}),
        rates({"onnx": 5.0, "onnx-int8": 50.0}),
        rates({"torch": 9.0}),
        rates({"onnx": True}),
    ],
)
def test_a_broken_or_foreign_cache_file_is_ignored(
    folder: Path, measured: Measured, tmp_path: Path, spoil: Spoil
) -> None:
    fastest([folder / "model"], images=1000)
    spoil(remembered(tmp_path))
    assert fastest([folder / "model"], images=1000) == "openvino"
    assert len(measured) == 6


def test_a_cache_that_cannot_be_written_ends_nothing(
    folder: Path, measured: Measured, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    assert fastest([folder / "model"], images=1000) == "openvino"


def test_an_engine_that_cannot_load_a_network_is_left_out(
    folder: Path, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds(kind: object, engine: Engine, device: str, share: float) -> float:
        if engine.name == "openvino":
            raise ModelError("It cannot.")
        return 1 / SPEEDS[engine.name]

    monkeypatch.setattr(module, "_seconds_an_image", seconds)
    assert fastest([folder / "model"], images=1000) == "onnx"


def test_measuring_takes_about_a_second(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "PAYS_BACK", 0.0)
    taken = fastest([folder / "model"], images=1000)
    found = json.loads(remembered(tmp_path).read_text())["images_a_second"]
    assert list(found) == ["onnx", "torch", "openvino"]
    assert taken in ENGINES
    assert module._SECONDS == 1.0
    assert load(folder / "model", images=1000).engine == taken


def test_a_prediction_that_goes_on_keeps_to_its_engine(
    folder: Path, measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["predict", str(folder / "model"), str(folder / "images"), "--batch-size", "1"]
    monkeypatch.setattr(module, "FEWEST_IMAGES", 0)
    monkeypatch.setattr(module, "PAYS_BACK", 0.0)
    whole, out = tmp_path / "whole.csv", tmp_path / "p.csv"
    CliRunner().invoke(app, [*given, "--out", str(whole)])
    with monkeypatch.context() as patched:
        patched.setattr(
            "lentigo.inference.predict.load",
            lambda *args, **kwargs: stopped_after(load(*args, **kwargs), 2),
        )
        CliRunner().invoke(app, [*given, "--out", str(out)])
    assert engine_of(out) == "openvino"
    remembered(tmp_path).unlink()
    monkeypatch.setitem(SPEEDS, "torch", 99.0)
    CliRunner().invoke(app, [*given, "--out", str(out), "--resume"])
    assert out.read_bytes() == whole.read_bytes()


def test_8_bits_are_not_taken_from_a_journal_unasked(folder: Path, tmp_path: Path) -> None:
    given = ["predict", str(folder / "model"), str(folder / "images"), "--resume"]
    out = tmp_path / "p.csv"
    head = {"task": "another", "images": 3, "engine": "onnx-int8"}
    journal_of(out).write_text(json.dumps(head) + "\n")
    other = CliRunner().invoke(app, [*given, "--out", str(out)])
    assert "is of another prediction" in other.output


@pytest.mark.parametrize(
    "head", ["", "{", "[]", '{"engine": 3}', '{"engine": "' + "x" * 9000]
)
def test_the_engine_of_a_spoilt_journal_is_not_known(tmp_path: Path, head: str) -> None:
    journal_of(tmp_path / "p.csv").write_text(head)
    assert engine_of(tmp_path / "p.csv") == ""
