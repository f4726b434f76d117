"""`lentigo predict`: several models, and refusals that wait for nothing heavy."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import lentigo
from lentigo.cli import predict
from lentigo.cli.app import app
from lentigo.cli.predict_said import Said, Tally
from lentigo.inference.decide import Decision
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.journal import Journal, journal_of
from lentigo.inference.predict import Model
from lentigo.models.operating_point import OperatingPoint
from tests.cohorts import tiny_config
from tests.inference.test_ensembles import OTHERS
from tests.inference.test_predict import CONFIG, noise, save

_WITHOUT_TORCH = """
import json, sys
for name in ("torch", "timm", "torchvision", "safetensors", "sklearn", "matplotlib"):
    sys.modules[name] = None  # whoever imports it fails
from typer.testing import CliRunner
from lentigo.cli.app import app
said = [CliRunner().invoke(app, line).stderr for line in json.load(sys.stdin)]
print(json.dumps(said))
"""

REFUSED = {
    "no model": ("{}/gone {}/a.png --out {}/p.csv", "no run or model folder"),
    "no model in it": ("{}/empty {}/a.png --out {}/p.csv", "holds no finished model"),
    "a broken description": ("{}/broken {}/a.png --out {}/p.csv", "does not describe"),
    "a view of nobody": ("{}/unknown {}/a.png --out {}/p.csv", "view"),
    "no weights": ("{}/bare {}/a.png --out {}/p.csv", "There is no file"),
    "a second model that is not there": (
        "{}/model {}/a.png --also {}/gone --out {}/p.csv", "no run or model folder"
    ),
    "a second model that is broken": (
        "{}/model {}/a.png --also {}/broken --out {}/p.csv", "does not describe"
    ),
    "the same model again": (
        "{}/model {}/a.png --also {}/model --out {}/p.csv", "given twice"
    ),
    "no image": ("{}/model {}/gone.png --out {}/p.csv", "no image, folder or table"),
    "a folder without images": ("{}/model {}/empty --out {}/p.csv", "holds no image"),
    "a table without paths": ("{}/model {}/t.csv --out {}/p.csv", "no column path"),
    "no format for the answer": ("{}/model {}/a.png --out {}/p.txt", ".parquet or .jsonl"),
    "a folder for the answer": ("{}/model {}/a.png --out {}/d.csv", "is a folder"),
    "the input as answer": ("{}/model {}/t.csv --out {}/t.csv", "t.csv"),
    "no such device": ("{}/model {}/a.png --out {}/p.csv --device toaster", "toaster"),
    "no image a step": ("{}/model {}/a.png --out {}/p.csv --batch-size 0", "batch-size"),
    "a sample of other images": (
        "{}/model {}/a.png --out {}/p.csv --submission {}/s.csv --like {}/l.csv", "l.csv"
    ),
    "the sample as answer": (
        "{}/model {}/a.png --out {}/o.csv --submission {}/s.csv --like {}/o.csv", "o.csv"
    ),
    "nothing at all": ("{}/model {}/a.png --out {}/p.csv", "needs torch"),
}  # fmt: skip
"""What is given to `lentigo predict`, and a word of what it answers."""


def test_what_cannot_be_predicted_is_refused_before_torch_is_loaded(tmp_path: Path) -> None:
    save(tmp_path / "model")
    description = (tmp_path / "model" / "model.json").read_text()
    for name, content in {
        "bare": description,
        "broken": '{"format": 1}',
        "unknown": description.replace('"rgb"', '"magic"'),
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text(content)
    for name in ("empty", "d.csv"):
        (tmp_path / name).mkdir()
    Image.fromarray(noise()).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("image_id,sex\nelsewhere,female\n")
    (tmp_path / "o.csv").write_text("image_name,target\na,0.5\n")
    (tmp_path / "l.csv").write_text("image_name,target\nsomebody,0.5\n")
    lines = [
        ["predict", *line.replace("{}", str(tmp_path)).split()]
        for line, _ in REFUSED.values()
    ]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH], input=json.dumps(lines),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for (name, (_, wanted)), said in zip(
        REFUSED.items(), json.loads(done.stdout), strict=True
    ):
        assert wanted in said, f"{name}: {said}"
        if name != "nothing at all":
            assert "pip install" not in said, name


_OTHER_ENGINE = """
import sys
sys.modules["torch"] = sys.modules["timm"] = None
import numpy as np
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.predict import Model
from lentigo.inference.thresholds import decision_sentences
from lentigo.models.backend import Preparation
class Brightness:
    engine, image_size, view, diagnoses = "numpy", 8, ("rgb",), ()
    metadata = None
    preparation = Preparation(8, "stretch", 10**6)
    def use(self, device):
        self.device = device
    def answers(self, squares):
        assert squares.shape == (2, 8, 8, 3) and squares.dtype == np.uint8
        return squares.mean(axis=(1, 2, 3))[None] - 100
