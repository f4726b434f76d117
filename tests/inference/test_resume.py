"""A prediction that was stopped goes on, and gives the same file to the byte."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import lentigo
from lentigo.cli.app import app
from lentigo.errors import ConfigError
from lentigo.inference.inputs import find_sources
from lentigo.inference.journal import Journal, journal_of
from lentigo.inference.predict import Model, load, task
from lentigo.models.backend import Images, Logits
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save

CONFIG = tiny_config(model__backbone="test_resnet", training__image_size=32)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    save(folder / "model", config=CONFIG)
    (folder / "images").mkdir()
    for seed in range(11):
        Image.fromarray(noise(40, seed)).save(folder / "images" / f"{seed:02}.png")
    (folder / "images" / "07.png").write_bytes(b"broken")
    return folder


class Stopping:
    """A network that is stopped when it is asked once too often."""

    def __init__(self, network: Any, *, after: int) -> None:
        self.network, self.left = network, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def answers(self, squares: Images, **given: Any) -> Logits:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return np.asarray(self.network.answers(squares, **given))


def stopped_after(model: Model, batches: int) -> Model:
    (one,) = model.ensembles
    (network,) = one.members
    members: Any = (Stopping(network, after=batches),)
    return replace(model, ensembles=(replace(one, members=members),))


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_what_is_done_is_not_computed_again(
    place: Path, tmp_path: Path, batches: int
) -> None:
    sources = find_sources([place / "images"])
    asked = task([place / "model"], sources, ["torch"], 4)
    model, out = load(place / "model", engine="torch"), tmp_path / "p.csv"
    whole = model.predict_sources(sources, batch_size=4)
    journal = Journal(out, asked, resume=False)
    with pytest.raises(KeyboardInterrupt):
        stopped_after(model, batches).predict_sources(
            sources, batch_size=4, journal=journal
        )
    journal.close()
    again = Journal(out, asked, resume=True)
    assert len(again.done) == batches
    rest = stopped_after(model, 3 - batches)  # no more than is left
    found = rest.predict_sources(sources, batch_size=4, journal=again)
    again.finish()
    assert found.equals(whole)
    assert found["reason"].ne("").sum() >= 1
    assert not list(tmp_path.iterdir())


def call(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["predict", *map(str, arguments)])


def test_the_command_goes_on_where_it_was_stopped(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = (place / "model", place / "images", "--batch-size", 4)
    assert call(*given, "--out", tmp_path / "whole.csv").exit_code == 0
    out = tmp_path / "p.csv"
    with monkeypatch.context() as patched:
        patched.setattr(
            "lentigo.inference.predict.load",
            lambda *args, **kwargs: stopped_after(load(*args, **kwargs), 2),
        )
        stopped = call(*given, "--out", out)
    assert stopped.exit_code == 130
    assert "Stopped after 8 images. Give the same command with --resume" in stopped.output
    assert not out.exists()
    assert "Give --resume to go on with it" in call(*given, "--out", out).output
    other = call(*given, "--views", 8, "--out", out, "--resume")
    assert "is of another prediction" in other.output
    assert call(*given, "--out", out, "--resume").exit_code == 0
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not journal_of(out).exists()
    assert (
        "is there, and none of its predictions is left"
        in call(*given, "--out", out, "--resume").output
    )


def test_a_finished_table_is_not_taken_for_another_one(place: Path, tmp_path: Path) -> None:
    given, out = (place / "model", place / "images"), tmp_path / "p.csv"
    assert call(*given, "--out", out).exit_code == 0
    for also, said in {
        ("--views", 8): "number of views (2, not 8)",
        ("--prevalence", 0.02): "share of melanoma (None, not 0.02)",
        ("--operating-point", "none"): "operating point (auto, not none)",
        ("--engine", "onnx"): "engine (torch, not onnx)",
    }.items():
        again = call(*given, *also, "--out", out, "--resume")
        assert again.exit_code == 1
        assert said in again.output
    fewer = call(place / "model", place / "images" / "01.png", "--out", out, "--resume")
    assert "set of images" in fewer.output
    shutil.copytree(place / "model", tmp_path / "refitted")
    described = tmp_path / "refitted" / "model.json"
    described.write_text(described.read_text() + "\n")
    refitted = call(tmp_path / "refitted", place / "images", "--out", out, "--resume")
    assert (refitted.exit_code, "another model" in refitted.output) == (1, True)
    same = call(*given, "--views", 2, "--engine", "torch", "--out", out, "--resume")
    assert (same.exit_code, "not known" in same.output) == (0, False)
    out.write_text(out.read_text() + "\n")  # another file by now
    assert "is not known" in call(*given, "--views", 8, "--out", out, "--resume").output


def test_a_submission_that_failed_says_what_to_do_next(place: Path, tmp_path: Path) -> None:
    given = (place / "model", place / "images", "--out", tmp_path / "p.csv")
    asked = ("--submission", tmp_path / "s.csv")
    for resume in ((), ("--resume",)):
        failed = call(*given, *asked, *resume)
        assert failed.exit_code == 1, failed.output
        assert "1 image without a probability (07)" in failed.output
        assert "into another --out" in failed.output
    assert not (tmp_path / "s.csv").exists()


def test_the_submission_of_a_finished_table_is_made_of_it(
    place: Path, tmp_path: Path
) -> None:
    images = (place / "images" / "00.png", place / "images" / "01.png")
    for table in ("p.csv", "p.jsonl"):
        out, made = tmp_path / table, tmp_path / f"{table}.late.csv"
        at_once = tmp_path / f"{table}.at_once.csv"
        given = (place / "model", *images, "--out", out)
        assert call(*given, "--submission", at_once).exit_code == 0
        late = call(*given, "--submission", made, "--resume")
        assert late.exit_code == 0, late.output
        pd.testing.assert_frame_equal(pd.read_csv(made), pd.read_csv(at_once))
    out.write_text(out.read_text() + "\n")
    other = call(*given, "--submission", tmp_path / "other.csv", "--resume")
    assert "how it was made is not known" in other.output
    assert not (tmp_path / "other.csv").exists()


@pytest.fixture
def by_lesion(place: Path, tmp_path: Path) -> tuple[object, ...]:
    """The words of a prediction of eight images, two a lesion, in batches of four."""
    files = sorted((place / "images").iterdir())[:8]
    rows = [f"{path.stem},{path},l{number // 2}" for number, path in enumerate(files)]
    table = tmp_path / "lesions.csv"
    table.write_text("\n".join(["image_id,path,lesion_id", *rows]))
    return place / "model", table, "--by", "lesion", "--batch-size", 4


def test_a_table_beside_a_stopped_prediction_is_not_replaced(
    by_lesion: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With images left to do, neither table can be of the prediction that was stopped."""
    out, beside = tmp_path / "p.csv", tmp_path / "p.lesions.csv"
    with monkeypatch.context() as patched:
        patched.setattr(
            "lentigo.inference.predict.load",
            lambda *args, **kwargs: stopped_after(load(*args, **kwargs), 1),
        )
        assert call(*by_lesion, "--out", out).exit_code == 130
    for foreign in (out, beside):
        foreign.write_text("a year of work")
        refused = call(*by_lesion, "--out", out, "--resume")
        assert refused.exit_code == 1
        assert f"{foreign} is there, and the prediction that was stopped" in refused.output
        assert foreign.read_text() == "a year of work"
        foreign.unlink()
    assert call(*by_lesion, "--out", out, "--resume").exit_code == 0
    assert len(beside.read_text().splitlines()) == 1 + 4


