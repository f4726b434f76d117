"""A reader study from tables as people have them, in Python and on the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ColumnError, ConfigError, DatasetError, UnknownNameError
from lentigo.evaluation.readers import judge_readers
from lentigo.reports.comparison import write_readers

TRUTH = pd.DataFrame({"image_id": list("abcdefgh"), "melanoma": [1, 1, 1, 1, 0, 0, 0, 0]})
WIDE = pd.DataFrame(
    {
        "image": list("abcdefgh"),
        "Anna": [1, 1, 1, 0, 0, 0, 0, 0],
        "Ben": [1, 1, 0, 0, 1, 0, 0, 0],
        "Cem": [1, 0, 1, 0, 0, 1, 0, 0],
    }
)
PREDICTED = pd.DataFrame(
    {
        "image_id": list("abcdefgh"),
        "probability": [0.9, 0.8, 0.6, 0.2, 0.7, 0.5, 0.3, 0.1],
    }
)


def long(wide: pd.DataFrame) -> pd.DataFrame:
    return wide.melt(id_vars="image", var_name="reader", value_name="call")


def test_each_reader_and_the_majority_of_eight_images_by_hand() -> None:
    [found] = judge_readers(WIDE, TRUTH).conditions
    shares = {e.name: (e.sensitivity.value, e.specificity.value) for e in found.readers}
    assert shares == {"Anna": (3 / 4, 4 / 4), "Ben": (2 / 4, 3 / 4), "Cem": (2 / 4, 3 / 4)}
    # a by three, b and c by two of them; d, e and f by fewer.
    assert found.majority is not None
    assert found.majority.sensitivity.value == 3 / 4
    assert found.majority.specificity.value == 4 / 4
    assert found.means["sensitivity"].interval.value == pytest.approx(7 / 12)


def test_one_row_a_reading_is_the_same_as_one_column_a_reader() -> None:
    rows = long(WIDE).sample(frac=1, random_state=0)
    one, other = judge_readers(WIDE, TRUTH), judge_readers(rows, TRUTH)
    assert one.conditions == other.conditions


def test_calls_may_be_words_and_diagnoses() -> None:
    words = long(WIDE).assign(call=lambda t: t["call"].map({1: "melanoma", 0: "nevus"}))
    assert judge_readers(words, TRUTH).conditions == judge_readers(WIDE, TRUTH).conditions
    with pytest.raises(ColumnError, match="zap"):
        judge_readers(words.replace("nevus", "zap"), TRUTH)


def test_the_model_is_judged_at_each_readers_specificity() -> None:
    [found] = judge_readers(WIDE, TRUTH, predictions=PREDICTED, repeats=50).conditions
    model = {each.name: each.model_sensitivity for each in found.readers}
    assert model == {"Anna": 2 / 4, "Ben": 3 / 4, "Cem": 3 / 4}
    difference = found.against_model["sensitivity_at_specificity"].interval
    assert difference.value == pytest.approx((-1 / 4 + 1 / 4 + 1 / 4) / 3)


def test_ratings_give_an_auc_and_calls_from_a_rating_on() -> None:
    rated = pd.DataFrame({"image": list("abcdefgh"), "r1": [5, 4, 2, 3, 3, 1, 2, 1]})
    study = judge_readers(rated, TRUTH)
    [reader] = study.conditions[0].readers
    assert reader.auc.value == (4 + 4 + 2.5 + 3.5) / 16
    assert math.isnan(reader.sensitivity.value)
    assert any("--call-from" in note for note in study.notes)
    [reader] = judge_readers(rated, TRUTH, call_from=3).conditions[0].readers
    assert (reader.sensitivity.value, reader.specificity.value) == (3 / 4, 3 / 4)


def test_conditions_are_compared_over_the_readers_and_images_in_both() -> None:
    better = WIDE.assign(Ben=[1, 1, 1, 0, 0, 0, 0, 0])
    rows = pd.concat([long(WIDE).assign(arm="alone"), long(better).assign(arm="aided")])
    rows = rows[~((rows["reader"] == "Cem") & (rows["arm"] == "aided"))]
    study = judge_readers(rows, TRUTH)
    assert [each.name for each in study.conditions] == ["alone", "aided"]
    sensitivity = next(c for c in study.contrasts if c.metric == "sensitivity")
    assert (sensitivity.n_readers, sensitivity.n_images) == (2, 8)
    [(_, _, difference)] = sensitivity.result.differences
    assert difference.interval.value == pytest.approx((0 - 1 / 4) / 2)


def test_images_that_not_all_read_count_for_those_who_did() -> None:
    some = WIDE.assign(Anna=[1, 1, 1, np.nan, 0, 0, 0, np.nan])
    study = judge_readers(some, TRUTH)
    assert study.conditions[0].readers[0].sensitivity.value == 3 / 3
    assert study.conditions[0].means["sensitivity"].interval.value == pytest.approx(7 / 9)
    assert any("rest on the 6 of 8 images" in note for note in study.notes)


def test_a_tied_majority_counts_as_a_call_and_says_so() -> None:
    four = WIDE.assign(Dora=[0, 0, 0, 0, 1, 0, 0, 0])
    study = judge_readers(four, TRUTH)  # b, c and e: two of four
    assert study.conditions[0].majority is not None
    assert study.conditions[0].majority.specificity.value == 3 / 4
    assert any("Of 3 images exactly half" in note for note in study.notes)


def test_whole_patients_are_the_unit() -> None:
    truth = TRUTH.assign(patient_id=["p1", "p1", "p2", "p2", "p3", "p3", "p4", "p4"])
    study = judge_readers(WIDE, truth)
    assert study.unit == "patient"
    alone = judge_readers(WIDE, TRUTH).conditions[0].readers[1].sensitivity
    assert study.conditions[0].readers[1].sensitivity.low < alone.low


def test_what_is_wrong_is_said_in_a_sentence() -> None:
    twice = pd.concat([long(WIDE), long(WIDE).head(1)])
    with pytest.raises(ColumnError, match="reader Anna on a"):
        judge_readers(twice, TRUTH)
    with pytest.raises(ColumnError, match="no column of readers"):
        judge_readers(WIDE[["image"]], TRUTH)
    with pytest.raises(ConfigError, match="no ratings"):
        judge_readers(WIDE, TRUTH, call_from=3)
    rated = pd.DataFrame({"image": list("abcdefgh"), "r1": [5, 4, 2, 3, 3, 1, 2, 1]})
    with pytest.raises(ConfigError, match=r"no rating of .* is above 5"):
        judge_readers(rated, TRUTH, call_from=6)
    with pytest.raises(DatasetError, match="No image"):
        judge_readers(WIDE.assign(image=list("stuvwxyz")), TRUTH)
    with pytest.raises(ColumnError, match="wer"):
        judge_readers(WIDE, TRUTH, columns={"reader": "wer"})
    with pytest.raises(UnknownNameError):
        judge_readers(WIDE, TRUTH, columns={"radar": "Anna"})
    with pytest.raises(ColumnError, match="does not name the reader in line 2"):
        judge_readers(long(WIDE).replace("Anna", None), TRUTH)
    with pytest.raises(DatasetError, match="the readers' table has no rows"):
        judge_readers(WIDE.head(0), TRUTH)


def test_no_melanoma_leaves_what_needs_one_open() -> None:
    study = judge_readers(WIDE, TRUTH.assign(melanoma=0), predictions=PREDICTED, repeats=20)
    [found] = study.conditions
    assert math.isnan(found.readers[0].sensitivity.value)
    assert found.readers[0].specificity.value == 5 / 8
    assert "sensitivity" not in found.means
    assert "undefined" in study.as_text()
    assert found.means["specificity"].interval.value == pytest.approx(15 / 24)
    assert found.means["specificity"].interval.low < 15 / 24


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    long(WIDE).to_csv(tmp_path / "readers.csv", index=False)
    TRUTH.to_csv(tmp_path / "truth.csv", index=False)
    PREDICTED.to_csv(tmp_path / "p.csv", index=False)
    return tmp_path


def test_the_command_prints_and_writes(tables: Path) -> None:
    words = f"readers {tables}/readers.csv --truth {tables}/truth.csv --repeats 50 "
    words += f"--predictions {tables}/p.csv --out {tables}/out"
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 0, done.output
    assert "3 readers on 8 images, 4 melanomas among them." in done.output
    assert "majority" in done.output
    found = json.loads((tables / "out/readers.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in found["conditions"][0]["readers"]][:1] == ["Anna"]
    drawn = pd.read_csv(tables / "out/figures/readers.csv")
    assert set(drawn["reader"]) == {"Anna", "Ben", "Cem", "majority"}
    again = CliRunner().invoke(app, words.split())
    assert again.exit_code == 1
    assert "is there already" in again.output or "exists" in again.output, again.output


def test_json_is_one_object(tables: Path) -> None:
    words = f"readers {tables}/readers.csv --truth {tables}/truth.csv --json"
    done = CliRunner().invoke(app, words.split())
    assert json.loads(done.stdout)["conditions"][0]["gwet_ac1"]["value"] == pytest.approx(
        judge_readers(WIDE, TRUTH).conditions[0].gwet_ac1.value
    )


def test_without_calls_there_is_no_figure(tmp_path: Path) -> None:
    rated = pd.DataFrame({"image": list("abcdefgh"), "r1": np.arange(8)})
    written = write_readers(judge_readers(rated, TRUTH), tmp_path / "out")
    assert [path.name for path in written] == ["readers.json"]


def test_a_diagnosis_beside_ratings_is_not_taken_for_the_readers_calls() -> None:
    rated = long(WIDE).rename(columns={"call": "rating"}).assign(rating=range(24))
    right = rated["image"].map(TRUTH.set_index("image_id")["melanoma"])
    found = judge_readers(rated.assign(melanoma=right), TRUTH)
    assert all(math.isnan(each.sensitivity.value) for each in found.conditions[0].readers)
    assert any("--column call=melanoma" in note for note in found.notes)
    as_told = judge_readers(
        rated.assign(diagnosis=right.map({1: "melanoma", 0: "nevus"})),
        TRUTH,
        columns={"call": "diagnosis"},
    )
    assert as_told.conditions[0].readers[0].sensitivity.value == 1


def test_ratings_are_never_dropped_in_silence() -> None:
    rated = long(WIDE).assign(rating=["five", *["3"] * 23])
    with pytest.raises(ColumnError, match="1 rating is no number, such as five"):
        judge_readers(rated, TRUTH)


def test_a_missing_name_in_a_wide_table_has_its_own_line() -> None:
    nameless = WIDE.assign(image=pd.Series([*"abcdefg", ""]).replace("", pd.NA))
    with pytest.raises(ColumnError, match=r"the image in line 9\."):
        judge_readers(nameless, TRUTH)


def test_a_reader_without_a_melanoma_takes_no_interval_from_the_others() -> None:
    wide, truth, predicted = twice(WIDE, "image"), twice(TRUTH), twice(PREDICTED)
    shy = wide.assign(Dora=([np.nan] * 4 + [0.0, 1.0, 0.0, 0.0]) * 2)
    study = judge_readers(shy, truth, predictions=predicted, repeats=200)
    alone = judge_readers(wide, truth, predictions=predicted, repeats=200).conditions[0]
    ends = {each.name: each.difference for each in study.conditions[0].readers}
    assert math.isnan(ends.pop("Dora").value)
    assert ends == {each.name: each.difference for each in alone.readers}
    assert not any(math.isnan(each.low) for each in ends.values())
    assert any("a difference of what Dora read" in note for note in study.notes)


def twice(table: pd.DataFrame, image: str = "image_id") -> pd.DataFrame:
    """Each image again under another name, as of other patients."""
    again = table.assign(**{image: table[image] + "2"})
    return pd.concat([table, again], ignore_index=True)


def test_with_four_melanomas_no_difference_is_told() -> None:
    """Neither to the model, nor between conditions; with eight all of them are."""
    both = [long(WIDE).assign(arm="alone"), long(WIDE).assign(arm="aided")]
    both[1].loc[both[1]["image"].isin(["d"]), "call"] = [1, 1, 0]
    rows = pd.concat(both)
    few = judge_readers(rows, TRUTH, predictions=PREDICTED, repeats=200)
    assert sum("Nothing can be said about a difference" in note for note in few.notes) == 1
    found = list(numbers_told(few.as_dict()))
    assert found
    assert all(math.isnan(each) for each in found)
    text = few.as_text()
    assert "without a test:" in text
    assert ", p " not in text
    many = judge_readers(
        twice(rows, "image"), twice(TRUTH), predictions=twice(PREDICTED), repeats=200
    )
    assert not any("Nothing can be said" in note for note in many.notes)
    assert sum(not math.isnan(each) for each in numbers_told(many.as_dict())) > 10


def numbers_told(study: Any) -> Iterator[float]:
    """The bounds and p-values of every difference in a study's JSON."""
    for condition in study["conditions"]:
        for one in condition["readers"]:
            yield from (one["difference"]["low"], one["difference"]["high"])
        for mean in condition["model_less_readers"].values():
            yield from (mean["low"], mean["high"], mean["p"])
    for contrast in study["contrasts"]:
        yield from (contrast["f"], contrast["p"])
        for each in contrast["differences"]:
            yield from (each["low"], each["high"], each["p"])


