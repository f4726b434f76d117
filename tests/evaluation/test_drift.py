"""Whether a period moved: distances by hand and by SciPy, alarms by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from lentigo.errors import DatasetError
from lentigo.evaluation.drift import Side, drift
from lentigo.evaluation.drift_columns import _discrepancy, _gaussian
from lentigo.evaluation.stability import stability_bins


def side(name: str, columns: dict[str, object], *, each: int = 1) -> Side:
    """Images of patients with `each` of them in a row."""
    table = pd.DataFrame(columns)
    table.insert(0, "image_id", [f"{name}{n}" for n in range(len(table))])
    groups = np.array([f"P{n // each}" for n in range(len(table))], dtype=object)
    return Side(name=name, table=table, groups=groups)


def test_words_by_hand() -> None:
    """Reference 15 f, 5 m; period 5 f, 15 m: half of the images changed sides."""
    before = side("before", {"sex": ["f"] * 15 + ["m"] * 5})
    after = side("after", {"sex": ["f"] * 5 + ["m"] * 15})
    (found,) = drift(before, [after], ["sex"], repeats=200).shifts
    assert found.distance == pytest.approx(0.5)
    assert (found.n_reference, found.n_period) == (20, 20)
    assert (found.reference, found.was) == ("f 75 %", "f 25 %")
    # Half an image is added to each bin: 15.5 and 5.5 of 21, and the other way round.
    assert found.psi == pytest.approx(2 * (10 / 21) * np.log(15.5 / 5.5))


def test_numbers_are_as_far_apart_as_scipy_says() -> None:
    rng = np.random.default_rng(0)
    for count in (40, 250):
        one, other = rng.normal(size=count), rng.normal(0.5, 1, size=90)
        (found,) = drift(side("a", {"x": one}), [side("b", {"x": other})], ["x"]).shifts
        exact = ks_2samp(one, other)
        assert found.distance == pytest.approx(exact.statistic, abs=0.01)
        if count == 40:  # 130 values, each a level of its own
            assert found.distance == pytest.approx(exact.statistic)
            assert found.p == pytest.approx(exact.pvalue, abs=0.05)


def test_what_is_missing_is_a_column_of_its_own() -> None:
    ages = [50.0] * 10 + [60.0] * 10
    before = side("a", {"age": ages})
    after = side("b", {"age": [*ages[:5], *ages[10:15], *[np.nan] * 10]})
    age, known = drift(before, [after], ["age"], repeats=200).shifts
    assert (age.column, age.kind, age.distance) == ("age", "number", 0)
    assert (known.column, known.kind) == ("age known", "word")
    assert known.distance == pytest.approx(0.5)
    assert known.moved


def test_a_column_that_one_side_lacks_is_named() -> None:
    before, after = side("a", {"x": range(20)}), side("b", {"y": range(20)})
    found = drift(before, [after], ["x"], repeats=200)
    assert found.shifts == ()
    assert found.notes == ("x is not compared: b tells nothing of it.",)


def test_the_discrepancy_is_that_of_its_definition() -> None:
    rows = np.random.default_rng(1).normal(size=(7, 3))
    kernel = _gaussian(rows)
    apart = np.array([[((a - b) ** 2).sum() for a in rows] for b in rows])
    width = np.median(apart[np.triu_indices(7, k=1)])
    assert np.allclose(kernel, np.exp(-apart / (2 * width)))
    x, y = [0, 1, 2, 3], [4, 5, 6]
    wanted = (
        kernel[np.ix_(x, x)].mean() + kernel[np.ix_(y, y)].mean()
        - 2 * kernel[np.ix_(x, y)].mean()
    )  # fmt: skip
    dealt = np.isin(np.arange(7), y)[None].astype(float)
    assert _discrepancy(kernel, dealt, np.ones(7))[0] == pytest.approx(wanted)


def clustered(rng: np.random.Generator, patients: int, *, shift: float = 0.0) -> Side:
    """Ten images of each patient, of whom each has a level of his own."""
    levels = np.repeat(rng.normal(size=patients), 10)
    values = levels + 0.1 * rng.normal(size=len(levels)) + shift
    return side("x", {"x": values}, each=10)


def test_patients_are_dealt_whole_so_chance_raises_few_alarms() -> None:
    rng = np.random.default_rng(2)
    alarms = naive = 0
    for seed in range(60):
        sides = clustered(rng, 15), clustered(rng, 12)
        found = drift(sides[0], [sides[1]], ["x"], repeats=200, seed=seed)
        alarms += len(found.alarms)
        naive += ks_2samp(sides[0].table["x"], sides[1].table["x"]).pvalue < 0.05
    assert alarms <= 8  # 3 are expected; more than 8 happen once in 200 times
    assert naive >= 30  # as single images, most of them would be alarms


def test_a_shift_is_found() -> None:
    rng = np.random.default_rng(3)
    found = drift(clustered(rng, 40), [clustered(rng, 40, shift=2.0)], ["x"], repeats=400)
    assert [each.column for each in found.alarms] == ["x"]
    assert found.alarms[0].distance > found.alarms[0].by_chance


def test_features_that_moved_are_found_and_others_are_not() -> None:
    rng = np.random.default_rng(4)

    def having(name: str, shift: float) -> Side:
        plain = side(name, {"x": range(40)})
        rows = {each: rng.normal(size=5) + shift for each in plain.table["image_id"]}
        return Side(name=name, table=plain.table, groups=plain.groups, features=rows)

    before = having("a", 0.0)
    found = drift(before, [having("b", 1.0), having("c", 0.0)], [], repeats=400)
    assert [(each.period, each.moved) for each in found.shifts] == [
        ("b", True),
        ("c", False),
    ]


def test_many_columns_are_counted() -> None:
    rng = np.random.default_rng(5)
    names = [f"x{n}" for n in range(20)]
    sides = [side(n, {c: rng.normal(size=30) for c in names}) for n in ("a", "b")]
    found = drift(sides[0], [sides[1]], names, repeats=400)
    assert min(each.p for each in found.shifts) < 0.15
    assert not found.alarms


def test_a_large_change_is_an_alarm_among_however_many_columns() -> None:
    """3 periods of 20 columns need 1,200 deals; 200 are asked for."""
    rng = np.random.default_rng(6)
    names = [f"x{n}" for n in range(20)]
    before = side("a", {c: rng.normal(size=60) for c in names})
    months = [
        side(name, {c: rng.normal(size=30) + 9 * (c == "x3") for c in names})
        for name in ("may", "june", "july")
    ]
    found = drift(before, months, names, repeats=200)
    assert [(each.period, each.column) for each in found.alarms] == [
        ("may", "x3"), ("june", "x3"), ("july", "x3"),
    ]  # fmt: skip
    assert {each.deals for each in found.alarms} == {found.most} == {2400}
    assert found.untold == ()
    assert min(each.deals for each in found.shifts) == 200


def test_where_nothing_could_be_an_alarm_it_is_said() -> None:
    """8 patients and 8: one of C(16, 8) / 2 = 6,435 deals is the real one again."""
    rng = np.random.default_rng(7)
    names = [f"x{n}" for n in range(170)]
    few = side("a", {c: rng.normal(size=8) for c in names})
    more = side("b", {c: rng.normal(size=8) + 9 for c in names})
    found = drift(few, [more], names, repeats=200)
    assert not found.alarms
    assert found.all_untold
    assert found.untold[0].startswith("Nothing can be told of b: with so few groups")
    assert not drift(few, [more], names[:20], repeats=200).all_untold


def test_one_fact_is_one_column() -> None:
    """Two of three columns, and whether two numbers are known, say the same."""
    rng = np.random.default_rng(8)

    def having(name: str) -> Side:
        p, answered = rng.uniform(size=40), rng.uniform(size=40) < 0.8
        p[~answered] = np.nan
        known = np.where(answered, "yes", "no")
        return side(
            name, {"p": p, "rest": 1 - p, "cube": p**3, "answered": known, "no": ~answered}
        )

    names = ["p", "rest", "cube", "answered", "no"]
    found = drift(having("a"), [having("b"), having("c")], names, repeats=200)
    assert [each.column for each in found.shifts] == ["p", "answered"] * 2
    assert found.notes == (
        "rest and cube are not compared: p tells the same of these images.",
        "no, p known, rest known and cube known are not compared: answered tells the same "
        "of these images.",
    )  # fmt: skip


def test_what_was_not_asked_is_not_missing() -> None:
    before = side("a", {"sex": ["f", "m"] * 20, "age": [50.0, 60.0] * 20})
    after = side("b", {"sex": ["f", "m"] * 5 + [None] * 30, "age": [None] * 40})
    asked = {"sex": np.arange(40) < 10, "age": np.zeros(40, dtype=bool)}
    told = Side(name="b", table=after.table, groups=after.groups, asked=asked)
    (sex,) = drift(before, [told], ["sex", "age"], repeats=200).shifts
    assert (sex.column, sex.n_period, sex.distance) == ("sex", 10, 0)
    assert drift(before, [after], ["sex"], repeats=200).shifts[0].distance == 0.75


def test_too_few_patients_are_refused() -> None:
    before = side("a", {"x": range(20)})
    with pytest.raises(DatasetError, match=r"b has images of 4 groups .* at least 8"):
        drift(before, [side("b", {"x": range(20)}, each=5)], ["x"])


def test_the_same_seed_gives_the_same_answer() -> None:
    before, after = side("a", {"x": range(20)}), side("b", {"x": range(5, 25)})
    first, again = (drift(before, [after], ["x"], repeats=300, seed=3) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    ("before", "after", "bins"),
    [
        ([0.0] * 14 + [1.0] * 6, [0.0] * 4 + [1.0] * 16, [(14, 4), (6, 16)]),
        ([1.0] * 20, [9.0] * 20, [(20, 0), (0, 20)]),
        ([1.0] * 8 + [2.0] * 6 + [3.0] * 6, [1.0] * 20, [(8, 20), (6, 0), (6, 0)]),
    ],
)
def test_the_stability_of_few_numbers_by_hand(
    before: list[float], after: list[float], bins: list[tuple[int, int]]
) -> None:
    pair = side("a", {"x": before}), side("b", {"x": after})
    (found,) = drift(pair[0], [pair[1]], ["x"], repeats=200).shifts
    shares = (np.array(bins) + 0.5) / (20 + 0.5 * len(bins))
    by_hand = float((np.diff(shares) * np.diff(np.log(shares))).sum())
    assert found.psi == pytest.approx(by_hand)
    assert found.psi > 0.5


def test_what_lies_beyond_the_reference_and_what_fills_tenths_are_bins() -> None:
    known = np.ones(60, dtype=bool)
    even = np.concatenate([np.arange(20.0), np.arange(20.0) + 0.5, np.arange(20.0)])
    inside = stability_bins(even, known, 40)
    assert np.bincount(inside[:40]).tolist() == [4] * 10
    beyond = stability_bins(np.concatenate([even[:58], [-1.0, 99.0]]), known, 40)
    assert (beyond[58], beyond[59]) == (0, 11)
    assert np.bincount(beyond[:40]).tolist() == [0] + [4] * 10
    zeros = np.concatenate([np.zeros(34), np.arange(1.0, 27.0)])
    assert np.bincount(stability_bins(zeros, known, 40))[0] == 34


def test_one_image_of_a_period_of_single_images_is_no_alarm() -> None:
    """Of 54 patients one has the word: it is in the period by chance in 24 of 54 deals.

    Counted by images, no deal gave it as large a share of a period as the real one does.
    """
    before = side("a", {"answered": ["yes"] * 120}, each=4)
    after = side("b", {"answered": ["no", *["yes"] * 23]})
    (found,) = drift(before, [after], ["answered"], repeats=400).shifts
    assert found.distance == pytest.approx(1 / 24)
    assert found.p == pytest.approx(24 / 54, abs=0.08)


def test_the_texts_tell_of_patients_as_the_distance_does() -> None:
    """Of 30 patients 29 say yes on either side; the other one has half of the images."""
    before = side("a", {"w": ["no"] * 60 + ["yes"] * 29, "x": [9.0] * 60 + [1.0] * 29})
    groups = np.array(["P"] * 60 + [f"Q{n}" for n in range(29)], dtype=object)
    after = side("b", {"w": ["no"] + ["yes"] * 29, "x": [9.0] + [1.0] * 29})
    grouped = replace(before, groups=groups)
    for period in (after, replace(grouped, name="b")):
        for each in drift(grouped, [period], ["w", "x"], repeats=100).shifts:
            assert each.distance == pytest.approx(0)
            assert (
                each.reference == each.was == {"w": "no 3 %", "x": "mean 1.27"}[each.column]
            )


def test_sides_of_other_group_sizes_differ_by_chance_no_more_often_than_told() -> None:
    """60 patients of four images beside 24 of one: independent numbers, and features."""
    rng = np.random.default_rng(6)
    small: dict[str, int] = {"x": 0, "w": 0, "features": 0}
    for seed in range(60):
        sides = []
        for name, patients, each in (("a", 60, 4), ("b", 24, 1)):
            x = rng.normal(size=patients * each)
            made = side(
                name, {"x": x, "w": np.where(rng.random(len(x)) < 0.5, "y", "n")}, each=each
            )
            rows = dict(
                zip(made.table["image_id"], rng.normal(size=(len(x), 4)), strict=True)
            )
            sides.append(replace(made, features=rows))
        found = drift(sides[0], sides[1:], ["x", "w"], repeats=100, seed=seed)
        for one in found.shifts:
            small[one.column] += one.p < 0.05
            assert (one.n_reference, one.n_period) == (60, 24)
        assert found.notes[-1].startswith("b: of each group")
    assert max(small.values()) <= 8  # 3 are expected; more than 8 happen once in 200 times
