"""Repeated cross-validation: each fold of each repeat, and an interval for their mean."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ColumnError
from lentigo.evaluation import evaluate
from lentigo.evaluation.json_schema import evaluation_schema
from lentigo.evaluation.repeated import by_repeat, judge_repeats
from lentigo.json_files import to_json

jsonschema = pytest.importorskip("jsonschema")


def tables(repeats: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sixty images in two folds, dealt anew in each repeat, with other scores each time."""
    rng = np.random.default_rng(0)
    melanoma = np.arange(60) % 4 == 0
    names = [f"I{number:02}" for number in range(60)]
    parts = []
    for number in range(repeats):
        score = 0.4 + 0.1 * melanoma + rng.normal(scale=0.1, size=60)
        fold = rng.permutation(60) % 2
        own = {"image_id": names, "probability": score.clip(0, 1), "fold": fold}
        parts.append(pd.DataFrame({**own, "repeat": number}))
    truth = pd.DataFrame({"image_id": names, "melanoma": melanoma, "patient_id": names})
    return pd.concat(parts, ignore_index=True), truth


def expected(guesses: pd.DataFrame, truth: pd.DataFrame) -> dict[object, float]:
    """The AUC of each fold of each repeat, by scikit-learn."""
    labels = truth.set_index("image_id")["melanoma"]
    return {
        key: roc_auc_score(rows["image_id"].map(labels), rows["probability"])
        for key, rows in guesses.groupby(["repeat", "fold"])
    }


def test_each_fold_of_each_repeat_and_the_corrected_mean() -> None:
    """Six folds of 30 images: the variance is that of the six times 1/6 + 30/30."""
    guesses, truth = tables()
    found = evaluate(guesses, truth, repeats=20).repeated
    assert found is not None
    aucs = [fold.auc.value for each in found.repeats for fold in each.folds]
    assert aucs == pytest.approx(list(expected(guesses, truth).values()))
    half = t.ppf(0.975, 5) * math.sqrt((1 / 6 + 1) * np.var(aucs, ddof=1))
    mean = np.mean(aucs)
    assert found.mean.value == pytest.approx(mean)
    assert found.mean.low == pytest.approx(mean - half)
    assert found.mean.high == pytest.approx(min(mean + half, 1))
    pooled = guesses[guesses["repeat"] == 2]
    labels = pooled["image_id"].map(truth.set_index("image_id")["melanoma"])
    known = roc_auc_score(labels, pooled["probability"])
    assert found.repeats[2].pooled.auc.value == pytest.approx(known)
    means = [np.mean(aucs[n : n + 2]) for n in (0, 2, 4)]
    assert found.deviation == pytest.approx(np.std(means, ddof=1))


def test_repeating_without_end_does_not_shrink_the_interval_without_end() -> None:
    """Thirty images judged and thirty learnt from: it never gets below 1.96 deviations."""
    guesses, truth = tables(30)
    known = truth.set_index("image_id")["melanoma"]
    labels = guesses["image_id"].map(known)
    whole = guesses.assign(melanoma=labels, group=guesses["image_id"])
    many = judge_repeats(by_repeat(whole))
    spread = np.std([f.auc.value for each in many.repeats for f in each.folds], ddof=1)
    assert many.mean.high - many.mean.low > 2 * 1.96 * spread


def test_all_else_is_of_the_first_repeat_and_a_note_says_so() -> None:
    guesses, truth = tables()
    found = evaluate(guesses, truth, repeats=20)
    first = evaluate(guesses[guesses["repeat"] == 0], truth, repeats=20)
    assert found["auc"] == first["auc"]
    assert first.repeated is None
    assert any("3 repeats" in note for note in found.notes)
    assert "mean AUC" in found.as_text()


def test_a_baseline_is_compared_fold_by_fold() -> None:
    """Its scores are those of the model, but one image of fold 0 in repeat 1."""
    guesses, truth = tables(2)
    known = truth.set_index("image_id")["melanoma"]
    whole = guesses.assign(
        melanoma=guesses["image_id"].map(known), group=guesses["image_id"]
    )
    other = whole.copy()
    rows = other["melanoma"] & (other["repeat"] == 1) & (other["fold"] == 0)
    other.loc[rows[rows].index[0], "probability"] = 0.0
    found = judge_repeats(by_repeat(whole), beside=by_repeat(other))
    assert found.difference is not None
    lost = expected(guesses, truth)[1, 0]
    wrong = other[(other["repeat"] == 1) & (other["fold"] == 0)]
    gap = (lost - roc_auc_score(wrong["melanoma"], wrong["probability"])) / 4
    assert found.difference.value == pytest.approx(gap)
    assert gap > 0


def test_one_fold_a_repeat_has_no_interval_unless_the_training_is_known() -> None:
    guesses, truth = tables(4)
    one = guesses[guesses["fold"] == 0]
    found = evaluate(one, truth, repeats=20).repeated
    assert found is not None
    assert math.isnan(found.mean.low)
    known = truth.set_index("image_id")["melanoma"]
    whole = one.assign(melanoma=one["image_id"].map(known), group=one["image_id"])
    assert not math.isnan(judge_repeats(by_repeat(whole), trained=30).mean.low)


def test_a_column_of_another_meaning_is_no_repeat() -> None:
    guesses, _ = tables(1)
    for own in ({"repeat": 1}, {"repeat": "no"}):
        assert len(by_repeat(guesses.assign(**own))) == 1
    assert len(by_repeat(tables()[0].drop(columns="fold"))) == 1


def test_a_row_of_no_repeat_is_refused() -> None:
    guesses, truth = tables()
    guesses["repeat"] = guesses["repeat"].astype("Int64")
    guesses.loc[3, "repeat"] = pd.NA
    with pytest.raises(ColumnError, match="not known in 1 row"):
        evaluate(guesses, truth, repeats=20)


def test_the_json_is_as_its_schema_says() -> None:
    found = json.loads(to_json(evaluate(*tables(), repeats=20).as_dict()))
    jsonschema.validate(found, evaluation_schema())
    assert len(found["by_repeat"]["repeats"]) == 3


def test_the_command_draws_the_repeats(tmp_path: Path) -> None:
    for name, table in zip(("guesses", "truth"), tables(), strict=True):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    given = [str(tmp_path / "guesses.csv"), "--truth", str(tmp_path / "truth.csv")]
    done = CliRunner().invoke(
        app, ["evaluate", *given, "--repeats", "20", "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    assert "Over 6 folds of 3 repeats the mean AUC is" in done.output
    drawn = pd.read_csv(tmp_path / "out" / "figures" / "repeats.csv")
    assert len(drawn) == 9
    assert (drawn["fold"] == "pooled").sum() == 3