model = Model((Ensemble(members=(Brightness(),)),))
images = [np.full((20, 30, 3), value, np.uint8) for value in (101, 98)]
table = model.predict(images, device="cpu")
assert model.members[0].device == "cpu"
print(table["logit"].tolist(), decision_sentences(model, model.decision()))
"""


def test_another_engine_than_torch_can_answer() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _OTHER_ENGINE], capture_output=True, text=True
    )
    assert done.stdout == "[1.0, -2.0] []\n", done.stderr


def test_models_given_together_answer_their_mean_on_the_command_line(
    tmp_path: Path,
) -> None:
    save(tmp_path / "one", config=CONFIG)
    save(tmp_path / "two", seed=1, config=OTHERS["all of it"])
    Image.fromarray(noise(90)[:60]).save(tmp_path / "a.png")
    image, out = str(tmp_path / "a.png"), tmp_path / "p.csv"
    line = ["predict", str(tmp_path / "one"), image, "--also", str(tmp_path / "two")]
    done = CliRunner().invoke(app, [*line, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "has no limit of abstention" in done.stdout
    assert " ".join(done.stderr.split()).count("learnt from some of these images") == 1
    each = [
        lentigo.load(tmp_path / name).predict(image)["logit"][0] for name in ("one", "two")
    ]
    assert pd.read_csv(out)["logit"][0] == pytest.approx(np.mean(each), rel=1e-12)


def test_answers_can_be_a_bundle_of_fhir(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fhir.resources.bundle import Bundle

    save(tmp_path / "model", config=CONFIG)
    (tmp_path / "images").mkdir()
    for name, seed in (("a", 0), ("c", 1)):
        Image.fromarray(noise(60, seed)).save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "images" / "b.png").write_text("no image")
    words = [
        "predict",
        str(tmp_path / "model"),
        str(tmp_path / "images"),
        "--format",
        "fhir",
    ]
    out = tmp_path / "report.json"
    done = CliRunner().invoke(app, [*words, "--out", str(out)])
    assert done.exit_code == 0, done.output
    bundle: Any = Bundle.model_validate_json(out.read_text(encoding="utf-8"))
    kinds = [each.resource.get_resource_type() for each in bundle.entry]
    assert sorted(kinds) == ["Device", "DiagnosticReport", *["Observation"] * 3]
    found = {
        each.resource.identifier[0].value: each.resource
        for each in bundle.entry
        if each.resource.get_resource_type() == "Observation"
    }
    own = lentigo.load(tmp_path / "model").predict(tmp_path / "images")
    for name, probability in zip(own["image_id"], own["probability"], strict=True):
        quantity = found[name].valueQuantity
        if name == "b":
            assert quantity is None
            assert found[name].dataAbsentReason is not None
        else:
            assert float(quantity.value) == pytest.approx(probability, abs=1e-9)
    refused = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "p.csv")])
    assert refused.exit_code != 0
    assert ".json" in refused.output
    assert not (tmp_path / "p.csv").exists()
    given = [*words, "--out", str(tmp_path / "lesions.json"), "--by", "lesion"]
    lesions = CliRunner().invoke(app, given)
    assert "leave it out: --format fhir" in " ".join(lesions.output.split())
    _killed_before_the_end_of_the_journal(words, tmp_path / "killed.json", monkeypatch)
    _replaced_while_it_was_predicted(words, tmp_path, monkeypatch)


def _killed_before_the_end_of_the_journal(
    words: list[str], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle is written and its journal still there: it is known as our own."""
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "finish", _stop)
        stopped = CliRunner().invoke(app, [*words, "--out", str(out)])
    assert stopped.exit_code == 130
    written = out.read_bytes()
    again = CliRunner().invoke(app, [*words, "--out", str(out), "--resume"])
    assert again.exit_code == 0, again.output
    assert out.read_bytes() == written
    assert not journal_of(out).exists()


