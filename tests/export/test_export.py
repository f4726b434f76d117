"""A run becomes one folder that answers alike with every engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lentigo
from lentigo.errors import (
    ConfigError,
    DatasetNotFoundError,
    ImageError,
    ModelError,
    RunError,
)
from lentigo.export import export
from lentigo.export.agreement import check_agreement
from lentigo.files import digest
from lentigo.inference.inputs import as_sources
from lentigo.models.description import read_description
from lentigo.models.engines import load_predictor
from lentigo.models.operating_point import read_points
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save

CONFIG = tiny_config(model__backbone="test_resnet", training__image_size=32)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of one network, exported, with the images beside it."""
    folder = tmp_path_factory.mktemp("export")
    save(folder / "model", shift=0.5, config=CONFIG)
    (folder / "images").mkdir()
    for seed in range(6):
        Image.fromarray(noise(60, seed)).save(folder / "images" / f"{seed}.png")
    export(folder / "model", folder / "out", images=[folder / "images"])
    return folder


def test_every_engine_gives_one_image_the_same_probability(exported: Path) -> None:
    images = [noise(60, seed) for seed in range(5)]
    tables = {
        name: lentigo.load(exported / "out", engine=name).predict(images)["probability"]
        for name in ("torch", "onnx", "openvino")
    }
    for table in tables.values():
        assert np.abs(table - tables["torch"]).max() < 1e-5
    before = lentigo.load(exported / "model", engine="torch").predict(images)
    assert (before["probability"] == tables["torch"]).all()


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_an_answer_does_not_depend_on_the_batch_nor_on_the_order(
    exported: Path, engine: str
) -> None:
    images = [noise(60, seed) for seed in range(9)]
    model = lentigo.load(exported / "out", engine=engine)
    whole = model.predict(images)["logit"].to_numpy()
    single = [model.predict(each)["logit"][0] for each in images]
    turned = model.predict(images[::-1], batch_size=4)["logit"].to_numpy()[::-1]
    assert np.abs(whole - single).max() < 1e-5
    assert np.abs(whole - turned).max() < 1e-5


def test_the_folder_says_what_is_in_it_and_what_it_costs(exported: Path) -> None:
    known = read_description(exported / "out")
    (member,) = known.members
    assert sorted(known.files) == ["card.md", "model.onnx", "model.safetensors"]
    assert member.cost is not None
    assert member.cost.parameters > 300_000
    # 32 × 32 pixels, counted by hand for the first layer alone: more than that in all.
    assert (member.cost.multiply_adds or 0) > 100_000
    assert {name.split(",")[0] for name in member.cost.images_a_second} >= {"torch", "onnx"}


def test_a_file_of_onnx_names_nothing_of_the_machine_that_made_it(exported: Path) -> None:
    content = (exported / "out" / "model.onnx").read_bytes()
    assert str(Path.home()).encode() not in content
    assert b".py" not in content


def test_an_export_without_images_says_which_to_give(
    exported: Path, tmp_path: Path
) -> None:
    with pytest.raises(DatasetNotFoundError, match="--images"):
        export(exported / "model", tmp_path / "out")
    with pytest.raises(ConfigError, match="--int8"):
        export(
            exported / "model", tmp_path / "out", images=[exported / "images"], int8=True
        )
    assert not (tmp_path / "out").exists()


def test_an_export_overwrites_nothing(exported: Path) -> None:
    with pytest.raises(RunError, match="not empty"):
        export(exported / "model", exported / "out", images=[exported / "images"])


def test_networks_that_answer_otherwise_are_refused(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "out", tmp_path / "changed")
    path = tmp_path / "changed" / "model.json"
    known = json.loads(path.read_text())
    # The ONNX file of another network, honestly described.
    save(tmp_path / "other", seed=7, config=CONFIG)
    export(tmp_path / "other", tmp_path / "theirs", images=[exported / "images"])
    shutil.copyfile(tmp_path / "theirs" / "model.onnx", path.with_name("model.onnx"))
    theirs = json.loads((tmp_path / "theirs" / "model.json").read_text())
    known["files"]["model.onnx"] = theirs["files"]["model.onnx"]
    path.write_text(json.dumps(known))
    with pytest.raises(ModelError, match="answers otherwise than torch"):
        check_agreement(tmp_path / "changed", as_sources([noise(60, 1), noise(60, 2)]))


