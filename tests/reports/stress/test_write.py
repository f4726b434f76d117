"""A stress test on disk, as a person types it, stopped and gone on with."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.datasets.any_table import read_any
from lentigo.errors import DatasetError, DatasetNotFoundError, RunError
from lentigo.inference.inputs import as_sources
from lentigo.models.backend import Preparation
from lentigo.reports.stress import write
from lentigo.reports.stress.write import Options, write_stress
from lentigo.robustness import answers
from tests.imaging.segmentation.test_find import skin, with_disc
from tests.inference.test_predict import save


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stressed")
    save(folder / "model")
    (folder / "masks").mkdir()
    lines = ["image_id,patient_id,melanoma,path"]
    for number in range(6):
        image = with_disc(skin(seed=number), (100, 75), 20 + 3 * number)
        Image.fromarray(image).save(folder / f"i{number}.png")
        lines.append(f"i{number},p{number // 2},{number % 2},i{number}.png")
    mask = np.zeros((150, 200), np.uint8)
    mask[60:90, 80:120] = 255
    Image.fromarray(mask).save(folder / "masks" / "i0_mask.png")
    (folder / "table.csv").write_text("\n".join(lines))
    return folder


def call(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


def test_answers_scores_figures_and_page_are_written(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, said = call("stress", folder / "model", folder / "table.csv", "--out", out,
                      "--only", "views,ruler,hidden", "--mask", folder / "masks",
                      "--device", "cpu")  # fmt: skip
    assert code == 0, said
    assert "6.5 to 22 % of lesions" in said
    rows = pd.read_csv(out / "answers.csv")
    assert len(rows) == 6
    assert rows["ruler_5"].between(0, 1).all()
    scores = pd.read_csv(out / "scores.csv")
    assert len(scores) == 7 + 5 + 3
    told = json.loads((out / "stress.json").read_text())
    assert told["n_images"] == 6
    assert told["operating_point"] == ""
    page = (out / "index.html").read_text(encoding="utf-8")
    for name in ("stress_views", "stress_drawn", "stress_hidden", "example"):
        assert (out / "figures" / f"{name}.png").is_file()
        assert f"figures/{name}.png" in page
    assert "not a medical device" in page.lower()
    assert not list(out.glob("*.unfinished"))


def test_a_mask_that_cannot_be_used_hides_nothing_and_the_example_shows_the_given_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "i0.png").write_text("no image")
    wide = np.zeros((60, 200), np.uint8)  # the image is 150 × 200
    wide[20:40, 80:120] = 255
    Image.fromarray(wide).save(masks / "i2.png")
    right = np.zeros((150, 200), np.uint8)
    right[120:145, 10:40] = 255  # and not where the disc is
    Image.fromarray(right).save(masks / "i1.png")
    drawn: list[np.ndarray] = []

    def spied(square: np.ndarray, _: object, lesion: np.ndarray, **__: object) -> None:
        drawn.append(lesion)

    monkeypatch.setattr(write, "shown_as", spied)
    table = read_any(folder / "table.csv").table
    asked = Options(only=("hidden",), device="cpu", mask=masks)
    found = write_stress(folder / "model", table, tmp_path / "out", asked)
    hidden = found.answers.set_index("image_id").filter(like="lesion")
    assert hidden.isna().all(axis=1).tolist() == [True, False, True, False, False, False]
    assert any("In 2 images" in note for note in found.notes)
    # The first melanoma is i1: its mask is in the lower left corner.
    y, x = np.nonzero(drawn[0])
    side = len(drawn[0])
    assert (x.mean() / side, y.mean() / side) == pytest.approx((0.125, 0.88), abs=0.03)


def test_a_lost_photograph_is_not_put_down_to_its_mask(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = read_any(folder / "table.csv").table.head(1)
    lost = tmp_path / "i0.png"
    lost.write_text("no image")
    with ExitStack() as stack:
        lesion_of, _ = write._lesions(folder / "masks", table.assign(path=str(lost)), stack)
        (source,) = as_sources(table.assign(path=str(lost)))
        square = np.zeros((64, 64, 3), np.uint8)
        assert lesion_of(source, square, Preparation(64, "pad", 10**6)) is None
    assert "An image cannot be read again" in caplog.text
    assert "The mask" not in caplog.text


def test_a_test_that_was_stopped_goes_on_to_the_same_numbers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = read_any(folder / "table.csv").table
    asked = Options(only=("darker",), batch_size=2, device="cpu")
    whole = write_stress(folder / "model", table, tmp_path / "whole", asked)
    once = answers._answered
    calls: list[int] = []

    def twice(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return once(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(answers, "_answered", twice)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt, match="Stopped after 4 images"):
        write_stress(folder / "model", table, out, asked)
    assert [path.name for path in out.iterdir()] == ["answers.csv.unfinished"]
    with pytest.raises(RunError, match="--resume"):
        write_stress(folder / "model", table, out, asked)
    resumed = Options(only=("darker",), batch_size=2, device="cpu", resume=True)
    found = write_stress(folder / "model", table, out, resumed)
    assert len(calls) == 4  # two batches, the one that was stopped, and that again
    pd.testing.assert_frame_equal(found.answers, whole.answers)
    with pytest.raises(RunError, match="is finished already"):
        write_stress(folder / "model", table, out, resumed)


def test_a_finished_test_has_nothing_left_to_do(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["stress", folder / "model", folder / "table.csv", "--out", out, "--device",
             "cpu"]  # fmt: skip
    assert call(*words, "--only", "darker")[0] == 0
    before = (out / "stress.json").stat().st_mtime_ns
    code, said = call(*words, "--only", "darker", "--resume")
    assert (code, (out / "stress.json").stat().st_mtime_ns) == (0, before)
    assert f"Page: {out / 'index.html'}" in said.replace("\n", "")
    code, said = call(*words, "--only", "darker", "--resume", "--json")
    assert code == 0
    assert json.loads(said[said.index("{") :])["n_images"] == 6
    code, said = call(*words, "--only", "ink", "--resume")
    assert code == 1
    assert "another choice of disturbances" in " ".join(said.split())
    code, said = call(*words, "--only", "darker")
    assert code == 1
    assert "not empty" in " ".join(said.split())


def test_another_test_is_not_gone_on_with(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = read_any(folder / "table.csv").table
    monkeypatch.setattr("lentigo.reports.stress.write._write", _stop)
    with pytest.raises(KeyboardInterrupt):
        write_stress(folder / "model", table, tmp_path, Options(only=("ruler",)))
    with pytest.raises(RunError, match="another prediction"):
        write_stress(folder / "model", table, tmp_path, Options(only=("ink",), resume=True))


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_reference_has_to_be_a_stress_test(folder: Path, tmp_path: Path) -> None:
    table = read_any(folder / "table.csv").table
    asked = Options(only=("ruler",), reference=folder)
    with pytest.raises(DatasetNotFoundError, match="no stress test"):
        write_stress(folder / "model", table, tmp_path / "out", asked)
    (tmp_path / "scores.csv").write_text("condition,strength\nruler,1\n")
    asked = Options(only=("ruler",), reference=tmp_path)
    with pytest.raises(DatasetError, match="no column balanced_error"):
        write_stress(folder / "model", table, tmp_path / "out", asked)
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_no_disturbance_is_refused_at_once(
    folder: Path, tmp_path: Path
) -> None:
    code, said = call("stress", folder / "model", folder / "table.csv", "--out",
                      tmp_path / "out", "--only", "rulers")  # fmt: skip
    assert code == 1
    assert "ruler" in said
    assert not (tmp_path / "out").exists()
