"""With four melanomas (or groups with one) nothing is called better, worse or different."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lentigo
from lentigo.ablation import Ablation, Effect
from lentigo.evaluation import compare_models, evaluate
from lentigo.evaluation.beside import beside_lines, judge_beside
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.recalibration import judge_calibration
from lentigo.evaluation.refusals import refusals_of
from lentigo.evaluation.repeated import judge_repeats
from lentigo.evaluation.stress import Answered, judge_disturbed, relative_error, tied_to
from lentigo.evaluation.sums import Sample
from lentigo.evaluation.telling import told, too_few_to_tell
from lentigo.figures.ablation import draw_ablation
from lentigo.tuning.result import Tuning

SCORE = np.array([0.9, 0.4, 0.8, 0.7, 0.6, 0.5, 0.3, 0.2, 0.1, 0.65, 0.45, 0.35])
OTHER = np.array([0.5, 0.6, 0.9, 0.4, 0.8, 0.2, 0.7, 0.1, 0.3, 0.55, 0.15, 0.25])


def sample(melanomas: int, *, score: np.ndarray = SCORE) -> Sample:
    """Twelve patients of an image each, the first so many of whom have a melanoma."""
    return Sample(np.arange(12) < melanomas, score, np.arange(12), 12)


def as_table(melanomas: int) -> pd.DataFrame:
    own = sample(melanomas)
    return pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in range(12)],
            "melanoma": own.truth,
            "probability": own.score,
            "group": own.group,
        }
    )


def has_ends(found: Interval) -> bool:
    return not (math.isnan(found.low) or math.isnan(found.high))


FEW_AND_ENOUGH = pytest.mark.parametrize(
    ("melanomas", "enough"), [(4, False), (5, True), (7, True), (8, False)]
)
"""Of eight melanomas among twelve patients there are four others: as few."""


@FEW_AND_ENOUGH
def test_a_simple_model_beside_it(melanomas: int, enough: bool) -> None:
    found = judge_beside(sample(melanomas), OTHER, name="metadata only", features=("age",))
    assert has_ends(found.gain) == enough
    assert has_ends(found.auc)
    lines = " ".join(beside_lines((found, found)))
    assert lines.count("Nothing can be said about a difference") == (not enough)


@FEW_AND_ENOUGH
def test_recalibration(melanomas: int, enough: bool) -> None:
    found = judge_calibration(sample(melanomas), OTHER, methods=("platt",))
    assert has_ends(found.gain) == enough


@FEW_AND_ENOUGH
def test_abstention(melanomas: int, enough: bool) -> None:
    # The last other image is refused; where five others are judged, one more is there.
    table = pd.concat([as_table(melanomas), as_table(melanomas).tail(1)])
    table = table.assign(group=range(13), abstain=["no"] * 12 + ["yes"])
    found = refusals_of(table, seed=0)
    assert found is not None
    assert has_ends(found.rows[0].gain) == enough
    assert ("too few groups cannot tell from chance" in found.sentence) != enough


@FEW_AND_ENOUGH
def test_a_baseline_fold_by_fold(melanomas: int, enough: bool) -> None:
    table = as_table(melanomas).assign(fold=np.arange(12) % 2)
    again = table.assign(fold=np.arange(12) // 2 % 2)
    mine = [table, again]
    beside = [each.assign(probability=OTHER) for each in mine]
    found = judge_repeats(mine, trained=24, beside=beside).difference
    assert found is not None
    assert has_ends(found) == enough


@FEW_AND_ENOUGH
def test_a_disturbance(melanomas: int, enough: bool) -> None:
    own = sample(melanomas)
    plain = Answered(own.truth, own.group, SCORE - 0.5, 0.0)
    found = judge_disturbed(plain, OTHER - 0.5)
    assert has_ends(found.auc_change) == enough
    assert found.tells == enough
    assert has_ends(found.shift)  # of all twelve patients, whatever they have
    wrong = np.stack([(OTHER >= 0.5) != own.truth])
    error = relative_error(wrong, (SCORE >= 0.5) != own.truth, own.truth, own.group)
    assert has_ends(error) == enough


def test_answers_of_four_patients_do_not_move_and_follow_no_file() -> None:
    few = np.arange(12) % 4
    plain = Answered(sample(5).truth, few, SCORE, 0.0)
    assert not has_ends(judge_disturbed(plain, OTHER).shift)
    whole = Answered(np.ones(12, bool), np.arange(12), SCORE, 0.0)
    values = np.arange(12.0)
    assert has_ends(tied_to(whole, values)[True])  # six above the median, six below
    assert not has_ends(
        tied_to(whole, (values > 7).astype(np.float64))[True]
    )  # four above it


@FEW_AND_ENOUGH
def test_a_subgroup_and_the_rest(melanomas: int, enough: bool) -> None:
    """Both halves have as many; what is told of one is told of the other."""
    twice = pd.concat([as_table(melanomas), as_table(melanomas)], ignore_index=True)
    twice["image_id"] = [f"i{n}" for n in range(24)]
    truth = twice[["image_id", "melanoma"]].assign(site=["arm"] * 12 + ["leg"] * 12)
    whole = evaluate(twice[["image_id", "probability"]], truth, repeats=20, by="site")
    for group in whole.subgroups[0].groups:
        difference = group.against_rest["auc"]
        assert has_ends(difference.interval) == enough
        assert difference.too_few != enough
        assert ("auc" in group.said_differences) == enough


def test_a_large_subgroup_is_not_compared_with_a_rest_of_four() -> None:
    twice = pd.concat([as_table(6), as_table(4)], ignore_index=True)
    twice["image_id"] = [f"i{n}" for n in range(24)]
    truth = twice[["image_id", "melanoma"]].assign(clinic=["A"] * 12 + ["B"] * 12)
    whole = evaluate(twice[["image_id", "probability"]], truth, repeats=20, by="clinic")
    large, small = whole.subgroups[0].groups
    assert "auc" not in large.too_few_for
    assert "auc" in small.too_few_for
    for group in (large, small):
        assert set(group.said_differences) == {"specificity"}
        assert math.isnan(group.against_rest["sensitivity"].p)
        assert math.isnan(group.against_rest["sensitivity"].p_holm)
    text = whole.as_text()
    assert "nor where the rest is as small" in text


def test_an_archive_of_four_melanomas_stands_without_a_number() -> None:
    twice = pd.concat([as_table(6), as_table(4)], ignore_index=True)
    twice["image_id"] = [f"i{n}" for n in range(24)]
    truth = twice[["image_id", "melanoma"]].assign(dataset=["a"] * 12 + ["b"] * 12)
    guesses = twice[["image_id", "probability"]]
    both = {"one": guesses, "two": guesses.assign(probability=[*OTHER, *OTHER])}
    found = compare_models(both, truth, repeats=20)
    assert has_ends(found.archives["one"]["a"])
    assert not has_ends(found.archives["one"]["b"])
    rows = [line for line in found.as_text().splitlines() if line.endswith("too few")]
    assert len(rows) == 2


def test_one_score_for_all_of_a_large_archive_is_not_too_few() -> None:
    table = as_table(6)
    twice = pd.concat([table, table], ignore_index=True)
    twice["image_id"] = [f"i{n}" for n in range(24)]
    truth = twice[["image_id", "melanoma"]].assign(dataset=["a"] * 12 + ["b"] * 12)
    guesses = twice[["image_id", "probability"]]
    flat = guesses.assign(probability=[0.5] * 12 + [*OTHER])
    found = compare_models({"one": guesses, "two": flat}, truth, repeats=20)
    assert found.small_archives == ()
    assert "0.5000 (none)" in found.as_text()
    assert "too few" not in found.as_text()


def test_of_equal_rankings_a_sentence_says_why_there_is_no_interval() -> None:
    one = as_table(6)[["image_id", "probability"]]
    squared = one.assign(probability=one["probability"] ** 2)
    truth = as_table(6)[["image_id", "melanoma"]]
    other = one.assign(probability=OTHER)
    models = {"one": one, "squared": squared, "other": other}
    notes = compare_models(models, truth, repeats=20).notes
    alike = [note for note in notes if "rank the images alike" in note]
    assert [note.split(" rank")[0] for note in alike] == ["one and squared"]
    assert not any("shows no spread" in note for note in notes)


def test_two_perfect_rankings_show_no_spread() -> None:
    table = as_table(6)
    one = table[["image_id"]].assign(probability=0.9 * table["melanoma"])
    other = one.assign(probability=one["probability"] + np.arange(12) / 1000)
    truth = table[["image_id", "melanoma"]]
    found = compare_models({"one": one, "other": other}, truth, repeats=20)
    assert found.pairs[0].auc.value == 0
    assert "one and other: the difference of AUC shows no spread" in found.as_text()


def tuned(**changes: Any) -> Tuning:
    plain = Tuning(
        recipe="quick", trial=3, settings={}, auc=Interval(0.9, 0.8, 0.95), corrected=0.88,
        base=Interval(0.8, 0.7, 0.9), difference=Interval(0.1, 0.02, 0.18),
        trials=pd.DataFrame({"state": ["finished", "finished"]}), searched=(),
        base_settings={}, n_images=12, n_melanomas=4, n_groups=12,
    )  # fmt: skip
    return replace(plain, **changes)


def test_a_search_of_settings() -> None:
    assert tuned().verdict.startswith("It is better on these images")
    few = tuned(difference=Interval(0.1), tells=False)
    assert few.verdict.startswith("Nothing can be said about whether a trial is better")
    worse = tuned(auc=Interval(0.7), tells=False)
    assert worse.verdict == few.verdict


def test_an_ablation() -> None:
    effects = tuple(
        Effect(switch=name, auc=0.8, difference=Interval(0.1), of_seeds=(0.1,), minutes=1.0)
        for name in ("as it is", "training.views=2")
    )
    why = too_few_to_tell("what a switch gives")
    found = Ablation(
        recipe="quick", effects=effects, seeds=(0,), n_images=12, n_melanomas=4,
        n_groups=12, too_few=why,
    )  # fmt: skip
    assert found.as_text().endswith(why)
    assert "so no effect is shown" in draw_ablation(found.as_table(), "quick").caption


def test_bounds_go_and_the_value_stays() -> None:
    difference = Interval(0.1, 0.0, 0.2, rough=True)
    assert told(difference, enough=True) == difference
    bare = told(difference, enough=False)
    assert (bare.value, has_ends(bare), bare.rough) == (0.1, False, False)


RULED = re.compile(r"lentigo\.evaluation\.telling import")
COMPARES = re.compile(
    r"\b(clustered_difference|estimated_difference|estimated_mean_difference|"
    r"auc_difference|permutation_p|clustered_mean_difference|corrected_mean)\("
)
OF_THEIR_OWN = {
    "evaluation/clustered.py": "says what an interval of a difference is",
    "evaluation/discrimination.py": "likewise",
    "evaluation/means.py": "likewise",
    "evaluation/permutation.py": "says what a p-value is",
    "evaluation/trained_anew.py": "says what the mean over folds is",
    "evaluation/parts.py": "the mean AUC over folds of one model",
    "evaluation/metrics.py": "promised less observed, of one model",
    "evaluation/consequences.py": "the net benefit of one model's calls; nothing beside it",
    "evaluation/decision_curve.py": "likewise, at each threshold",
    "evaluation/power.py": "refuses a pilot of fewer than five",
    "inference/calibrate.py": "takes ten groups of either class (Labelled.enough)",
    "inference/context.py": "likewise",
}


def test_every_place_that_compares_follows_the_rule_or_says_why_not() -> None:
    root = Path(lentigo.__file__).parent
    found = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in root.rglob("*.py")
    }
    compare = {name for name, text in found.items() if COMPARES.search(text)}
    without = {name for name in compare if not RULED.search(found[name])}
    assert without - set(OF_THEIR_OWN) == set()
    assert set(OF_THEIR_OWN) <= compare, "no longer compares: take it from the list"
