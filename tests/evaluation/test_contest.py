"""Several models on the same images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ConfigError, DatasetError, UnknownNameError
from lentigo.evaluation import compare, compare_models, evaluate
from lentigo.figures.style import style
from lentigo.reports.comparison.writing import draw_contest

IMAGES = [f"i{number:03}" for number in range(240)]
RNG = np.random.default_rng(3)
TRUTH = pd.DataFrame(
    {
        "image_id": IMAGES,
        "melanoma": np.arange(240) % 3 == 0,
        "patient_id": [f"p{number // 2}" for number in range(240)],
        "dataset": ["north"] * 120 + ["south"] * 120,
    }
)


def predicted(strength: float, seed: int) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(size=240)
    logit = strength * TRUTH["melanoma"].to_numpy() + noise
    return pd.DataFrame({"image_id": IMAGES, "probability": 1 / (1 + np.exp(-logit))})


MODELS = {"weak": predicted(0.3, 1), "good": predicted(2.5, 2), "fair": predicted(1.2, 3)}


def test_models_are_listed_from_the_best_on() -> None:
    found = compare_models(MODELS, TRUTH, repeats=100)
    assert [each.name for each in found.entrants] == ["good", "fair", "weak"]
    assert [round(each.mean_rank) for each in found.entrants] == [1, 2, 3]
    assert sum(each.first for each in found.entrants) == pytest.approx(1)
    alone = evaluate(MODELS["good"], TRUTH, repeats=20)["auc"]
    assert found.entrants[0].auc.as_dict() == pytest.approx(alone.as_dict())


def test_each_pair_is_what_the_comparison_of_two_gives() -> None:
    found = compare_models(MODELS, TRUTH, repeats=100)
    pairs = {(pair.first, pair.second): pair for pair in found.pairs}
    assert list(pairs) == [("weak", "good"), ("weak", "fair"), ("good", "fair")]
    two = compare(MODELS["good"], MODELS["fair"], TRUTH, repeats=20)["auc"]
    assert pairs["good", "fair"].auc.as_dict() == pytest.approx(two.as_dict())
    assert all(pair.p_holm >= pair.p for pair in found.pairs)
    assert pairs["weak", "good"].differs


def test_two_equal_models_share_the_first_place() -> None:
    found = compare_models({"a": MODELS["good"], "b": MODELS["good"]}, TRUTH, repeats=50)
    assert [each.first for each in found.entrants] == [0.5, 0.5]
    assert [each.mean_rank for each in found.entrants] == [1.5, 1.5]
    assert found.pairs[0].p == 1


def test_with_a_reference_only_its_pairs_are_tested() -> None:
    found = compare_models(MODELS, TRUTH, reference="good", repeats=50)
    assert [(each.first, each.second) for each in found.pairs] == [
        ("weak", "good"),
        ("fair", "good"),
    ]


def test_a_margin_asks_whether_a_model_is_not_worse() -> None:
    close = predicted(2.5, 2)
    close["probability"] = np.clip(close["probability"] + RNG.normal(0, 0.01, 240), 0, 1)
    models = {"close": close, "good": MODELS["good"], "weak": MODELS["weak"]}
    found = compare_models(models, TRUTH, reference="good", margin=0.05, repeats=50)
    near, far = found.pairs
    assert near.not_inferior
    assert near.auc.low > -0.05
    assert not far.not_inferior
    assert far.p_inferior > 0.9


def test_each_archive_is_judged_on_its_own() -> None:
    found = compare_models(MODELS, TRUTH, repeats=50)
    south = TRUTH[TRUTH["dataset"] == "south"]
    alone = evaluate(MODELS["fair"], south, repeats=20)["auc"]
    assert found.archives["fair"]["south"] == alone
    assert list(found.archives["fair"]) == ["north", "south"]


def test_several_tables_of_truth_are_archives() -> None:
    bare = TRUTH.drop(columns="dataset")
    halves = [bare.iloc[:120], bare.iloc[120:]]
    found = compare_models(MODELS, halves, repeats=50)
    whole = compare_models(MODELS, TRUTH, repeats=50)
    assert found.entrants == whole.entrants
    assert list(found.archives["good"]) == ["table 1", "table 2"]


def test_what_not_all_predict_is_left_out_and_said() -> None:
    models = {"good": MODELS["good"], "part": MODELS["fair"].iloc[40:]}
    found = compare_models(models, TRUTH, repeats=50)
    assert len(found.images.truth) == 200
    assert "good predicts 240 of 240 images with a label; 200 are predicted by all." in (
        found.notes
    )


@pytest.mark.parametrize(
    ("models", "options", "error", "said"),
    [
        ({"good": MODELS["good"]}, {}, ConfigError, "two models"),
        (MODELS, {"reference": "best"}, UnknownNameError, "best"),
        (MODELS, {"margin": 2.0}, ConfigError, "margin is 2"),
        (
            {"a": MODELS["good"].iloc[:90], "b": MODELS["good"].iloc[90:]},
            {},
            DatasetError,
            "No image is predicted by all of a, b",
        ),
    ],
)
def test_senseless_comparisons_are_refused(
    models: dict[str, pd.DataFrame],
    options: dict[str, object],
    error: type[Exception],
    said: str,
) -> None:
    with pytest.raises(error, match=said):
        compare_models(models, TRUTH, **options)  # type: ignore[arg-type]


def test_an_image_in_two_truths_is_refused() -> None:
    with pytest.raises(DatasetError, match="in two of the tables"):
        compare_models(MODELS, [TRUTH, TRUTH.iloc[:5]])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, table in MODELS.items():
        table.to_csv(f"{name}.csv", index=False)
    TRUTH.to_csv("truth.csv", index=False)
    return tmp_path


def test_the_command_prints_and_writes(files: Path) -> None:
    words = ["compare", "good.csv", "old=weak.csv", "--truth", "truth.csv"]
    done = CliRunner().invoke(
        app, [*words, "--repeats", "50", "--margin", "0.02", "--out", "c"]
    )
    assert done.exit_code == 0, done.output
    assert "On 240 images of 120 patients, 80 melanomas among them" in done.output
    assert "good - old" in done.output
    written = json.loads((files / "c" / "comparison.json").read_text())
    assert [each["name"] for each in written["models"]] == ["good", "old"]
    drawn = sorted(path.name for path in (files / "c" / "figures").glob("*.csv"))
    assert drawn == ["archives.csv", "curves.csv", "differences.csv"]
    again = CliRunner().invoke(app, [*words, "--out", "c"])
    assert again.exit_code == 1
    assert "comparison.json" in again.output


def test_so_few_permutations_that_nothing_can_differ_are_told(files: Path) -> None:
    words = ["compare", "good.csv", "=weak.csv", "--truth", "truth.csv", "--repeats", "10"]
    done = CliRunner().invoke(app, words)
    assert "below 0.091 after Holm" in done.output
    assert "that both models predict" in done.output
    assert "good - weak" in done.output  # a name was left out: that of the file
    many = CliRunner().invoke(app, [*words[:-1], "100"])
    assert "after Holm" not in many.output


@pytest.mark.filterwarnings("error")
def test_long_names_leave_room_for_the_curves() -> None:
    name = "a name of a model that says all there is to say of its training"
    models = {f"{name} {k}": MODELS[each] for k, each in enumerate(MODELS)}
    drawings = draw_contest(compare_models(models, TRUTH, repeats=50))
    with style():
        for drawing in drawings:
            drawing.figure.draw_without_rendering()
    (curves,) = [each for each in drawings if each.name == "curves"]
    legend = curves.figure.axes[0].get_legend()
    assert legend is not None
    assert len({text.get_text() for text in legend.get_texts()}) == 3
    assert curves.figure.axes[0].get_position().height > 0.3


def test_two_files_of_one_name_need_names(files: Path) -> None:
    words = ["compare", "good.csv", "./good.csv", "--truth", "truth.csv"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert "Two models are called good" in done.output


@pytest.mark.parametrize(
    ("melanomas", "patients", "why"),
    [
        (4, 24, "which takes at least 5 melanomas and 5 other images, so"),
        (16, 2, "the melanomas are of 2 patients, the other images of 20, and it takes"),
    ],
)
def test_of_few_melanomas_or_patients_no_difference_is_told(
    melanomas: int, patients: int, why: str
) -> None:
    ids = [f"i{number}" for number in range(melanomas + 20)]
    whose = [number % patients for number in range(melanomas)] + list(range(100, 120))
    label = [1] * melanomas + [0] * 20
    truth = pd.DataFrame({"image_id": ids, "melanoma": label, "patient_id": whose})
    good = pd.DataFrame({"image_id": ids, "probability": np.array(label) * 0.8 + 0.1})
    bad = good.assign(probability=np.linspace(0, 1, len(ids)))
    found = compare_models({"good": good, "bad": bad}, truth, repeats=200, margin=0.02)
    (pair,) = found.pairs
    assert np.isnan([pair.p, pair.p_holm, pair.p_inferior]).all()
    assert np.isnan([pair.auc.low, pair.auc.high]).all()
    assert all(np.isnan([each.mean_rank, each.first]).all() for each in found.entrants)
    text = found.as_text()
    assert "Nothing can be said about a difference" in text
    assert why in " ".join(text.split())
    for word in ("mean rank", "first in", "worse by", "none", "nan", "excluded"):
        assert word not in text
    with style():
        drawn = next(each for each in draw_contest(found) if each.name == "differences")
    assert drawn.data[["low", "high", "p", "p_holm", "p_inferior"]].isna().all(axis=None)
    assert "no difference" in drawn.caption
