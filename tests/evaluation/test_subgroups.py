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
from lentigo.json_files import to_json

METRICS = ("auc", "sensitivity", "specificity")


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


def test_each_value_has_the_numbers_that_its_images_have_alone() -> None:
    guesses, truth = tables()
    (found,) = evaluate(guesses, truth, repeats=20, threshold=0.4, by="site").subgroups
    assert [group.name for group in found.groups] == ["head/neck", "torso"]
    for group in found.groups:
        rows = truth[truth["site"] == group.name]
        alone = evaluate(guesses, rows, repeats=20, threshold=0.4)
        assert {name: alone[name] for name in METRICS} == dict(group.metrics)
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
    assert foot.too_few_for == ["auc", "sensitivity"]
    line = next(line for line in whole.as_text().splitlines() if line.startswith("lower"))
    assert line.count("too few") == 2
    assert "nothing can be said" in whole.as_text().rpartition("By site")[2]
    read = json.loads(to_json(whole.as_dict()))["subgroups"]["site"]["groups"]
    assert read[0]["too_few_for"] == ["auc", "sensitivity"]
    assert read[0]["n_melanomas"] == 4


def test_a_small_subgroup_is_marked_as_rough() -> None:
    guesses, truth = tables(90)
    (found,) = evaluate(guesses, truth, repeats=20, by="site").subgroups
    assert all(group.metrics["auc"].rough for group in found.groups)
    assert found.as_lines()[2].count(", rough") == 3
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
