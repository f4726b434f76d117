"""Maps, their table and their page on disk; `lentigo explain` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import LentigoError, ModelError, UnknownNameError
from lentigo.explanation.run import load_explainer
from lentigo.reports.explanations.write import COLUMNS, write_explanations
from tests.imaging.segmentation.test_find import skin, with_disc
from tests.inference.test_predict import save

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
    assert page.count("fails the sanity check: says nothing") == list(
        table["says_nothing"]
    ).count("True")


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
