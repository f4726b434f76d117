"""Two photographs of one lesion, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import lentigo
from lentigo.cli.app import app
from lentigo.figures.images import plot_images
from lentigo.reports.change import write
from tests.imaging.segmentation.test_find import skin, with_disc
from tests.inference.test_predict import save


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("changed")
    for name, radius in (("before", 20), ("after", 30)):
        Image.fromarray(with_disc(skin(), (100, 75), radius)).save(folder / f"{name}.png")
    save(folder / "model")
    return folder


def call(folder: Path, *words: object) -> tuple[int, str]:
    pair = ["change", folder / "before.png", folder / "after.png"]
    done = CliRunner().invoke(app, [str(word) for word in (*pair, *words)])
    return done.exit_code, done.output


def test_measures_figure_and_caution(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scale = ["--mm-per-pixel-before", 0.1, "--mm-per-pixel-after", 0.1]
    code, said = call(folder, "--out", out, "--model", folder / "model", *scale)
    assert code == 0, said
    assert "Diameter in millimetres: +" in said
    assert "Distance by the features of the model" in said
    assert "a melanoma may look unchanged" in said
    assert ("By the model, of the photograph before: may be no dermoscopy" in said) == (
        "may be no dermoscopy" in lentigo.load(folder / "model").predict(
            folder / "before.png")["reason"][0]
    )  # fmt: skip
    rows = pd.read_csv(out / "change.csv").set_index("measure")
    change = rows["after"] - rows["before"]
    assert rows["change"].to_numpy() == pytest.approx(change.to_numpy(), nan_ok=True)
    assert rows["after"].to_dict()["feature_distance"] <= 2
    with Image.open(out / "change.png") as figure:
        assert figure.size[0] > 1000


def test_json_and_errors(folder: Path, tmp_path: Path) -> None:
    code, said = call(folder, "--out", tmp_path / "j", "--json")
    assert code == 0
    assert json.loads(said)["scaled"] is False
    code, said = call(folder, "--out", tmp_path / "k", "--mm-per-pixel-after", -1)
    assert code == 1
    assert "--mm-per-pixel-after is -1; give a number above 0" in said
    code, said = call(folder, "--out", tmp_path / "k", "--mm-per-pixel-before", 50)
    assert code == 1
    assert "give 0.02" in said
    done = CliRunner().invoke(
        app,
        ["change", str(folder), str(folder / "after.png"), "--out", str(tmp_path / "l")],
    )
    assert done.exit_code == 1
    assert "holds 2 images; give one photograph" in " ".join(done.output.split())


def test_differences_stand_above_the_figure_and_doubts_below_their_photograph(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    captions: list[str] = []

    def plot(images: Any, below: list[str], **more: Any) -> Any:
        captions.extend(below)
        return plot_images(images, below, **more)

    monkeypatch.setattr(write, "plot_images", plot)
    monkeypatch.setattr(write, "headed", lambda _, title: titles.append(title))
    with Image.open(folder / "before.png") as one:
        one.convert("L").save(tmp_path / "grey.png")
    pair = folder / "before.png", tmp_path / "grey.png"
    said = write.write_change(*pair, tmp_path / "out").sentences
    assert titles[0].startswith("Diameter in pixels: ")
    assert "grey" not in titles[0]
    grey = "The photograph after is grey, so colours are not compared."
    assert grey in said
    assert (grey in captions[0], grey in " ".join(captions[1].split())) == (False, True)


def test_why_a_model_gives_no_answer_is_said_of_the_model() -> None:
    assert write._doubt("after", "not answered: too dark to judge") == (
        "The model gives no answer for the photograph after: too dark to judge."
    )
    assert write._doubt("before", "") == ""