def test_what_a_killed_prediction_wrote_last_is_known_by_its_bytes(
    by_lesion: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, beside = tmp_path / "p.csv", tmp_path / "p.lesions.csv"
    with monkeypatch.context() as patched:  # all is computed, and the lesions are written
        patched.setattr("lentigo.cli.options.write_parts_out", interrupted)
        assert call(*by_lesion, "--out", out).exit_code == 130
    own = beside.read_bytes()
    beside.write_text("a year of work")
    refused = call(*by_lesion, "--out", out, "--resume")
    assert refused.exit_code == 1
    assert f"{beside} is there already" in refused.output
    assert beside.read_text() == "a year of work"
    beside.write_bytes(own)
    assert call(*by_lesion, "--out", out, "--resume").exit_code == 0
    assert beside.read_bytes() == own
    assert len(out.read_text().splitlines()) == 1 + 8


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("also", [("--submission", "{}/other.csv"), ("--by", "lesion")])
def test_what_lies_beside_a_new_table_is_not_resumed(
    place: Path, tmp_path: Path, also: tuple[str, str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"image_id,path,lesion_id\na,{place / 'images' / '00.png'},l\n")
    for name in ("other.csv", "p.lesions.csv"):
        (tmp_path / name).write_text("a year of work")
    words = [word.format(tmp_path) for word in also]
    done = call(place / "model", table, "--out", tmp_path / "p.csv", *words, "--resume")
    assert done.exit_code == 1
    assert "is there already; give another place" in done.output
    for name in ("other.csv", "p.lesions.csv"):
        assert (tmp_path / name).read_text() == "a year of work"
    assert not (tmp_path / "p.csv").exists()


def test_predictions_are_written_as_lines_of_json(place: Path, tmp_path: Path) -> None:
    assert (
        call(place / "model", place / "images", "--out", tmp_path / "p.jsonl").exit_code
        == 0
    )
    assert (
        call(place / "model", place / "images", "--out", tmp_path / "p.csv").exit_code == 0
    )
    lines = (tmp_path / "p.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["image_id"] for row in rows] == [f"{seed:02}" for seed in range(11)]
    assert rows[7]["probability"] is None
    assert rows[7]["reason"]
    assert 0 < rows[0]["probability"] < 1


def test_a_number_of_views_is_one_of_three(place: Path) -> None:
    with pytest.raises(ConfigError, match="1, 2 or 8"):
        lentigo.load(place / "model", views=3)
    eight = lentigo.load(place / "model", views=8)
    image = noise(40, 1)
    answers = [eight.predict(turned)["logit"][0] for turned in (image, np.rot90(image))]
    assert answers[0] == pytest.approx(answers[1], abs=1e-3)


def test_standard_input_names_the_images(place: Path, tmp_path: Path) -> None:
    names = "\n".join(map(str, sorted((place / "images").glob("0[0-2].png"))))
    command = ["predict", str(place / "model"), "-", "--out", str(tmp_path / "p.csv")]
    done = CliRunner().invoke(app, command, input=names + "\n")
    assert done.exit_code == 0, done.output
    assert "3 of 3 images" in done.output
    command[-1] = str(tmp_path / "q.csv")
    nothing = CliRunner().invoke(app, command, input="\n")
    assert "Standard input names no file" in nothing.output


@pytest.mark.slow
def test_20_kills_give_the_bytes_of_an_unbroken_run(place: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for seed in range(2_000):
        Image.fromarray(noise(24, seed)).save(images / f"{seed:04}.png")
    command = [sys.executable, "-c", "from lentigo.cli.app import app; app()", "predict"]
    command += [str(place / "model"), str(images), "--batch-size", "16", "--out"]
    began = time.monotonic()
    subprocess.run([*command, str(tmp_path / "whole.csv")], check=True, capture_output=True)
    seconds = time.monotonic() - began
    rng = np.random.default_rng(0)
    for trial in range(20):
        out = tmp_path / f"{trial}.csv"
        process = subprocess.Popen([*command, str(out)], stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, seconds))
        process.send_signal(signal.SIGKILL)
        process.wait()
        subprocess.run([*command, str(out), "--resume"], check=True, capture_output=True)
        assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
        assert not journal_of(out).exists()