def test_an_engine_without_its_file_is_refused(exported: Path) -> None:
    with pytest.raises(ModelError, match="lentigo export"):
        lentigo.load(exported / "model", engine="onnx")
    with pytest.raises(ModelError, match="no file for the engine onnx-int8"):
        lentigo.load(exported / "out", engine="onnx-int8")


@pytest.mark.parametrize("engine", ["torch", "onnx", "openvino"])
def test_eight_looks_do_not_care_how_a_lesion_lies(exported: Path, engine: str) -> None:
    predictor = load_predictor(exported / "out", engine=engine)
    image = noise(predictor.preparation.size, 3)
    turned = np.stack([image, np.rot90(image), image[::-1], np.rot90(image)[:, ::-1]])
    eight = predictor.answers(turned, looks=8)[0]
    assert np.abs(eight - eight[0]).max() < 1e-4
    assert np.ptp(predictor.answers(turned, looks=1)[0]) > 1e-3
    two = predictor.answers(np.stack([image, image[:, ::-1]]), looks=2)[0]
    assert two[0] == pytest.approx(two[1], abs=1e-5)
    assert predictor.answers(image[None])[0, 0] == two[0]  # as it was judged


def test_the_mean_of_two_folds_has_no_threshold_and_says_why(
    exported: Path, tmp_path: Path
) -> None:
    point = {"name": "sensitivity_95", "kind": "guaranteed_sensitivity", "threshold": 0.2}
    for fold in range(2):
        model = tmp_path / "run" / f"fold-{fold}" / "model"
        save(model, seed=fold, config=CONFIG)
        known = json.loads((model / "model.json").read_text())
        text = json.dumps(known | {"operating_points": [point | {"sensitivity": 0.95}]})
        (model / "model.json").write_text(text)
    export(tmp_path / "run", tmp_path / "out", images=[exported / "images"])
    (found,) = read_points(read_description(tmp_path / "out").operating_points)
    assert (found.name, found.sensitivity) == ("sensitivity_95", 0.95)
    assert found.threshold is None
    assert "lentigo calibrate" in found.absent
    assert len(lentigo.load(tmp_path / "out").members) == 2


_STOPPED = """
import os, signal, sys
import numpy as np
from lentigo.models.engines import load_predictor
from lentigo.models.operating_point import read_points
from lentigo.stopping import Terminated, listening
from pathlib import Path
for _ in range(2):
    predictor = load_predictor(Path(sys.argv[1]), engine=sys.argv[2])
    size = predictor.preparation.size
    predictor.answers(np.zeros((9, size, size, 3), np.uint8))
    del predictor
try:
    with listening():
        os.kill(os.getpid(), signal.SIGTERM)
except Terminated:
    print("heard")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_a_signal_is_heard_after_an_engine_was_used(exported: Path, engine: str) -> None:
    command = [sys.executable, "-c", _STOPPED, str(exported / "out"), engine]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_images_that_cannot_be_shown_are_refused_before_a_network_is_written(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lentigo.export.run._written", lambda *_: pytest.fail("written"))
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "text.png").write_text("no image")
    for name, why in (("pipe.png", "no ordinary file"), ("text.png", "text.png")):
        with pytest.raises(ImageError, match=rf"^None of 1 image .*{why}.*--images"):
            export(exported / "model", tmp_path / "out", images=[tmp_path / name])
    assert not (tmp_path / "out").exists()


def test_an_index_that_cannot_be_read_is_told_before_a_network_is_written(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with a pipe for an index was refused after ten seconds of a core."""
    folder = tmp_path / "model"
    shutil.copytree(exported / "model", folder)
    (folder / "index.npz").write_text("no index")
    description = json.loads((folder / "model.json").read_text())
    description["members"][0]["files"]["index"] = "index.npz"
    description["files"]["index.npz"] = {"sha256": digest(folder / "index.npz")}
    (folder / "model.json").write_text(json.dumps(description))
    monkeypatch.setattr(
        "lentigo.models.onnx_export.write_onnx", lambda *_, **__: pytest.fail("written")
    )
    for said in ("is no index of a model", "no ordinary file"):
        with pytest.raises(ModelError, match=said):
            export(folder, tmp_path / "out", images=[exported / "images"])
        (folder / "index.npz").unlink(missing_ok=True)
        os.mkfifo(folder / "index.npz")
    assert not (tmp_path / "out").exists()
