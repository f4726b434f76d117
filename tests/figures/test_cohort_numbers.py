"""The numbers in the cohort's figures, on tables that one can count by eye."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch
from scipy.stats import gaussian_kde
from scipy.stats.contingency import association

from lentigo.figures.bars import age_steps
from lentigo.figures.cohort import draw_table
from lentigo.figures.cohort.age_by_class import age_density, bandwidth, density
from lentigo.figures.cohort.counts import count_data
from lentigo.figures.cohort.diagnoses import diagnosis_data
from lentigo.figures.cohort.draw_risk import tree
from lentigo.figures.cohort.drawn import Cohort, NotDrawnError, need_classes, need_column
from lentigo.figures.cohort.missing import missing_data
from lentigo.figures.cohort.patients import (
    images_a_patient_data,
    melanomas_a_patient_data,
    plot_melanomas_a_patient,
)
from lentigo.figures.cohort.rates import beyond, drawn_rates, plot_rate, rate_data
from lentigo.figures.cohort.shift import cramers_v, mean_difference, shift_data
from lentigo.figures.cohort.site_by_age import site_by_age_data
from lentigo.figures.cohort.skin_tone import plot_skin_tone
from lentigo.figures.cohort.values import by_dataset, color_of, sharing
from lentigo.figures.lettering import can_be_drawn, fitted, stand_ins
from lentigo.figures.style import MELANOMA, NEUTRAL, OTHER_LESION, SERIES, new_figure, style
from lentigo.tables import check_table

TABLE = check_table(
    pd.DataFrame(
        {
            "image_id": list("abcdefgh"),
            "patient_id": ["P", "P", "P", "Q", "Q", "R", None, "P"],
            "sex": ["male", "male", "male", "female", None, "female", "male", "male"],
            "age": [40, 44, 45, 45, np.nan, 0, 90, 49],
            "site": ["torso", "torso", "torso", None, "head/neck", "torso", "torso", None],
            "diagnosis": [
                "nevus",
                "melanoma",
                None,
                "nevus",
                None,
                None,
                "melanoma",
                "nevus",
            ],
            "melanoma": [False, True, False, False, None, False, True, False],
        }
    ),
    source="counted",
)


def counted(column: str) -> dict[str, int]:
    data = count_data({"images": TABLE}, column=column)
    return dict(zip(data["value"], data["images"], strict=True))


def test_bars_count_what_is_there_and_what_is_missing() -> None:
    assert counted("sex") == {"female": 2, "male": 5, "missing": 1}
    assert counted("site") == {"torso": 5, "head/neck": 1, "missing": 2}
    assert counted("age") == {"0": 1, "40": 2, "45": 3, "90": 1, "missing": 1}


def test_shares_are_of_the_whole_group_with_its_missing() -> None:
    data = count_data({"images": TABLE}, column="sex").set_index("value")
    assert data.loc["male", "share"] == 5 / 8
    assert data["share"].sum() == 1


def test_a_column_all_missing_is_one_bar() -> None:
    data = count_data({"images": TABLE}, column="skin_type")
    assert data[["value", "images"]].to_numpy().tolist() == [["missing", 8]]


def test_rates_count_labelled_images_with_their_interval() -> None:
    data = rate_data({"all": TABLE}, column="site").set_index("value")
    torso = data.loc["torso"]
    assert (torso["melanomas"], torso["images"], torso["rate"]) == (2, 5, 2 / 5)
    assert 0 < torso["low"] < 2 / 5 < torso["high"] < 1
    # The one image of head or neck has no label.
    assert data.loc["missing", "images"] == 2
    assert "head/neck" not in data.index


def test_rates_take_the_patient_as_the_unit_else_the_lesion() -> None:
    rows = pd.DataFrame(
        {
            "sex": ["male"] * 12,
            "melanoma": [True] * 4 + [False] * 8,
            "patient_id": ["a"] * 4 + ["b"] * 4 + ["c"] * 4,
        }
    )
    alone = rows.drop(columns="patient_id")
    lesions = alone.assign(lesion_id=rows["patient_id"])
    of = {
        name: rate_data({"all": table}, column="sex").iloc[0]
        for name, table in (("patient", rows), ("lesion", lesions), ("image", alone))
    }
    assert (of["patient"]["units"], of["image"]["units"]) == (3, 12)
    assert of["patient"]["effective"] == pytest.approx(3)
    assert of["patient"]["low"] == of["lesion"]["low"] < of["image"]["low"]
    assert of["patient"]["high"] > of["image"]["high"]


def test_patients_are_counted_by_images_and_by_melanomas() -> None:
    images = images_a_patient_data(TABLE).set_index("value")
    assert images["patients"].to_dict() == {"1": 1, "2": 1, "3–4": 1}
    melanomas = melanomas_a_patient_data(TABLE).set_index("value")
    assert melanomas["patients"].to_dict() == {"0": 2, "1": 1}


def test_patients_of_two_sets_are_different_people() -> None:
    two = pd.concat([TABLE.assign(dataset="one"), TABLE.assign(dataset="two")])
    both = images_a_patient_data(two.reset_index(drop=True))
    assert both["patients"].sum() == 6


def test_what_is_missing_together_is_one_row() -> None:
    data = missing_data(TABLE)
    assert data["images"].sum() == 8
    row = data[data["sex"]].iloc[0]
    assert bool(row["age"])
    assert bool(row["melanoma"])
    assert row["images"] == 1


def test_the_map_of_site_and_age_holds_every_image_once() -> None:
    data = site_by_age_data(TABLE)
    assert data["images"].sum() == 8
    cell = data[(data["site"] == "torso") & (data["age"] == 40)].iloc[0]
    assert (cell["images"], cell["melanomas"]) == (2, 1)


@pytest.mark.parametrize("melanomas", [True, False])
def test_melanomas_have_a_map_of_their_own_if_there_are_any(melanomas: bool) -> None:
    table = TABLE if melanomas else TABLE.assign(melanoma=False)
    drawn = draw_table.site_by_age(Cohort(table))
    maps = [axes for axes in drawn.figure.axes if axes.get_xlabel() or axes.has_data()]
    assert len(maps) == len(drawn.figure.axes) == 1 + melanomas
    assert ("the melanomas among them" in drawn.sentence) == melanomas


def test_the_tree_of_diagnoses_holds_every_image_once() -> None:
    data = diagnosis_data(TABLE)
    rows = {(row["class"], row["diagnosis"]): row["images"] for _, row in data.iterrows()}
    assert rows == {
        ("not melanoma", "nevus"): 3,
        ("not melanoma", "missing"): 2,
        ("melanoma", "melanoma"): 2,
        ("no label", "missing"): 1,
    }


def test_the_density_is_that_of_scipy_and_does_not_ripple_on_the_grid() -> None:
    rng = np.random.default_rng(0)
    ages = np.clip(rng.normal(50, 15, 5000) // 5 * 5, 0, 90)
    at = np.arange(0.0, 101)
    ours = density(ages, at, 5.0)
    width = bandwidth(ages, 5.0)
    theirs = gaussian_kde(ages, bw_method=width / ages.std(ddof=1))(at)
    assert ours == pytest.approx(theirs, rel=1e-6)
    assert width >= 5
    even = np.arange(0.0, 2000, 5).repeat(3)
    middle = density(even, np.arange(900.0, 1100), bandwidth(even[:3], 5.0))
    assert np.ptp(middle) / middle.mean() < 1e-6


def test_a_density_of_nobody_is_undefined() -> None:
    assert np.isnan(density(np.empty(0), np.arange(3.0), 5.0)).all()
    assert age_density({}).empty


def test_effect_sizes_are_those_of_the_books() -> None:
    counts = np.array([[30.0, 10.0, 5.0], [10.0, 30.0, 25.0]])
    theirs = association(counts.astype(int), method="cramer", correction=False)
    assert cramers_v(counts) == pytest.approx(theirs)
    alone = np.eye(2, 20)
    alone[1, 2:] = 1
    # Each value came once: that says nothing, and what chance leaves is undefined.
    assert cramers_v(alone) == pytest.approx(1)
    assert np.isnan(cramers_v(alone, corrected=True))
    # Means 2 and 4, both with variance 1: two standard deviations apart.
    assert mean_difference(pd.Series([1, 2, 3]), pd.Series([3, 4, 5])) == 2.0
    assert np.isnan(mean_difference(pd.Series([1, 1]), pd.Series([1, 1])))


def test_a_table_does_not_differ_from_itself() -> None:
    data = shift_data(TABLE, TABLE)
    assert set(data["column"]) == {"sex", "age", "site", "diagnosis", "melanoma"}
    assert data["total_variation"].tolist() == [0] * 5


def test_the_shift_is_the_share_that_would_have_to_move() -> None:
    men = TABLE[TABLE["sex"] == "male"]
    data = shift_data(TABLE, men, columns=["sex"]).iloc[0]
    # Women and missing, 3 of 8, would have to move.
    assert data["total_variation"] == 3 / 8


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("torso", "torso"),
        ("atypical melanocytic proliferation", "atypical melanocytic\nproliferation"),
        ("", ""),
        ("x" * 80, "x" * 26 + "\n" + "x" * 25 + "…"),
    ],
)
def test_names_are_wrapped_and_shortened(name: str, shown: str) -> None:
    assert fitted(name) == shown


@pytest.mark.usefixtures("no_chinese_font")
def test_names_without_a_font_get_numbers_that_tell_them_apart() -> None:
    names = ["躯干", "足", "torso", "الجذع"]
    assert not can_be_drawn(names[0])
    assert stand_ins(names) == {"足": "name 1", "躯干": "name 2"}


@pytest.mark.parametrize(
    ("melanoma", "said"),
    [
        ([None, None], "No image has a label"),
        ([True, None], "labelled images are all melanomas"),
        ([False, False], "all lesions other than melanoma"),
    ],
)
def test_one_class_is_compared_with_nothing(melanoma: list[bool | None], said: str) -> None:
    rows = pd.DataFrame({"melanoma": pd.array(melanoma, dtype="boolean")})
    with pytest.raises(NotDrawnError, match=said):
        need_classes(rows)


def test_what_is_missing_in_every_row_is_not_drawn() -> None:
    rows = TABLE.assign(age=np.nan)
    with pytest.raises(NotDrawnError, match="The age is missing in every row"):
        need_column(rows, "age", what="The age")
    with pytest.raises(NotDrawnError, match="The view is missing in every row"):
        need_column(rows, "view", what="The view")
    need_column(rows, "sex", what="The sex")
    with pytest.raises(NotDrawnError, match="All features are missing in every row"):
        tree(Cohort(rows, features=("age",)))


def test_each_group_has_steps_of_its_own_ages() -> None:
    data = pd.DataFrame(
        {
            "group": ["a", "a", "b"],
            "value": ["40", "45", "60"],
            "share": [1 / 4, 3 / 4, 1.0],
            "of": [4, 4, 2],
        }
    )
    with style():
        _, [ax] = new_figure()
        age_steps(ax, data, centred=False)
    first, second = (each for each in ax.patches if isinstance(each, StepPatch))
    assert [first.get_label(), second.get_label()] == ["a (n = 4)", "b (n = 2)"]
    assert np.allclose(first.get_data()[0], [0, 25, 75, 0])
    heights, edges, _ = second.get_data()
    assert np.allclose(heights, [0, 100, 0])
    assert np.allclose(edges, [55, 60, 65, 70])


def labelled(*pairs: tuple[bool, bool | None]) -> pd.DataFrame:
    """A table of nothing but (melanoma, malignant), an image a pair."""
    rows = pd.DataFrame(pairs, columns=["melanoma", "malignant"])
    return rows.astype("boolean")


def test_the_other_class_has_one_name_in_all_sets() -> None:
    one = labelled((True, True), (False, True), (False, False), (False, False))
    two = labelled((True, True), (True, True), (False, False), (False, False))
    moved = shift_data(one, two, columns=["melanoma"]).iloc[0]
    assert moved["total_variation"] == 1 / 4
    data = count_data({"one": one, "two": two}, column="melanoma")
    assert data["value"].unique().tolist() == ["melanoma", "not melanoma", "missing"]


def test_sizes_are_compared_among_the_images_that_were_read() -> None:
    one = pd.DataFrame({"size": ["2 × 1", "2 × 1", None, None]}, dtype="string")
    two = pd.DataFrame({"size": ["2 × 1", "3 × 1"]}, dtype="string")
    row = shift_data(one, two).iloc[0]
    assert (row["column"], row["total_variation"]) == ("size", 1 / 2)
    assert (row["first"], row["second"]) == (2, 2)


def test_images_whose_malignancy_is_not_known_are_not_called_benign() -> None:
    table = labelled((True, True), (False, True), (False, False), (False, None))
    data = diagnosis_data(table.assign(diagnosis="x")).set_index("class")["images"]
    assert data.to_dict() == {
        "benign": 1, "malignancy not known": 1, "melanoma": 1, "other malignant": 1,
    }  # fmt: skip


def test_the_rarest_values_share_a_row() -> None:
    assert sharing(["a", "b", "c"], most=3) == {"a": "a", "b": "b", "c": "c"}
    assert sharing(list("abcd"), most=3) == {
        "a": "a", "b": "b", "c": "2 others", "d": "2 others",
    }  # fmt: skip


def test_rates_of_rare_sites_are_of_all_of_them_and_ages_keep_their_rows() -> None:
    # 14 sites with two images each, of which the first is a melanoma.
    rows = pd.DataFrame(
        {"site": [f"{n:02}" for n in range(14)] * 2, "melanoma": [True] * 14 + [False] * 14}
    )
    data = drawn_rates(rate_data({"all": rows}, column="site"))
    assert data["value"].tolist() == [*(f"{n:02}" for n in range(11)), "3 others"]
    last = data.iloc[-1]
    assert (last["melanomas"], last["images"], last["rate"]) == (3, 6, 1 / 2)
    aged = rows.assign(age=[5 * n for n in range(14)] * 2)
    assert len(drawn_rates(rate_data({"all": aged}, column="age"))) == 14


def test_a_share_beyond_the_axis_is_an_arrow_and_none_of_none_has_no_label() -> None:
    rows = pd.DataFrame(
        {
            "site": ["torso"] * 40 + ["ear"],
            "melanoma": [True] + [False] * 39 + [True],
            "dataset": "one",
        }
    )
    assert beyond(rate_data({"one": rows}, column="site"))
    other = pd.DataFrame({"site": ["torso"], "melanoma": [False], "dataset": "two"})
    with style():
        _, [ax] = new_figure()
        plot_rate(ax, pd.concat([rows, other], ignore_index=True), column="site")
    assert {text.get_text() for text in ax.texts} == {"1 of 40", "1 of 1", "0 of 1"}
    places = [np.asarray(line.get_xdata()) for line in ax.lines if line.get_marker() == ">"]
    arrows = [place.tolist() for place in places if place.size]
    assert arrows == [[ax.get_xlim()[1]]]


def test_a_set_called_benign_does_not_take_the_colour_of_the_class() -> None:
    sets = by_dataset(pd.DataFrame({"dataset": ["benign", "HAM"]}))
    assert list(sets) == ["benign (data set)", "HAM"]
    assert list(color_of(list(sets)).values()) == list(SERIES[:2])
    assert color_of(["benign", "melanoma"]) == {
        "benign": OTHER_LESION,
        "melanoma": MELANOMA,
    }


def test_the_tree_says_of_whom_it_was_judged() -> None:
    rows = pd.concat([TABLE] * 20, ignore_index=True)
    names = [f"{number:03}" for number in range(len(rows))]
    rows = rows.assign(
        image_id=names, melanoma=[True, False] * 80, age=[70.0, 30.0] * 80, lesion_id=names
    )
    for columns, said in (
        ({"patient_id": names}, "of other patients."),
        ({"patient_id": pd.NA}, "of other lesions (no patient is known)."),
        ({"patient_id": pd.NA, "lesion_id": pd.NA}, "neither patient nor lesion is known"),
    ):
        table = check_table(rows.assign(**columns), source="x")
        assert said in tree(Cohort(table, features=("age",))).sentence


def test_patients_without_a_melanoma_are_not_red() -> None:
    with style():
        _, [ax] = new_figure()
        plot_melanomas_a_patient(ax, TABLE)
    shown = [to_hex(bar.get_facecolor()).upper() for bar in ax.patches]
    assert shown == [NEUTRAL.upper(), MELANOMA.upper()]


def test_few_ages_have_no_density() -> None:
    ten = pd.DataFrame({"age": [40.0, 50.0] * 5})
    nine = ten.head(9)
    assert set(age_density({"ten": ten, "nine": nine})["group"]) == {"ten"}
    assert age_density({"nine": nine}).empty
    half = pd.concat([ten, ten.assign(age=np.nan)])
    whole = age_density({"x": ten})["share"]
    # As the steps, it is a share of all images, also of those without an age.
    assert age_density({"x": half})["share"].to_numpy() == pytest.approx(whole / 2)


def test_every_tone_of_the_skin_is_named() -> None:
    with style():
        _, [ax] = new_figure("page")
        plot_skin_tone(ax, {"images": np.array([-80.0, 20.0, 58.0])})
    named = {text.get_text() for text in ax.texts}
    assert named == {"very light", "light", "intermediate", "tan", "brown", "dark"}