def _stop(_: object) -> None:
    raise KeyboardInterrupt


def _replaced_while_it_was_predicted(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, out = predict._write, folder / "replaced.json"

    def late(*given: Any) -> None:
        Image.fromarray(noise(60, 9)).save(folder / "images" / "a.png")
        own(*given)

    with monkeypatch.context() as patch:
        patch.setattr(predict, "_write", late)
        assert CliRunner().invoke(app, [*words, "--out", str(out)]).exit_code == 0
    again = CliRunner().invoke(app, [*words, "--out", str(out), "--resume"])
    assert "made with another set of images" in again.output


def _said(rows: dict[str, list[str]], point: OperatingPoint) -> str:
    """Print what `predict` says of answers of three images, called at `point`."""
    table = pd.DataFrame(
        {"image_id": list("abc"), "probability": [0.2, 0.1, 0.3], "reason": ["", "", ""]}
        | rows
    )
    model = Model((Ensemble(members=()),))
    decision = Decision(meant_for=None, asked_for=None, point=point)
    tally = Tally.of([table])
    said = Said(
        tally=tally, model=model, decision=decision, out=Path("p.csv"), lesions=None,
        views=None,
    )  # fmt: skip
    printed = io.StringIO()
    with redirect_stdout(printed):
        said.show(as_json=False)
    return " ".join(printed.getvalue().split())


SURE = OperatingPoint(
    name="sensitivity_95", kind="guaranteed_sensitivity", threshold=0.1, sensitivity=0.95,
    confidence=0.95,
)  # fmt: skip


def test_a_call_that_the_set_leaves_out_is_explained() -> None:
    sets = ["not melanoma", "not melanoma", "melanoma or not"]
    said = _said({"call": ["melanoma", "not melanoma", "melanoma"], "could_be": sets}, SURE)
    assert "1 image is called melanoma, and could_be says not melanoma" in said
    same = _said({"call": ["not melanoma"] * 3, "could_be": sets}, SURE)
    assert "could_be" not in same


def test_no_guarantee_is_claimed_of_images_without_metadata() -> None:
    """Unless the threshold was also chosen on answers without age, sex and site."""
    used = {"metadata": ["none", "age, sex", "none"]}
    assert "2 images had no age, sex or site: of such" in _said(used, SURE)
    assert "the model used: age (1), sex (1) and site (0)." in _said(used, SURE)
    both = SURE.model_copy(update={"without_metadata": True})
    assert "guarantees nothing" not in _said(used, both)
    told = _said({"metadata": ["age"] * 3}, SURE)
    assert "guarantees nothing" not in told
    assert "columns age, sex and site" not in told
    assert "columns age, sex and site" in _said({"metadata": ["none"] * 3}, SURE)


def test_only_other_views_than_those_of_the_training_are_told(tmp_path: Path) -> None:
    save(tmp_path / "model", config=tiny_config(training__views=1))
    Image.fromarray(noise(60, 0)).save(tmp_path / "a.png")
    words = ["predict", str(tmp_path / "model"), str(tmp_path / "a.png"), "--out"]
    for views, told in (("1", False), ("2", True)):
        given = [*words, str(tmp_path / f"{views}.csv"), "--views", views]
        done = CliRunner().invoke(app, given)
        assert ("may hold less well" in done.output) is told, done.output
