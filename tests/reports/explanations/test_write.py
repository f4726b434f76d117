"""Maps, their table and their page on disk; `lentigo explain` as a person types it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import lentigo
from lentigo.cli.app import app
from lentigo.datasets.any_table import read_any
from lentigo.errors import LentigoError, ModelError, UnknownNameError
from lentigo.explanation.occlusion import logits_of
from lentigo.explanation.run import load_explainer, map_of
from lentigo.explanation.served import Examiner, Wish
from lentigo.imaging.decoding.square import to_square
from lentigo.inference.predict import load
from lentigo.models.description import read_description, write_folder
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.metadata import Patients
from lentigo.reports.explanations.write import COLUMNS, write_explanations
from tests.imaging.segmentation.test_find import skin, with_disc
from tests.inference.test_predict import save
from tests.models.test_metadata import CONFIG as FUSED
from tests.models.test_metadata import network_of
from tests.service.conftest import add_index, write_images

METHODS = ["occlusion", "grad_cam", "grad_cam_plus_plus", "integrated_gradients"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    save(folder / "model")
    Image.fromarray(with_disc(skin(), (100, 75), 30)).save(folder / "one #1.png")
    (folder / "broken.jpg").write_text("no image")
    return folder


def test_each_map_is_a_picture_values_and_a_row_and_all_are_on_one_page(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = ["explain", str(folder / "model"), str(folder / "one #1.png"),
             str(folder / "broken.jpg"), "--out", str(out)]  # fmt: skip
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "1 map fail" in done.stdout
    assert all(f"\n{name}: " in f"\n{done.stdout}" for name in METHODS)
    assert "broken.jpg" in done.stderr
    table = pd.read_csv(out / "explanations.csv", keep_default_na=False)
    assert list(table) == list(COLUMNS)
    assert list(table["method"]) == [*METHODS, ""]
    for name in METHODS:
        heat = np.load(out / f"one #1.{name}.npy")
        assert heat.shape == (48, 48)
        assert 0 <= heat.min() <= heat.max() <= 1
        for ending in ("png", "map.png"):
            with Image.open(out / f"one #1.{name}.{ending}") as picture:
                assert picture.size == (48, 48)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "one%20%231.grad_cam.png" in page
    assert "not a medical device" in page.lower()
    assert "broken.jpg" in page
    nothing, even = table["says_nothing"].eq("True"), table["likeness"].eq("")
    assert page.count("fails the sanity check: says nothing") == (nothing & ~even).sum()
    assert page.count("the same everywhere: says nothing") == (nothing & even).sum()


def test_json_counts_the_maps(folder: Path, tmp_path: Path) -> None:
    asked = ["explain", str(folder / "model"), str(folder / "one #1.png"), "--json",
             "--method", "grad-cam", "--out", str(tmp_path / "j")]  # fmt: skip
    said = json.loads(CliRunner().invoke(app, asked).stdout)
    assert (said["methods"], said["maps"]) == (["grad_cam"], 1)


def test_a_method_that_is_none_or_does_not_fit_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError, match="grad_cam"):
        load_explainer(folder / "model", methods=["gradcam"])
    with pytest.raises(ModelError, match="cannot be explained by attention_rollout"):
        load_explainer(folder / "model", methods=["attention_rollout"])
    with pytest.raises(LentigoError):
        write_explanations(folder / "nothing", [folder / "one #1.png"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_that_cannot_be_loaded_are_told_where_another_engine_explains(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = lentigo.load(folder / "model")

    def load(path: Path, *, engine: str, device: str) -> object:
        if engine == "torch":
            raise ModelError("model.safetensors is damaged.")
        return model

    monkeypatch.setattr("lentigo.explanation.run.load", load)
    load_explainer(folder / "model")
    assert "model.safetensors is damaged. The maps are computed by" in caplog.text


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes age, sex and site, and a table of two images of one patient."""
    folder = tmp_path_factory.mktemp("fused")
    card = ModelCard(
        logit_shift=0.0, prevalence=0.1, training_images=4, training_groups=4,
        archives=[], best_epoch=1, validation_auc=0.5,
    )  # fmt: skip
    save_model_folder(
        network_of("film", ("melanoma", "nevus")), folder / "model", card=card, config=FUSED
    )
    lines = ["image_id,path,age,sex,site"]
    for number, about in enumerate(("60,female,torso", ",,")):
        image = with_disc(skin(seed=number), (100, 75), 30)
        Image.fromarray(image).save(folder / f"{number}.png")
        lines.append(f"{number},{number}.png,{about}")
    (folder / "table.csv").write_text("\n".join(lines))
    return folder


