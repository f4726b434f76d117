"""`lentigo drift` on a run, its predictions in use, and the images behind them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import expit
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import ConfigError, DatasetError
from lentigo.evaluation.drift import Drift, Shift, Side
from lentigo.inference.drift import watch_drift
from lentigo.inference.drift_notes import told_apart
from lentigo.json_files import read_json, write_json
from lentigo.models.operating_point import OperatingPoint
from lentigo.reports.drift.write import write_drift
from lentigo.tables import write_table
from tests.cohorts import draw_cohort
from tests.inference.test_predict import CONFIG, save

IMAGES = 40


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A run of 40 held-out discs of 20 patients, and two months of its answers."""
    rng = np.random.default_rng(0)
    run = tmp_path / "run"
    save(run / "fold-0" / "model")
    (run / "config.yaml").write_text(CONFIG.to_yaml())
    table = draw_cohort(tmp_path / "discs", images=IMAGES)
    table["group_id"] = table["patient_id"]
    write_table(table, run / "table.parquet")
    answers(table, rng.normal(size=IMAGES)).to_csv(run / "predictions.csv", index=False)
    for name, shift in (("march", 0.0), ("april", 3.0)):
        new = table.assign(image_id=name + table["image_id"], age=table["age"] + 12 * shift)
        new.drop(columns=["group_id", "melanoma"]).to_csv(
            tmp_path / f"{name}-patients.csv", index=False
        )
        answers(new, rng.normal(size=IMAGES) + shift).drop(columns="group_id").to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    return tmp_path


