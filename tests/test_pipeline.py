"""The whole story: odd files go through, the report names the bad ones."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lentigo
from lentigo import pipeline
from lentigo.json_files import to_json
from lentigo.models.description import read_description
from lentigo.output import new_folder
from lentigo.pipeline import Result, run_demo
from lentigo.stopping import Terminated
from lentigo.training.run import Run
from tests.cohorts import draw_cohort, tiny_config


@pytest.fixture(scope="module")
def odd_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of discs among which some files are odd and two are broken."""
    folder = tmp_path_factory.mktemp("odd")
    table = draw_cohort(folder, images=80)
    image = Image.open(folder / "L000.png")
    files = {name: folder / f"{name}.png" for name in ("L001", "L002", "L003", "L004")}
    for name, suffix in (
        ("L001", "jpg"),
        ("L002", "jpg"),
        ("L003", "jpg"),
        ("L004", "jpg"),
    ):
        files[name].unlink()
        files[name] = folder / f"{name}.{suffix}"
    image.convert("CMYK").save(files["L001"])
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(files["L002"], exif=exif)
    files["L003"].write_text("this is a text file")
    image.save(files["L004"])
    files["L004"].write_bytes(files["L004"].read_bytes()[:300])
    image.convert("RGBA").save(folder / "L005.png")
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
    Image.fromarray(grey).save(folder / "L006.png")
    table[["image_id", "patient_id", "age", "sex", "melanoma"]].to_csv(
        folder / "metadata.csv", index=False
    )
    return folder


@pytest.fixture(scope="module")
def result(odd_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    config = tiny_config(training__epochs=4)
    out = tmp_path_factory.mktemp("runs") / "run"
    result = lentigo.run(odd_cohort / "metadata.csv", config, out=out, format="csv")
    assert result is not None
    return result


def test_the_two_broken_files_are_named_in_the_report(result: Result) -> None:
    failures = pd.read_csv(result.run.folder / "failures.csv")
    assert sorted(failures["image_id"]) == ["L003", "L004"]
    page = result.report.read_text(encoding="utf-8")
    assert "L003" in page
    assert "L004" in page
    assert "not a medical device" in page


def test_the_model_keeps_which_answers_stay_possible(
    result: Result, odd_cohort: Path
) -> None:
    known = read_description(result.run.layout.fold(0).model).conformal
    assert known is not None
    assert known.set_on == "validation images"
    told = result.run.load().predict(odd_cohort)
    said = known.words(told["probability"].to_numpy(float))
    assert told["could_be"].tolist() == said
    assert result.model.set_coverage is not None
    assert "Which answers stay possible" in result.report.read_text(encoding="utf-8")


def test_the_odd_files_are_learnt_from_and_predicted(
    result: Result, odd_cohort: Path
) -> None:
    used = set(result.run.table["image_id"])
    assert used >= {"L001", "L002", "L005", "L006"}
    predictions = result.run.load().predict(odd_cohort).set_index("image_id")
    assert predictions["probability"].isna().sum() == 2
    assert predictions.loc["L003", "reason"]
    assert predictions.loc["L004", "reason"]


def test_the_baseline_stands_beside_on_the_same_images(result: Result) -> None:
    baseline = pd.read_csv(result.run.folder / "baseline.csv")
    assert sorted(baseline["image_id"]) == sorted(result.run.predictions["image_id"])
    story = json.loads((result.run.folder / "evaluation.json").read_text())
    assert set(story) >= {"model", "baseline", "difference", "best_reachable_auc"}
    assert story["model"]["auc"]["value"] == pytest.approx(result.model["auc"].value)
    assert story["best_reachable_auc"] is None
    assert math.isnan(result.best_reachable_auc)


def test_a_finished_run_resumes_to_the_same_result(
    result: Result, odd_cohort: Path
) -> None:
    config = tiny_config(training__epochs=4)
    again = lentigo.run(
        odd_cohort / "metadata.csv",
        config,
        out=result.run.folder,
        format="csv",
        resume=True,
    )
    assert again is not None
    assert to_json(again.model.as_dict()) == to_json(result.model.as_dict())


def test_the_embedded_data_set_knows_its_best_reachable_auc(tmp_path: Path) -> None:
    config = tiny_config(imaging__size=64, training__epochs=1)
    result = run_demo(config, out=tmp_path / "demo", images=200)
    assert result is not None
    assert 0.6 < result.best_reachable_auc <= 1
    assert result.report.is_file()
    shutil.rmtree(tmp_path / "demo-images")


def test_a_stop_after_the_training_says_how_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(run: Run) -> Result:
        with new_folder(run.folder / "model"):
            raise Terminated

    monkeypatch.setattr(pipeline, "_finish", stopped)
    with pytest.raises(Terminated, match="the same command with --resume does the rest"):
        pipeline.finish(SimpleNamespace(folder=tmp_path))  # type: ignore[arg-type]


def test_a_table_without_image_files_says_what_can_be_done(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("image_id,target\na,0\nb,1\n")
    with pytest.raises(lentigo.LentigoError, match="lentigo read"):
        lentigo.run(tmp_path / "m.csv", tiny_config(), out=tmp_path / "run", format="csv")


def test_a_run_leaves_one_folder_of_all_its_networks(tmp_path: Path) -> None:
    draw_cohort(tmp_path / "discs", images=40).to_csv(tmp_path / "t.csv", index=False)
    config = tiny_config(model__backbone="test_resnet", training__epochs=1, export=True)
    out = tmp_path / "run"
    done = lentigo.run(tmp_path / "t.csv", config, out=out, format="csv", folds=2)
    assert done is not None
    known = read_description(out / "model")
    assert [each.name for each in known.members] == ["fold-0", "fold-1"]
    assert {each.files.onnx for each in known.members} == {"model-0.onnx", "model-1.onnx"}
    image = np.zeros((40, 40, 3), dtype=np.uint8)
    whole = lentigo.load(out, engine="onnx").predict(image)["logit"][0]
    folds = [lentigo.load(out / f"fold-{k}").predict(image)["logit"][0] for k in (0, 1)]
    assert whole == pytest.approx(np.mean(folds), abs=1e-4)
    written = (out / "model" / "model.json").stat().st_mtime_ns
    lentigo.run(tmp_path / "t.csv", config, out=out, format="csv", folds=2, resume=True)
    assert (out / "model" / "model.json").stat().st_mtime_ns == written


def test_several_archives_are_learnt_from_together_and_judged_one_by_one(
    tmp_path: Path,
) -> None:
    for seed, name in enumerate(("first", "second")):
        table = draw_cohort(tmp_path / name, images=40 + 20 * seed, seed=seed)
        table.drop(columns=["dataset"]).to_csv(tmp_path / f"{name}.csv", index=False)
    config = tiny_config(training__epochs=1, training__balance="class_and_archive")
    roots = [tmp_path / "first.csv", tmp_path / "second.csv"]
    done = lentigo.run(roots, config, out=tmp_path / "run")
    assert done is not None
    assert done.run.table["dataset"].value_counts().to_dict() == {"second": 60, "first": 40}
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    parts = found["model"]["by_dataset"]["parts"]
    assert [part["name"] for part in parts] == ["first", "second"]
    assert sum(part["n_images"] for part in parts) == len(done.run.predictions)
