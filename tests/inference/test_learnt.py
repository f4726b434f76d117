"""Which images a model learnt from is known without its run folder, too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.cli.evaluate import _with_learnt
from lentigo.evaluation import evaluate
from lentigo.inference.abstention.fit import Seen, make_index
from lentigo.inference.learnt import (
    hardly_known,
    held_out_images,
    learnt_images,
    unknowable,
)
from lentigo.models.backend import Looked
from lentigo.models.description import read_description, write_folder
from lentigo.models.index import write_index
from lentigo.run_layout import RunLayout
from lentigo.tables import read_any_table
from tests.inference.test_predict import save
from tests.reports.report_fakes import write_run


def indexed(
    folder: Path, names: Sequence[str] = ("a", "b", "c", "d"), archives: Sequence[str] = ()
) -> Path:
    """Write a model that learnt from images a, b, c and d, d of an ISIC patient."""
    save(folder)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4, 8)).astype(np.float32)
    looked = Looked(np.zeros((1, 4)), features, np.zeros((1, 4)), np.zeros((1, 4)))
    table = pd.DataFrame(
        {
            "image_id": list(names), "group_id": ["1", "1", "2", "IP_0000007"],
            "melanoma": [True, False, False, False], "diagnosis": [None] * 4,
        }
    )  # fmt: skip
    seen = Seen(looked, np.empty((6, 0)), np.arange(4, dtype=np.uint64))
    write_index(make_index(seen, table), folder / "index.npz")
    content = read_description(folder).model_dump(mode="json", exclude={"files"})
    content["members"][0]["files"]["index"] = "index.npz"
    content["training"]["archives"] = [{"name": name} for name in archives]
    write_folder(folder, content)
    return folder


@pytest.mark.parametrize(
    ("learnt", "shown"),
    [
        ("ham10000:ISIC_0024306", "ISIC_0024306"),
        ("ISIC_0024306", "ham10000:ISIC_0024306"),
        ("ham10000:ISIC_0024306", "isic2019:ISIC_0024306"),
    ],
)
def test_an_image_of_combined_archives_is_known_by_its_own_name(
    learnt: str, shown: str, tmp_path: Path
) -> None:
    names = ["clinic:7", learnt, "c", "d"]
    model = indexed(tmp_path / "model", names, ["ham10000", "clinic"])
    # Image 7 of anybody is not that of the clinic, unless its table says so.
    predictions = pd.DataFrame({"image_id": [shown, "7", "ISIC_0000001"]})
    assert learnt_images(model, [predictions]) == [shown]
    predictions["dataset"] = ["mine", "clinic", None]
    assert learnt_images(model, [predictions]) == [shown, "7"]


def test_a_model_folder_outside_its_run_knows_its_training_images(tmp_path: Path) -> None:
    predictions = pd.DataFrame(
        {
            "image_id": ["a", "new", "c", "other"],
            # Patient 1 of another clinic is another one; an ISIC patient is the same.
            "group_id": ["9", "1", "IP_0000008", "IP_0000007"],
            "path": "gone.jpg",
            "probability": 0.5,
        }
    )
    model = indexed(tmp_path / "model")
    assert learnt_images(model, [predictions]) == ["a", "c", "other"]
    assert "those that chose its epoch" in hardly_known(model)
    assert unknowable(model) == ""
    no_groups = predictions.drop(columns="group_id")
    assert learnt_images(model, [no_groups]) == ["a", "c"]


def test_where_nothing_is_known_of_the_training_images_that_is_said(tmp_path: Path) -> None:
    save(tmp_path / "model")
    assert "has no index" in hardly_known(tmp_path / "model")
    part = pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"], "probability": [0.5]})
    assert learnt_images(tmp_path / "model", [part]) == []


def test_an_index_that_cannot_be_read_is_told_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = indexed(tmp_path / "model")
    (model / "index.npz").write_bytes(b"no index")
    part = pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"], "probability": [0.5]})
    assert learnt_images(model, [part]) == []
    assert "cannot be told" in caplog.text


def test_held_out_predictions_of_a_run_of_several_folds_are_a_test(tmp_path: Path) -> None:
    """Each image was learnt from by two networks of three, and judged by the third."""
    run = RunLayout(write_run(tmp_path / "run", folds=3))
    own, table = pd.read_csv(run.predictions), read_any_table(run.table)
    shown = own.assign(path="")
    assert set(learnt_images(run.folder, [shown])) == set(own["image_id"])
    assert held_out_images(run.folder, own) == set(own["image_id"])
    held_out = evaluate(own, table, repeats=10)
    assert _with_learnt(held_out, run.folder).notes == held_out.notes
    # One answer is another: the table is not of the run, and is told of.
    other = own.assign(probability=own["probability"].where(own.index != 3, 0.987))
    assert held_out_images(run.folder, other) == set()
    told = _with_learnt(evaluate(other, table, repeats=10), run.folder).notes[0]
    assert told.startswith(
        f"The model learnt from {len(own)} images of those that judge it"
    )
