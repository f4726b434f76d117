from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lentigo.audit.checks.finding import Finding
from lentigo.audit.checks.target_leaks import target_leaks
from lentigo.curation import assign_groups
from lentigo.datasets.archives import ham10000, isic2017, isic2019
from lentigo.datasets.combined import combine
from lentigo.errors import ColumnError
from lentigo.imaging.decoding.file_facts import file_facts
from lentigo.tables import check_table


def cohort(rows: int = 1200, *, groups: int = 400, share: float = 0.2, seed: int = 0,
           **columns: Any) -> pd.DataFrame:  # fmt: skip
    """Images of `groups` patients, some of whom have melanoma more often than others."""
    rng = np.random.default_rng(seed)
    group = np.sort(rng.integers(groups, size=rows))
    risk = rng.beta(0.5, 0.5 * (1 / share - 1), size=groups)[group]
    table = {
        "image_id": [f"i{number}" for number in rng.permutation(rows)],
        "group_id": [f"g{number}" for number in group],
        "melanoma": rng.random(rows) < risk,
    }
    return check_table(pd.DataFrame({**table, **columns}), source="the cohort")


def noise(rows: int, columns: int, seed: int) -> pd.DataFrame:
    """Facts of files that mean nothing, of several kinds, some of them missing."""
    rng = np.random.default_rng(1000 + seed)
    made: dict[str, Any] = {}
    for number in range(columns):
        values: Any = rng.normal(size=rows)
        if number % 3 == 1:
            values = np.char.add("w", rng.integers(8, size=rows).astype(str))
        if number % 3 == 2:
            values = np.repeat(rng.normal(size=rows // 4), 4)
        made[f"c{number}"] = pd.Series(values).mask(rng.random(rows) < 0.05 * (number % 2))
    return pd.DataFrame(made)


def row(frame: pd.DataFrame, feature: str) -> pd.Series[Any]:
    rows = frame[frame["feature"] == feature]
    assert len(rows) == 1, f"{feature} is not in {frame['feature'].tolist()}"
    return rows.iloc[0]


def checks(findings: list[Finding]) -> dict[str, str]:
    """What each finding names first, and its check, without the notes."""
    return {
        str(f.rows["feature"].iloc[0]): f.check for f in findings if f.severity != "note"
    }


def test_a_column_that_says_it_all_is_refused() -> None:
    table = cohort()
    answer = np.where(table["melanoma"], "yes!", "no!")
    frame, findings = target_leaks(table.assign(remark=answer))
    assert row(frame, "remark")["auc"] == 1.0
    assert frame["feature"].iloc[0] == "remark"
    assert [(f.check, f.severity) for f in findings] == [("target-leak", "refusal")]
    assert findings[0].rows["melanomas"].sum() == table["melanoma"].sum()
    assert "Leave it out" in findings[0].message


def test_the_answer_by_its_name_is_warned_of_whatever_it_tells() -> None:
    table = cohort()
    coin = np.random.default_rng(1).integers(2, size=len(table)).astype(str)
    _, findings = target_leaks(table.assign(dx_type=coin))
    assert checks(findings) == {"dx_type": "target-leak"}
    assert findings[0].severity == "warning"
    assert "how the diagnosis was made" in findings[0].message
    assert "gives it to no model" in findings[0].message


def test_the_answer_by_its_name_is_refused_where_it_tells_all() -> None:
    table = cohort()
    answer = np.where(table["melanoma"], "histo", "follow_up")
    _, findings = target_leaks(table.assign(dx_type=answer))
    assert [(f.check, f.severity) for f in findings] == [("target-leak", "refusal")]
    assert "--allow target-leak" in findings[0].message


def test_the_label_s_own_columns_are_noted_only() -> None:
    table = cohort()
    table["diagnosis"] = np.where(table["melanoma"], "melanoma", "nevus")
    table["malignant"] = table["melanoma"]
    _, findings = target_leaks(table)  # lentigo's own: a user may have no such column
    assert "malignant" not in findings[0].message
    table.loc[table.index[~table["melanoma"]][:3], "malignant"] = True
    frame, findings = target_leaks(table)
    assert [(f.check, f.severity) for f in findings] == [("target-leak", "note")]
    assert "diagnosis, malignant" in findings[0].message
    assert row(frame, "diagnosis")["auc"] == 1.0


def tied(table: pd.DataFrame, chance: float) -> list[float]:
    """1 for melanoma and 0 for others, but turned to a coin's side by `chance`."""
    rng = np.random.default_rng(5)
    coin = rng.integers(2, size=len(table))
    keep = rng.random(len(table)) > chance
    return list(np.where(keep, table["melanoma"].astype(int), coin).astype(float))


@pytest.mark.parametrize(
    ("name", "check"),
    [("width", "shortcut"), ("dataset", "source-label-tie"), ("diameter", ""),
     ("skin_type", "")],
)  # fmt: skip
def test_what_is_too_much_depends_on_what_it_is(name: str, check: str) -> None:
    table = cohort()
    value: Any = np.array(tied(table, chance=0.6)) + 1
    expected = roc_auc_score(table["melanoma"].to_numpy(bool), value)  # about 0.65
    value = np.char.add("s", value.astype(str)) if name == "dataset" else value
    frame, findings = target_leaks(table.assign(**{name: value}))
    assert 0.62 < expected < 0.68
    assert row(frame, name)["auc"] == pytest.approx(expected, abs=0.01)
    assert checks(findings) == ({name: check} if check else {})


@pytest.mark.parametrize("name", ["diameter", "skin_type"])
def test_a_strong_predictor_is_a_warning(name: str) -> None:
    table = cohort()
    _, findings = target_leaks(table.assign(**{name: np.array(tied(table, 0.3)) + 1}))
    assert checks(findings) == {name: "strong-predictor"}
    assert "baseline" in findings[0].message


def test_that_something_is_missing_may_tell() -> None:
    table = cohort()
    age = pd.Series(50.0, index=table.index).mask(np.array(tied(table, 0.5)) == 1)
    frame, findings = target_leaks(table.assign(age=age))
    # Age has one value, so the age itself tells no more than that it is missing.
    assert row(frame, "age is missing")["also"] == "age"
    assert row(frame, "age is missing")["auc"] > 0.65
    assert checks(findings) == {"age is missing": "shortcut"}


def test_no_melanoma_is_judged_by_a_model_that_has_seen_its_group() -> None:
    table = cohort(600, groups=200)
    # A number of one's own for each patient tells everything about patients seen before.
    own = table["group_id"].str[1:].astype(float) * 7919 % 200
    frame, findings = target_leaks(table.assign(diameter=own.astype(str) + "x"))
    assert row(frame, "diameter")["auc"] == 0.5
    assert findings == []


def test_aucs_and_limits_are_those_of_an_independent_computation() -> None:
    table = cohort(800, groups=250, width=1)
    table["width"] = pd.Series(np.array(tied(table, 0.6)) + 1).astype("Int64")
    auc = row(target_leaks(table)[0], "width")
    truth = table["melanoma"].to_numpy(bool)
    # Two values: all that a model says is which of the two comes first, and with so strong
    # a tie all five agree. What is left is that images are compared within their fold.
    value = roc_auc_score(truth, table["width"])
    assert auc["auc"] == pytest.approx(value, abs=0.01)
    rng = np.random.default_rng(3)
    members = list(table.groupby("group_id").indices.values())
    draws = []
    for _ in range(400):
        chosen = rng.integers(len(members), size=len(members))
        rows = np.concatenate([members[number] for number in chosen])
        draws.append(roc_auc_score(truth[rows], table["width"].to_numpy(float)[rows]))
    low, high = np.quantile(draws, [0.025, 0.975])
    assert auc["low"] == pytest.approx(low, abs=0.012)
    assert auc["high"] == pytest.approx(high, abs=0.012)
    assert auc["least"] < auc["low"]


@pytest.mark.parametrize("tables", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_sixty_columns_of_noise_give_no_finding(tables: int) -> None:
    with_finding, naive = 0, 0
    for seed in range(tables):
        table = cohort(400, groups=120, seed=seed)
        frame, findings = target_leaks(table, facts=noise(400, 60, seed), seed=seed)
        assert len(frame) > 80  # 60 columns, and whether every second one is missing
        with_finding += bool(findings)
        naive += bool((frame["low"] > 0.5).any())
    # Their 95 % limits alone, one by one, would have accused most tables.
    assert naive > tables / 2
    assert with_finding <= 0.05 * tables


def test_among_noise_a_tie_is_found() -> None:
    table = cohort(400, groups=120)
    facts = noise(400, 60, seed=0).assign(quality=tied(table, 0.4))
    frame, findings = target_leaks(table, facts=facts)
    assert frame["feature"].iloc[0] == "file: quality"
    assert checks(findings) == {"file: quality": "shortcut"}


def test_with_a_handful_of_melanomas_nothing_is_certain() -> None:
    table = cohort(40)
    table["group_id"] = table["image_id"]
    table["melanoma"] = pd.Series([True] * 3 + [False] * 37, dtype="boolean")
    frame, findings = target_leaks(table.assign(remark=table["melanoma"].astype(str)))
    assert row(frame, "remark")["auc"] == 1.0
    assert row(frame, "remark")["least"] < 0.95
    assert checks(findings) == {}


@pytest.mark.parametrize("label", [True, False, None])
def test_one_class_alone_can_be_told_by_nothing(label: bool | None) -> None:
    table = cohort(20, groups=10)
    table["melanoma"] = pd.Series([label] * 20, dtype="boolean")
    frame, findings = target_leaks(table)
    assert frame.empty
    assert [(f.check, f.severity) for f in findings] == [("target-leak", "note")]


def test_unlabelled_images_change_nothing() -> None:
    table = cohort(600, width=2)
    table["width"] = pd.Series(np.array(tied(table, 0.6)) + 1).astype("Int64")
    more = table.iloc[:50].assign(melanoma=None, image_id=[f"u{n}" for n in range(50)])
    both = check_table(pd.concat([table, more]), source="test")
    columns = ["auc", "low", "high"]
    alone = row(target_leaks(table)[0], "width")[columns]
    together = row(target_leaks(both)[0], "width")[columns]
    assert together.tolist() == alone.tolist()


def test_another_target_may_be_asked_for() -> None:
    table = cohort()
    table["malignant"] = table["melanoma"] | (np.arange(len(table)) % 10 == 0)
    frame, _ = target_leaks(table, target="malignant")
    assert row(frame, "melanoma")["kind"] == "label"
    assert "malignant" not in frame["feature"].tolist()


def test_a_row_without_a_group_or_another_table_s_facts_are_refused() -> None:
    table = cohort(40, groups=20)
    with pytest.raises(ColumnError, match="no group_id"):
        target_leaks(table.assign(group_id=None))
    with pytest.raises(ColumnError, match="no column site_id"):
        target_leaks(table, group="site_id")
    with pytest.raises(ColumnError, match="no yes-or-no column"):
        target_leaks(table, target="sex")
    with pytest.raises(ColumnError, match="other rows"):
        target_leaks(table, facts=pd.DataFrame({"bytes": [1]}))


def test_ham10000_is_told_by_how_it_was_diagnosed_and_by_the_size_of_files(
    shared: Path,
) -> None:
    table = assign_groups(ham10000.read(shared / "data" / "ham10000").table)
    frame, findings = target_leaks(table, facts=file_facts(table))
    found = checks(findings)
    assert found["dx_type"] == "target-leak"
    assert not [each for each in findings if each.severity == "refusal"]
    assert row(frame, "dx_type")["auc"] == pytest.approx(0.757, abs=0.01)
    # At one quality and size, a file is as large as its picture is busy.
    assert found["file: bytes"] == "shortcut"
    assert row(frame, "file: bytes")["auc"] == pytest.approx(0.694, abs=0.015)
    assert found["number of images of the lesion"] == "shortcut"
    assert "age" not in found


def test_the_isic_archives_are_told_by_their_numbers(shared: Path) -> None:
    table = assign_groups(isic2017.read(shared / "data" / "isic2017").table)
    frame, findings = target_leaks(table)
    assert checks(findings) == {"image_id: name_number": "shortcut"}
    assert row(frame, "image_id: name_number")["auc"] == pytest.approx(0.717, abs=0.02)
    later = isic2019.read(shared / "data" / "isic2019", part="training").table
    frame, findings = target_leaks(assign_groups(later))
    assert checks(findings)["lesion_id: name_prefix"] == "source-label-tie"
    assert checks(findings)["image_id: name_number"] == "shortcut"


def test_siim_2020_is_told_by_the_images_of_a_patient(siim: pd.DataFrame) -> None:
    frame, findings = target_leaks(assign_groups(siim))
    assert checks(findings) == {"number of images of the patient": "shortcut"}
    assert row(frame, "number of images of the patient")["auc"] == pytest.approx(
        0.69, abs=0.01
    )
    assert not frame["feature"].isin(["width", "height"]).any()


def test_two_archives_together_are_told_apart(siim: pd.DataFrame, shared: Path) -> None:
    tables = [isic2017.read(shared / "data" / "isic2017").table, siim]
    frame, findings = target_leaks(assign_groups(combine(tables).table))
    finding = next(f for f in findings if f.check == "source-label-tie")
    assert finding.rows["value"].tolist() == ["isic2017", "siim2020"]
    shares = finding.rows.set_index("value")["share"]
    assert shares["isic2017"] == pytest.approx(404 / 2150)
    assert shares["siim2020"] == pytest.approx(584 / 33126)
    assert row(frame, "dataset")["auc"] > 0.6
