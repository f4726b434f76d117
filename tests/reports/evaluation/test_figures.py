from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import RunError
from lentigo.evaluation import Evaluation, evaluate
from lentigo.json_files import read_json
from lentigo.reports.evaluation import write_evaluation

FIGURES = ("roc", "precision_recall", "confusion", "reliability", "decision_curve")


def scored(
    images: int = 120, *, seed: int = 0, labels: tuple[int, ...] = (0, 1)
) -> Evaluation:
    rng = np.random.default_rng(seed)
    truth = rng.choice(labels, images)
    predictions = pd.DataFrame(
        {"image_id": range(images), "probability": rng.random(images) * 0.6 + 0.4 * truth}
    )
    return evaluate(predictions, predictions.assign(target=truth), repeats=20)


def test_numbers_and_figures_are_written(tmp_path: Path) -> None:
    found = scored()
    paths = write_evaluation(found, tmp_path / "new" / "folder", baseline=scored(seed=1))
    assert all(path.is_file() for path in paths)
    drawn = [path for path in paths if path.parent.name != "paper"]
    assert sorted(path.name for path in drawn) == sorted(
        ["evaluation.json"]
        + [f"{n}.{end}" for n in FIGURES for end in ("svg", "png", "csv")]
    )
    read = read_json(tmp_path / "new" / "folder" / "evaluation.json")
    assert read["auc"]["value"] == pytest.approx(found["auc"].value)
    roc = pd.read_csv(tmp_path / "new" / "folder" / "figures" / "roc.csv")
    assert set(roc["model"]) == {"model", "baseline"}
    # The area under the written points is the AUC.
    ours = roc[roc["model"] == "model"]
    area = np.trapezoid(ours["sensitivity"], ours["false_positive_rate"])
    assert area == pytest.approx(found["auc"].value)


@pytest.mark.parametrize("labels", [(0,), (1,)])
def test_one_class_only_draws_without_a_crash(
    tmp_path: Path, labels: tuple[int, ...]
) -> None:
    written = write_evaluation(scored(labels=labels), tmp_path)
    assert len([path for path in written if path.parent.name != "paper"]) == 16


def test_a_folder_that_cannot_be_written_is_an_error_to_put_right(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError):
        write_evaluation(scored(), tmp_path / "file")