def test_the_probability_is_that_of_predict_with_the_same_age_sex_and_site(
    fused: Path, tmp_path: Path
) -> None:
    done = write_explanations(
        fused / "model", [fused / "table.csv"], tmp_path / "out", methods=["grad_cam"]
    )
    own = load(fused / "model", engine="torch", device="cpu")
    answers = own.predict(read_any(fused / "table.csv").table)
    known, bare = done.table["probability"]
    assert done.table["probability"].to_list() == pytest.approx(
        answers["probability"].to_list(), abs=1e-4
    )
    assert known != bare
    assert done.table["metadata"].to_list() == ["age, sex, site", "none"]
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "(age, sex and site used: age, sex, site)" in page
    assert "with the age, sex and site that were used" in page


@pytest.mark.parametrize("method", METHODS)
def test_the_maps_are_of_the_same_patient(fused: Path, method: str) -> None:
    explainer = load_explainer(fused / "model", methods=[method])
    (network,) = explainer.model.members
    square = explainer.square(np.asarray(Image.open(fused / "0.png")))
    patient = Patients.of([60], ["female"], ["torso"])
    told = map_of(method, network, square, patient=patient)
    bare = map_of(method, network, square)
    unknown = map_of(method, network, square, patient=Patients.unknown(1))
    assert not np.array_equal(told, bare)
    np.testing.assert_allclose(unknown, bare, atol=1e-6)
    assert network.metadata is not None
    numbers = np.repeat(network.metadata.encode(patient), 2, axis=0)
    twice = np.stack([square, square[::-1]])
    np.testing.assert_allclose(
        logits_of(network, twice, patient=patient),
        network.answers(np.ascontiguousarray(twice), looks=1, metadata=numbers)[0],
    )


def test_the_service_explains_with_the_patient_of_the_request(fused: Path) -> None:
    examiner = Examiner(load(fused / "model", engine="torch"), fused / "model")
    image = np.asarray(Image.open(fused / "0.png"))
    way = examiner._model.members[0].preparation
    squares = {way: to_square(image, size=way.size, fit=way.fit)}
    wish = Wish(methods=("occlusion",), lesion=False)
    asked = replace(wish, age=60.0, sex="female", site="torso")
    areas = [
        examiner.examine(each, squares, image).maps[0]["deletion"] for each in (wish, asked)
    ]
    assert areas[0] != areas[1]
    assert Wish(**asdict(asked)).about.age.tolist() == [60]


def test_an_image_that_the_model_refuses_has_a_map_and_no_number(tmp_path: Path) -> None:
    images = write_images(tmp_path / "in", count=2)
    save(tmp_path / "model")
    add_index(tmp_path / "model", images)
    content = read_description(tmp_path / "model").model_dump(mode="json")
    content.pop("files")
    near = {"name": "neighbours", "middle": -5, "spread": 1}
    content["members"][0]["abstention"] = {"signals": [near], "limit": 1e-3}
    write_folder(tmp_path / "model", content)
    out = tmp_path / "out"
    asked = ["explain", str(tmp_path / "model"), str(images), "--method", "grad_cam",
             "--out", str(out)]  # fmt: skip
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "0: not answered: looks like nothing I learnt from" in done.stderr
    table = pd.read_csv(out / "explanations.csv")
    assert table["probability"].isna().all()
    assert table["abstain"].tolist() == ["yes", "yes"]
    assert table["reason"].str.startswith("not answered: ").all()
    assert table["overlay"].notna().all()
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count('Probability of melanoma: not known <span class="unsound">not') == 2