def test_readers_who_share_four_melanomas_have_no_mean_difference_and_a_sentence() -> None:
    """Each reads eight of the twelve melanomas, and both read four."""
    names = [f"m{n}" for n in range(12)] + [f"n{n}" for n in range(12)]
    truth = pd.DataFrame({"image_id": names, "melanoma": [1] * 12 + [0] * 12})
    rows = [
        (reader, name, 1 + (place * step) % 5)
        for reader, step, left in (("a", 2, range(8, 12)), ("b", 3, range(4)))
        for place, name in enumerate(names)
        if place not in left
    ]
    readings = pd.DataFrame(rows, columns=["reader", "image_id", "rating"])
    model = truth[["image_id"]].assign(probability=np.linspace(0.9, 0.1, 24))
    told = "Nothing can be said about a mean difference on the images that all readers"
    found = judge_readers(readings, truth, predictions=model, repeats=20)
    assert math.isnan(found.conditions[0].against_model["auc"].interval.low)
    assert sum(note.startswith(told) for note in found.notes) == 1
    alone = judge_readers(readings, truth, repeats=20)  # without a model no difference
    assert not any(note.startswith(told) for note in alone.notes)


def test_a_mean_sensitivity_needs_no_other_images() -> None:
    """The four melanomas alone have the sensitivities, and intervals, of all eight."""
    [whole] = judge_readers(WIDE, TRUTH).conditions
    [alone] = judge_readers(WIDE.iloc[:4], TRUTH.iloc[:4]).conditions
    assert list(alone.means) == ["sensitivity"]
    one, other = (each.means["sensitivity"].interval for each in (whole, alone))
    assert (one.value, one.low, one.high) == pytest.approx(
        (other.value, other.low, other.high)
    )
    assert not math.isnan(other.low)


def test_a_mean_that_no_shared_images_allow_is_said_to_be_missing() -> None:
    apart = WIDE.astype({"Anna": "Int64", "Ben": "Int64", "Cem": "Int64"})
    apart.loc[:2, "Anna"] = pd.NA  # of the melanomas all three read d alone
    text = judge_readers(apart, TRUTH).as_text()
    assert "Mean sensitivity of readers like these: not told" in text
    assert "Mean specificity of readers like these: 0." in text
