from __future__ import annotations

import re
from html import escape
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
        ["evaluation.json", "report.html"]
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
    assert len([path for path in written if path.parent.name != "paper"]) == 17


def test_the_page_has_every_table_figure_and_note_and_loads_nothing(tmp_path: Path) -> None:
    found = scored(images=80)
    write_evaluation(found, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert escape(found.headline[0]) in page
    for note in found.notes:
        assert escape(note, quote=False).replace("'", "&#39;") in page
    assert page.count("data:image/svg+xml;base64,") == len(FIGURES)
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert f"{found['auc'].value:.4f}" in page
    assert "Newcombe RG" in page
    assert "From a probability of 0.5 upwards" in page  # the text goes on after its table


def test_calls_at_another_share_are_drawn_as_they_are_counted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = pd.DataFrame({"image_id": range(120), "probability": rng.random(120)})
    truth = given.assign(target=rng.choice((0, 1), 120))
    found = evaluate(given, truth, repeats=20, prevalence=0.1)
    write_evaluation(found, tmp_path)
    drawn = pd.read_csv(tmp_path / "figures" / "confusion.csv")
    counts = sorted(drawn.select_dtypes("integer").to_numpy().ravel().tolist())
    known = found.confusion
    assert known.tp != evaluate(given, truth, repeats=20).confusion.tp
    assert counts == sorted([known.tp, known.fp, known.fn, known.tn])


def test_a_folder_that_cannot_be_written_is_an_error_to_put_right(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError):
        write_evaluation(scored(), tmp_path / "file")


def test_a_footnote_stands_once_and_images_are_counted_once(tmp_path: Path) -> None:
    found = scored()
    write_evaluation(found, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("referral_3: the risk from which") == 1  # below three tables
    counts = re.findall(r"<dt>(\w+)</dt>", page)
    assert counts == ["images", "melanomas"]  # each image is its own group
    between = page[page.index("<pre>") : page.index("</pre>")].splitlines()
    assert max(len(line) for line in between if "  " not in line) <= 120


def test_an_interval_stands_below_its_number_and_its_p_value(tmp_path: Path) -> None:
    images = pd.DataFrame({"image_id": range(120), "group": np.arange(120) // 2})
    rng = np.random.default_rng(0)
    truth = images.assign(target=rng.choice((0, 1), 120), camera=["old", "new", "new"] * 40)
    guess = images.assign(probability=rng.random(120))
    write_evaluation(
        evaluate(guess, truth, repeats=20, by="camera", group="group"), tmp_path
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    numbers = r"−?\d\.\d{3}, p [\d.]+<span class=\"soft\">\(−?\d\.\d{3} to "
    assert len(re.findall(numbers, page)) == 8  # four metrics of two cameras
    assert '<td class="text">old</td>' in page