def answers(table: pd.DataFrame, logits: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({
        "image_id": table["image_id"], "group_id": table["patient_id"],
        "probability": 1 / (1 + np.exp(-logits)), "abstain": logits > 2, "reason": "",
    })  # fmt: skip


def call(place: Path, *more: str) -> Any:
    words = ["drift", "run", "march.csv", "april.csv", "--out", "out", *more]
    return CliRunner().invoke(
        app, [w if w == "drift" or w.startswith("--") else str(place / w) for w in words]
    )


def test_a_month_without_images_leaves_the_other_months_their_comparison(
    place: Path,
) -> None:
    whole = pd.read_csv(place / "april.csv")
    whole.head(0).to_csv(place / "may.csv", index=False)
    whole.head(1).to_csv(place / "june.csv", index=False)
    months = [place / f"{name}.csv" for name in ("march", "april", "may", "june")]
    found = watch_drift(place / "run", months, repeats=200)
    assert {each.period for each in found.shifts} == {"march", "april"}
    said = " ".join(found.notes)
    assert "may is not compared: it has images of 0 groups" in said
    assert "june is not compared: it has images of 1 group" in said
    assert "march and april tell nothing of them" in said
    with pytest.raises(DatasetError, match="has images of 0 groups"):
        watch_drift(place / "run", months[2:], repeats=200)


def test_what_moved_is_said_and_written(place: Path) -> None:
    done = call(place, "--table", "march-patients.csv", "--table", "april-patients.csv")
    assert done.exit_code == 0, done.output
    assert "april: probability moved: mean" in done.output
    assert "april: age moved" in done.output
    assert "march: probability moved" not in done.output
    table = pd.read_csv(place / "out" / "drift.csv").set_index(["period", "column"])
    assert table.loc[("april", "probability"), "moved"]
    assert not table.loc[("march", "sex"), "moved"]
    assert {"answered", "site", "sex", "age"} <= set(table.loc["march"].index)
    assert "abstain" not in table.loc["april"].index  # those refused were not answered
    page = (place / "out" / "index.html").read_text()
    assert "april: age moved" in page
    assert "not a medical device" in page
    assert (place / "out" / "figures" / "drift.svg").is_file()
    found = json.loads((place / "out" / "drift.json").read_text())
    assert found["alarms"] == int(table["moved"].sum())


def test_patients_are_the_unit_where_a_table_tells_them(place: Path) -> None:
    """10 patients of 4 images each are 10; without a table each image stands alone."""
    patients = pd.read_csv(place / "march-patients.csv")
    patients["patient_id"] = [f"Q{n % 6}" for n in range(IMAGES)]
    patients.to_csv(place / "march-patients.csv", index=False)
    with pytest.raises(DatasetError, match="has images of 6 groups"):
        watch_drift(
            place / "run", [place / "march.csv"], tables=[place / "march-patients.csv"]
        )
    assert watch_drift(place / "run", [place / "march.csv"], repeats=200).shifts


def test_a_model_outside_a_run_needs_a_reference(place: Path) -> None:
    save(place / "alone")
    with pytest.raises(ConfigError, match="--reference"):
        watch_drift(place / "alone", [place / "march.csv"])
    found = watch_drift(
        place / "alone", [place / "april.csv"], reference=place / "march.csv", repeats=200
    )
    assert "probability" in {each.column for each in found.alarms}


def test_two_periods_of_one_name_are_refused(place: Path) -> None:
    with pytest.raises(ConfigError, match="Two periods are called march"):
        watch_drift(place / "run", [place / "march.csv", place / "march.csv"])


def test_features_of_other_pictures_moved(place: Path) -> None:
    """The model looks at the discs of the run again, and at noise."""
    rng = np.random.default_rng(1)
    for name, folder in (("march", place / "same"), ("april", place / "noise")):
        folder.mkdir()
        for n in range(IMAGES):
            pixels = (
                np.array(Image.open(place / "discs" / f"L{n:03}.png"))
                if name == "march"
                else rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            )
            Image.fromarray(pixels).save(folder / f"{name}L{n:03}.png")
    found = watch_drift(
        place / "run", [place / "march.csv", place / "april.csv"],
        images=[place / "same", place / "noise"], repeats=200,
    )  # fmt: skip
    features = {each.period: each for each in found.shifts if each.column == "features"}
    assert features["april"].moved
    assert not features["march"].moved
    assert features["april"].n_period == IMAGES


def test_other_images_than_those_predicted_are_refused(place: Path) -> None:
    with pytest.raises(DatasetError, match="None of the images"):
        watch_drift(place / "run", [place / "march.csv"], images=[place / "discs"])


def test_options_of_predict_are_no_drift(place: Path) -> None:
    """The same answers: refused ones left out, and moved to a clinic with 2 % melanoma."""
    run = pd.read_csv(place / "run" / "predictions.csv")
    logit = np.log(run["probability"] / (1 - run["probability"]))
    refused = run["probability"] > 0.7
    rest = 1 / (1 + np.exp(logit))
    full = run.assign(
        abstain=np.where(refused, "yes", "no"), probability_melanoma=run["probability"],
        probability_nevus=0.75 * rest, probability_keratosis=0.25 * rest,
    )  # fmt: skip
    full.to_csv(place / "run" / "predictions.csv", index=False)
    moved = logit + np.log(0.02 / 0.98) - np.log(0.1 / 0.9)
    left = 1 / (1 + np.exp(moved))
    asked = full.assign(
        probability=1 - left, probability_melanoma=1 - left,
        probability_nevus=0.75 * left, probability_keratosis=0.25 * left,
        meant_for=0.1, prevalence=0.02,
    )  # fmt: skip
    answers = [name for name in asked if str(name).startswith("probability")]
    asked.loc[refused, answers] = np.nan
    asked.to_csv(place / "may.csv", index=False)
    found = watch_drift(place / "run", [place / "may.csv"], repeats=200)
    assert 0 < refused.sum() < IMAGES / 2
    compared = {each.column: each.distance for each in found.shifts}
    assert {"probability", "probability_nevus", "answered"} <= set(compared)
    assert max(compared.values()) < 1 / 18  # one patient of 19, by the last digit
    assert compared["answered"] == 0
    asked.drop(columns="meant_for").to_csv(place / "may.csv", index=False)
    with pytest.raises(DatasetError, match="does not say for which"):
        watch_drift(place / "run", [place / "may.csv"], repeats=200)


def test_calls_by_a_limit_on_the_probability_are_compared_at_one_share_alone(
    place: Path,
) -> None:
    """The same answers, for 10 % and for 2 % melanoma: only the calls would differ."""
    march = pd.read_csv(place / "march.csv")
    own = march.assign(meant_for=0.1, prevalence=0.1, operating_point="cost_9")
    logit = np.log(own["probability"] / (1 - own["probability"]))
    moved = logit + np.log(0.02 / 0.98) - np.log(0.1 / 0.9)
    asked = own.assign(probability=1 / (1 + np.exp(-moved)), prevalence=0.02)
    for name, table in (("own", own), ("asked", asked)):
        called = np.where(table["probability"] >= 0.1, "melanoma", "not melanoma")
        table.assign(call=called).to_csv(place / f"{name}.csv", index=False)
    for reference, compared in (("own", False), ("asked", True)):
        found = watch_drift(
            place / "run", [place / "asked.csv"], reference=place / f"{reference}.csv",
            repeats=200,
        )  # fmt: skip
        assert not found.alarms
        assert ("call" in {each.column for each in found.shifts}) == compared
        assert any("Calls are not compared" in note for note in found.notes) != compared


def test_answers_of_others_than_those_that_were_judged_are_not_compared(
    place: Path,
) -> None:
    """One fold is compared with its own answers; several together, or a refit, are not."""
    run = place / "run"
    save(run / "fold-1" / "model", seed=1)
    whole = pd.read_csv(run / "predictions.csv")
    for fold in (0, 1):
        own = whole[fold::2].assign(probability=0.2 + 0.5 * fold)
        own.to_csv(run / f"fold-{fold}" / "predictions.csv", index=False)
    words: dict[str, Any] = {
        "predictions": [place / "march.csv"], "tables": [place / "march-patients.csv"],
        "repeats": 200,
    }  # fmt: skip
    one = watch_drift(run / "fold-1", **words)
    (shift,) = [each for each in one.shifts if each.column == "probability"]
    assert shift.n_reference == IMAGES // 2
    assert "0.7" in shift.reference
    shutil.copytree(run / "fold-1" / "model", run / "model")  # as `run` exports it
    content = read_json(run / "model" / "model.json")
    content["members"][0]["name"] = "fold-1"
    write_json(run / "model" / "model.json", content)
    assert watch_drift(run, **words).shifts == one.shifts
    shutil.rmtree(run / "model")
    together = watch_drift(run, **words)
    save(run / "refit" / "model", seed=2)
    for found in (together, watch_drift(run, **words)):
        assert {each.column for each in found.shifts} >= {"age", "sex", "site"}
        assert not {"probability", "answered"} & {each.column for each in found.shifts}
        assert "those of single networks" in found.notes[0]
    with pytest.raises(ConfigError, match="--reference"):
        watch_drift(run, images=[place / "discs"], **words)


def test_columns_that_no_table_of_the_period_holds_are_not_compared(place: Path) -> None:
    """A clinic's table of three columns; and a period that it does not describe at all."""
    run = pd.read_parquet(place / "run" / "table.parquet")
    run.assign(modality="dermoscopy", dataset="archive").to_parquet(
        place / "run" / "table.parquet"
    )
    clinic = pd.read_csv(place / "march-patients.csv")[["image_id", "age", "sex"]]
    clinic.to_csv(place / "clinic.csv", index=False)
    periods = [place / "march.csv", place / "april.csv"]
    found = watch_drift(place / "run", periods, tables=[place / "clinic.csv"], repeats=200)
    compared = {(each.period, each.column) for each in found.shifts}
    assert {("march", "age"), ("march", "sex")} <= compared
    assert not {name for _, name in compared} & {"dataset", "modality", "site"}
    assert not {name for period, name in compared if period == "april"} & {"age", "sex"}
    assert not [each for each in found.alarms if each.period == "march"]
    (said,) = [note for note in found.notes if note.startswith("age, sex")]
    assert said.endswith("not compared: april tells nothing of them.")
    clinic.assign(dataset="elsewhere").to_csv(place / "clinic.csv", index=False)
    again = watch_drift(place / "run", periods[:1], tables=[place / "clinic.csv"])
    assert "dataset" in {each.column for each in again.alarms}


def test_calls_are_compared_with_those_of_the_run_at_the_same_threshold(
    place: Path,
) -> None:
    """The run keeps no calls; its model has the threshold, 0.4."""
    description = place / "run" / "fold-0" / "model" / "model.json"
    content = read_json(description)
    content["operating_points"] = [
        OperatingPoint(
            name="youden", kind="youden", threshold=0.4, chosen_on="validation"
        ).model_dump()
    ]
    write_json(description, content)
    run = pd.read_csv(place / "run" / "predictions.csv")
    run.loc[:3, "abstain"] = True
    run.to_csv(place / "run" / "predictions.csv", index=False)
    march = pd.read_csv(place / "march.csv")
    called = np.where(march["probability"] >= 0.4, "melanoma", "not melanoma")
    march.assign(call=called, operating_point="youden").to_csv(
        place / "march.csv", index=False
    )
    found = watch_drift(
        place / "run", [place / "march.csv"], tables=[place / "march-patients.csv"],
        repeats=200,
    )  # fmt: skip
    (call,) = [each for each in found.shifts if each.column == "call"]
    kept = run["probability"].mask(run["abstain"].astype(bool))
    told = call.reference.split(" ")
    share = {
        "melanoma": (kept >= 0.4).mean(), "missing": kept.isna().mean(),
        "not melanoma": (kept < 0.4).mean(),
    }[" ".join(told[:-2])]  # fmt: skip
    assert float(told[-2]) == pytest.approx(100 * share, abs=0.51)
    assert not any(note.startswith("call ") for note in found.notes)


def test_a_page_on_which_nothing_could_be_an_alarm_does_not_say_nothing_moved(
    tmp_path: Path,
) -> None:
    found = Drift(
        shifts=(), notes=(), repeats=200, most=200, seed=0, all_untold=True,
        untold=("Nothing can be told of may: too few.",),
    )  # fmt: skip
    one = Shift(
        period="may", column="sex", kind="word", n_reference=9, n_period=9,
        reference="f 5 %", was="f 90 %", distance=0.85, by_chance=0.3, psi=1, deals=200,
        psi_by_chance=0.5, p=0.005, p_holm=0.9,
    )  # fmt: skip
    page = write_drift(
        replace(found, shifts=(one,)), tmp_path / "out", model="m"
    ).read_text()
    assert "Nothing can be told of may: too few." in page
    assert "Nothing moved" not in page
    none = write_drift(found, tmp_path / "none", model="m").read_text()
    assert "Nothing was compared." in none


@pytest.mark.parametrize("run", [True, False])
def test_it_is_said_that_answers_were_told_of_other_shares_of_patients(run: bool) -> None:
    """A run has both answers of an image, a table of `predict` says what was used."""
    logits = np.linspace(-2, 2, 20)
    known = pd.DataFrame({"probability": expit(logits), "logit": logits})
    beside = known.assign(metadata="age, site")
    untold = known.assign(logit_without_metadata=logits + 0.5)
    nobody = np.full(20, "", dtype=object)
    first = Side(name="ref", table=untold if run else beside, groups=nobody)
    bare = Side(name="May", table=known.assign(metadata="none"), groups=nobody)
    assert told_apart(first, bare).startswith(
        "May: age, sex or site were used for 0 % of the answers, in the reference for 100 %"
    )
    assert told_apart(first, bare).endswith(
        "Give 'lentigo predict' a table that tells of as many."
    )
    # A table for the period is no help where it is the period of which more is told.
    less, more = replace(bare, name="ref"), replace(bare, name="June", table=beside)
    assert told_apart(less, more).endswith(
        "Give a --reference that was predicted with a table that tells of as many."
    )
    assert told_apart(first, replace(bare, table=beside)) == ""
    assert told_apart(replace(first, table=known), bare) == ""
