"""Each value of a column is judged as if its images were alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ColumnError
from lentigo.evaluation import evaluate
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.subgroup_difference import less
from lentigo.evaluation.subgroup_names import UNKNOWN, named_values
from lentigo.evaluation.subgroups import sentence_on
from lentigo.json_files import to_json

METRICS = ("auc", "calibration_gap", "sensitivity", "specificity")


def tables(images: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Images of patients who have several, half of them on either site."""
    rng = np.random.default_rng(3)
    names = [f"I{number:03}" for number in range(images)]
    melanoma = rng.random(images) < 0.3
    score = (rng.normal(0.35, 0.15, images) + 0.3 * melanoma).clip(0, 1)
    guesses = {"image_id": names, "probability": score}
    truth = {
        "image_id": names,
        "melanoma": melanoma,
        "patient_id": [f"P{number}" for number in rng.integers(images // 3, size=images)],
        "site": np.where(rng.random(images) < 0.5, "torso", "head/neck"),
        "age": rng.integers(20, 90, images),
    }
    return pd.DataFrame(guesses), pd.DataFrame(truth)


def ends(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def test_each_value_has_the_numbers_that_its_images_have_alone() -> None:
    guesses, truth = tables()
    (found,) = evaluate(guesses, truth, repeats=20, threshold=0.4, by="site").subgroups
    assert [group.name for group in found.groups] == ["head/neck", "torso"]
    for group in found.groups:
        rows = truth[truth["site"] == group.name]
        alone = evaluate(guesses, rows, repeats=20, threshold=0.4)
        assert tuple(group.metrics) == METRICS
        for name in METRICS:
            assert ends(group.metrics[name]) == pytest.approx(ends(alone[name]), abs=1e-12)
        assert (group.n_images, group.n_groups) == (len(rows), rows["patient_id"].nunique())
        assert group.n_melanomas == rows["melanoma"].sum()


def test_a_column_is_found_in_either_table_and_by_an_archives_own_word() -> None:
    guesses, truth = tables()
    there = evaluate(guesses.assign(device="A"), truth, repeats=20, by=["device", "age"])
    assert [each.by for each in there.subgroups] == ["device", "age"]
    renamed = truth.rename(columns={"site": "localization"})
    (found,) = evaluate(guesses, renamed, repeats=20, by="site").subgroups
    assert found.said == "localization of the truth"
    with pytest.raises(ColumnError, match="Neither table has a column sight to divide by"):
        evaluate(guesses, truth, repeats=20, by="sight")


def test_numbers_of_many_values_are_divided_at_their_quarters() -> None:
    guesses, truth = tables()
    (found,) = evaluate(guesses, truth, repeats=20, by="age").subgroups
    names = [group.name for group in found.groups]
    assert len(names) == 4
    assert names[0].startswith("20 to ")
    assert sum(group.n_images for group in found.groups) == len(truth)
    low, high = (int(end) for end in names[1].split(" to "))
    assert found.groups[1].n_images == truth["age"].between(low, high).sum()


def test_what_is_not_known_stands_last_and_case_makes_no_value() -> None:
    guesses, truth = tables()
    sexes = pd.Series(["male", "Male ", "unknown", None, "female", "other"] * 50)
    (found,) = evaluate(guesses, truth.assign(sex=sexes), repeats=20, by="sex").subgroups
    assert [(group.name, group.n_images) for group in found.groups] == [
        ("female", 50), ("male", 100), ("other", 50), ("not known", 100),
    ]  # fmt: skip


def test_of_fewer_than_five_melanomas_nothing_is_said() -> None:
    guesses, truth = tables()
    four = truth.index[truth["melanoma"]][:4].union(truth.index[~truth["melanoma"]][:90])
    truth["site"] = np.where(truth.index.isin(four), "foot", "torso")  # a lower extremity
    whole = evaluate(guesses, truth, repeats=20, by="site")
    foot = whole.subgroups[0].groups[0]
    assert foot.name == "lower extremity"
    assert foot.too_few_for == ["auc", "calibration_gap", "sensitivity"]
    line = next(line for line in whole.as_text().splitlines() if line.startswith("lower"))
    assert line.count("too few") == 3
    assert "nothing can be said" in whole.as_text().rpartition("By site")[2]
    read = json.loads(to_json(whole.as_dict()))["subgroups"]["site"]["groups"]
    assert read[0]["too_few_for"] == ["auc", "calibration_gap", "sensitivity"]
    assert read[0]["n_melanomas"] == 4


def test_a_small_subgroup_is_marked_as_rough() -> None:
    guesses, truth = tables(90)
    (found,) = evaluate(guesses, truth, repeats=20, by="site").subgroups
    assert all(group.metrics["auc"].rough for group in found.groups)
    assert found.as_lines()[2].count(", rough") == 4
    assert found.as_table()["auc_rough"].all()


def test_a_column_that_names_each_image_is_refused() -> None:
    guesses, truth = tables()
    with pytest.raises(ColumnError, match="image_id of the predictions has 300 values"):
        evaluate(guesses, truth, repeats=20, by="image_id")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([None] * 300, ["not known"]),
        ([1.0, 2.0, None] * 100, ["1", "2", "not known"]),
        ([True, False, True] * 100, ["False", "True"]),
        (["inf", *map(str, range(20)), "-"] * 14, ["0", "1", "2"]),
    ],
)
def test_awkward_columns_are_divided_all_the_same(
    values: list[object], names: list[str]
) -> None:
    guesses, truth = tables()
    column = pd.Series(values).reindex(range(300))
    found = evaluate(guesses, truth.assign(kind=column), repeats=10, by="kind")
    (kinds,) = found.subgroups
    assert [group.name for group in kinds.groups][: len(names)] == names
    assert sum(group.n_images for group in kinds.groups) == 300


def test_the_command_shows_subgroups_in_json_and_writes_them_as_csv(tmp_path: Path) -> None:
    guesses, truth = tables()
    guesses.to_csv(tmp_path / "guesses.csv", index=False)
    truth.to_csv(tmp_path / "truth.csv", index=False)
    words = ["evaluate", str(tmp_path / "guesses.csv"), "--truth"]
    words += [str(tmp_path / "truth.csv"), "--repeats", "10", "--json"]
    plain = CliRunner().invoke(app, words)
    assert "subgroups" not in json.loads(plain.stdout)
    words += ["--by", "site", "--by", "site", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    groups = json.loads(done.stdout)["subgroups"]["site"]["groups"]
    written = pd.read_csv(tmp_path / "out" / "subgroups.csv")
    assert written["name"].tolist() == ["head/neck", "torso"]
    assert written["auc_low"].tolist() == [group["auc"]["low"] for group in groups]


def test_each_subgroup_is_compared_with_all_other_images() -> None:
    guesses, truth = tables()
    (found,) = evaluate(guesses, truth, repeats=20, threshold=0.4, by="site").subgroups
    head, torso = found.groups
    for name in METRICS:
        difference = head.against_rest[name].interval
        assert difference.value == pytest.approx(
            head.metrics[name].value - torso.metrics[name].value
        )
        assert difference.low < difference.value < difference.high
        assert torso.against_rest[name].interval.value == pytest.approx(-difference.value)


def test_a_p_value_below_5_percent_is_an_interval_without_0() -> None:
    rest = Interval(0.8, 0.75, 0.85)
    for value, touches in ((0.70, True), (0.60, False), (0.95, False), (0.85, True)):
        found = less(Interval(value, value - 0.09, value + 0.09), rest)
        assert (found.p >= 0.05) == touches
        assert (found.interval.low < 0 < found.interval.high) == touches


def test_p_values_are_adjusted_for_all_subgroups_of_all_columns() -> None:
    guesses, truth = tables()
    many = truth.assign(half=np.arange(300) % 2, third=np.arange(300) % 3)
    found = evaluate(guesses, many, repeats=20, by=["site", "half", "third"]).subgroups
    every = [group for each in found for group in each.groups]
    told = [each for group in every for each in group.against_rest.values()]
    lowest = min(told, key=lambda each: each.p)
    # Two columns of two halves and one of thirds: 1 + 1 + 3 tests of each of 4 metrics.
    assert lowest.p_holm == pytest.approx(min(20 * lowest.p, 1))
    assert sentence_on(found).startswith(
        "20 differences to the rest were looked at; 0 have"
    )
    one, other = (group.against_rest for group in found[1].groups)
    assert {n: each.p_holm for n, each in one.items()} == {
        n: each.p_holm for n, each in other.items()
    }


def test_a_subgroup_that_is_worse_is_found_and_stands_first() -> None:
    guesses, truth = tables()
    torso = (truth["site"] == "torso").to_numpy()
    noise = np.random.default_rng(0).random(300)
    guesses["probability"] = np.where(torso, noise, guesses["probability"])
    whole = evaluate(guesses, truth, repeats=20, by=["age", "site"])
    sites = whole.subgroups[1]
    assert [group.name for group in sites.worst_first] == ["torso", "head/neck"]
    assert sites.groups[1].against_rest["auc"].p_holm < 0.05
    assert "auc of torso" in whole.as_text()
    assert whole.as_dict()["subgroups"]["site"]["worst_first"][0] == "torso"


def test_two_columns_are_judged_together_and_known_is_all_that_are() -> None:
    guesses, truth = tables()
    (found,) = evaluate(guesses, truth, repeats=20, by="site*age").subgroups
    assert len(found.groups) == 8
    assert found.groups[0].name.startswith("head/neck, 20 to ")
    assert found.said == "site of the truth and age of the truth"
    every = evaluate(guesses, truth, repeats=20, by="known").subgroups
    assert [each.by for each in every] == ["site", "age"]
    with pytest.raises(ColumnError, match="has a column sight"):
        evaluate(guesses, truth, repeats=20, by="site*sight")


def test_calls_of_subgroups_are_those_of_a_clinic_where_it_was_asked_for() -> None:
    guesses, truth = tables()
    asked = evaluate(guesses, truth, repeats=20, by="site", prevalence=0.05, threshold=0.2)
    groups = asked.subgroups[0].groups
    called = sum(g.metrics["sensitivity"].value * g.n_melanomas for g in groups)
    assert round(called) == asked.confusion.tp
    plain = evaluate(guesses, truth, repeats=20, by="site").subgroups[0].groups
    for one, other in zip(groups, plain, strict=True):
        assert one.metrics["calibration_gap"] == other.metrics["calibration_gap"]


def test_the_gap_is_the_share_of_melanomas_less_the_mean_probability() -> None:
    guesses, truth = tables()
    gap = evaluate(guesses, truth, repeats=20)["calibration_gap"]
    mean = truth["melanoma"].mean() - guesses["probability"].mean()
    assert gap.value == pytest.approx(mean, abs=1e-12)
    assert gap.low < mean < gap.high


def test_quarters_are_told_apart_by_enough_digits() -> None:
    days = pd.Series(np.arange(20230101, 20230129))
    assert named_values(days).unique().tolist() == [
        "20230101 to 20230107", "20230108 to 20230114",
        "20230115 to 20230121", "20230122 to 20230128",
    ]  # fmt: skip
    close = named_values(pd.Series(1 + np.arange(40) * 1e-9))
    assert (close.value_counts() == 10).all()


def test_a_number_that_fills_quarters_is_a_subgroup_and_the_rest_is_divided() -> None:
    """Of 100 numbers 85 are 0; the other 15 are 1 to 15, and one is not known."""
    counts = pd.Series([*np.zeros(85), *range(1, 16), np.nan])
    assert named_values(counts).value_counts(sort=False).to_dict() == {
        "0": 85, "1 to 4": 4, "5 to 8": 4, "9 to 11": 3, "12 to 15": 4, UNKNOWN: 1,
    }  # fmt: skip
    both = pd.Series([*range(-10, 0), *np.zeros(40), *range(1, 11)])
    assert named_values(both).value_counts(sort=False).to_dict() == {
        "-10 to -6": 5, "-5 to -1": 5, "0": 40, "1 to 5": 5, "6 to 10": 5,
    }  # fmt: skip
