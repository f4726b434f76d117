"""What a checklist fills in of a run is true of this run: its ids, archives, networks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from lentigo.config import with_settings
from lentigo.evaluation import evaluate
from lentigo.json_files import to_json
from lentigo.reports.paper.checklists import OPEN, checklists
from lentigo.reports.paper.facts import Facts
from lentigo.reports.paper.methods import methods
from lentigo.reports.paper.of_run import answers, judged_of
from lentigo.reports.run.limits import limits
from lentigo.reports.run.run_folder import RunFolder, read_run
from tests.reports.report_fakes import write_run


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """48 images of 24 patients, one fold of three held out, all of one data set."""
    folder = tmp_path_factory.mktemp("run") / "run"
    return judged(read_run(write_run(folder, pixels=False)))


def judged(run: RunFolder) -> RunFolder:
    """The same run with an evaluation of its predictions, as `lentigo run` makes it."""
    truth = run.table[["image_id", "melanoma", "group_id", "dataset"]]
    truth = truth[truth["image_id"].isin(run.predictions["image_id"])]
    found = evaluate(run.predictions, truth, group="group_id", repeats=10)
    known = json.loads(to_json(found.without_own_thresholds().as_dict()))
    calibration = {"methods": ["none"], "before": {}, "after": {}}
    given = {"images": 50, "left_out": {"without a file": 2}, "melanomas_left_out": 1}
    evaluation = {
        "model": known, "baseline": known, "calibration": calibration, "given": given,
    }  # fmt: skip
    return replace(run, evaluation=evaluation)


def with_table(run: RunFolder, **columns: Any) -> RunFolder:
    return replace(run, table=run.table.assign(**columns))


def settings(run: RunFolder, **given: Any) -> RunFolder:
    named = {name.replace("__", "."): value for name, value in given.items()}
    return replace(run, config=with_settings(run.config, named))


def of_two_archives(run: RunFolder) -> RunFolder:
    names = ["ham10000", "isic2017"] * 24
    return judged(with_table(run, dataset=pd.array(names, dtype="string")))


def rows(run: RunFolder) -> dict[tuple[str, str], str]:
    """The answers of all checklists, by checklist and item, or topic without a number."""
    text = checklists(Facts(judged_of(run), "9.9", answers(run)))
    found, name = {}, ""
    for line in text.splitlines():
        if line.startswith("## "):
            name = line[3:]
        elif line.startswith("| "):
            item, topic, answer = line.strip("| ").split(" | ")
            key = topic if item.endswith("\\*") else item
            found[name, key] = answer
    return found


PARTS = [
    ("CLAIM 2024", "20"), ("CLEAR Derm", "Parts and whether patients are in one alone"),
    ("PROBAST+AI", "evaluation 4.5"),
]  # fmt: skip


def test_with_ids_the_parts_were_counted_to_share_no_patient(plain: RunFolder) -> None:
    found = rows(plain)
    for part in PARTS:
        assert found[part].startswith("No group and no patient that is named is on two")
        assert "neither" not in found[part]
        assert "first weights had learnt from" in found[part]  # pretrained: not known
    text = methods(Facts(judged_of(plain), "9.9", answers(plain)))
    assert "are on one side. The network" in text  # running text asks the author nothing
    assert "Open:" not in text


def test_data_of_evaluation_are_the_held_out_ones(plain: RunFolder) -> None:
    found = rows(plain)
    known = plain.evaluation["model"]
    assert found["PROBAST+AI", "evaluation 1.1"].endswith(
        f"{known['n_images']} images of {known['n_groups']} groups, "
        f"{known['n_melanomas']} melanomas."
    )
    assert known["n_images"] < 48
    assert " 48 images" in found["PROBAST+AI", "development 1.1"]


def test_melanomas_that_the_table_lost_are_counted(plain: RunFolder) -> None:
    given = {**plain.evaluation["given"], "melanomas": 12, "melanomas_left_out": 2}
    found = answers(replace(plain, evaluation={**plain.evaluation, "given": given}))
    assert found["left_out"].startswith(
        "Left out of 50 images of the table: 2 without a file; 2 melanomas among them. "
        "None of the held-out images was left out."
    )


def test_without_ids_patients_may_be_on_both_sides(plain: RunFolder) -> None:
    none = pd.array([None] * 48, dtype="string")
    nobody = with_table(plain, patient_id=none, lesion_id=none)
    some = with_table(
        plain,
        patient_id=plain.table["patient_id"].where(plain.table.index < 8),
        lesion_id=pd.array([f"L{n}" if n < 18 else None for n in range(48)], "string"),
    )
    for part in PARTS:
        assert (
            "Of 48 images 0 name a patient, 0 a lesion alone, 48 neither"
            in (rows(nobody)[part])
        )
        assert "8 name a patient, 10 a lesion alone, 30 neither" in rows(some)[part]
        assert "images of one person may be on both sides" in rows(some)[part]
    assert "Nobody" not in methods(Facts(judged_of(nobody), "9.9", answers(nobody)))
    assert "one person may be on both" in (
        methods(Facts(judged_of(nobody), "9.9", answers(nobody)))
    )


def test_patients_on_two_sides_are_told(plain: RunFolder) -> None:
    moved = plain.roles[0].copy()
    moved.loc[moved["image_id"] == "ISIC_0001", "role"] = "train"  # of P0, in the test part
    found = rows(replace(plain, roles={0: moved}))
    assert found[PARTS[0]].startswith(
        "On more than one side of a split: 1 group and 1 patient."
    )


def test_copies_are_said_only_as_far_as_they_were_looked_for(plain: RunFolder) -> None:
    assert "nearly identical ones too" in rows(plain)[PARTS[0]]
    unlooked = rows(settings(plain, split__near_duplicates=False))
    assert "nearly identical images were not looked for" in unlooked[PARTS[0]]
    assert "nearly identical" not in unlooked["TRIPOD+AI", "12a"]


def test_archives_that_were_learnt_from_are_no_external_test(plain: RunFolder) -> None:
    found = rows(of_two_archives(plain))
    assert found["CLAIM 2024", "33"] == OPEN
    assert found["STARD-AI", "29"] == OPEN
    assert "that the models learnt from: AUC" in found["CLAIM 2024", "32"]
    assert found["TRIPOD+AI", "23b"].startswith("AUC by archive: ham10000")


def test_an_archive_that_was_left_out_is_an_external_test(plain: RunFolder) -> None:
    run = settings(of_two_archives(plain), split__scheme="leave-one-source-out")
    run = settings(run, split__folds=None)
    found = rows(run)
    assert found["CLAIM 2024", "33"].startswith(
        "Each data set was judged by a model that learnt from the others alone: AUC ham"
    )
    assert found["CLAIM 2024", "32"] == OPEN
    assert found["STARD-AI", "29"] == OPEN
    assert found["TRIPOD+AI", "12a"].startswith("Each data set is a fold")
    assert "None" not in found["TRIPOD+AI", "12a"]


def test_archives_are_public_only_by_a_name_that_is_known(plain: RunFolder) -> None:
    public = ("CLEAR Derm", "Made-up or public images")
    benchmark = ("CLEAR Derm", "Benchmark on public data")
    assert rows(plain)[public] == rows(plain)[benchmark] == OPEN  # "made up", a clinic's
    known = rows(of_two_archives(plain))
    assert "Tschandl" in known[public]
    assert known[benchmark].startswith("Held-out images of ham10000 and isic2017: AUC")
    drawn = with_table(plain, dataset=pd.array(["synthetic"] * 48, dtype="string"))
    assert "a program drew them" in rows(drawn)[public]


def test_images_lost_before_the_training_are_counted(plain: RunFolder) -> None:
    found = rows(plain)
    lost = "Left out of 50 images of the table: 2 without a file; 1 melanoma among them."
    for item in (("TRIPOD+AI", "11"), ("STARD-AI", "20"), ("PROBAST+AI", "evaluation 4.3")):
        assert lost in found[item]
        assert f"age of {int(plain.table['age'].isna().sum())}" in found[item]
    assert lost in methods(Facts(judged_of(plain), "9.9", answers(plain)))
    note = "all.csv: 48 of 96 rows fit 'sex == \"f\"'; the others are left out."
    chosen = rows(replace(plain, notes=(note,)))
    assert "48 of 96 rows fit" in chosen["CLAIM 2024", "8"]


@pytest.mark.parametrize(
    ("given", "item", "said"),
    [
        ({"training__method": "logistic"}, "26", OPEN),
        ({"model__pretrained": False}, "24", "Training began from random weights."),
        ({"training__views": 8}, "27", "One network a fold; each answer is a mean over 8"),
        (
            {"members": [{}, {"model.backbone": "resnet18"}]},
            "27",
            "The answer is the mean over 2 networks",
        ),
        ({"training__patience": 3}, "26", "stopped where it no longer improved"),
        ({"training__swa": 0.5}, "25", "the weights of the last 50 % of epochs averaged"),
    ],
)
def test_the_training_is_told_as_it_was(
    plain: RunFolder, given: dict[str, Any], item: str, said: str
) -> None:
    assert said in rows(settings(plain, **given))["CLAIM 2024", item]


def test_the_predictors_are_those_that_the_model_takes(plain: RunFolder) -> None:
    def of(**more: Any) -> dict[tuple[str, str], str]:
        return rows(replace(plain, evaluation={**plain.evaluation, **more}))

    item = ("TRIPOD+AI", "9b")
    assert of()[item] == "The pixels of one image; no age, sex or site."
    assert of(without_metadata={"given": {}})[item] == (
        "The pixels of one image, with age, sex and site of the patient."
    )
    context = of(without_context={"given": {}})[item]
    assert context == (
        "The pixels of one image, with the same patient's other images; no age, sex or "
        "site."
    )


@pytest.mark.parametrize(
    ("methods_of_folds", "said"),
    [
        (["none", "spread"], "Probabilities were left uncalibrated."),
        (["none", "isotonic"], "Logits of 1 of 2 networks were calibrated"),
        ([], OPEN),
    ],
)
def test_calibration_is_told_fold_by_fold(
    plain: RunFolder, methods_of_folds: list[str], said: str
) -> None:
    known = {"methods": methods_of_folds, "before": {}, "after": {}}
    run = replace(plain, evaluation={**plain.evaluation, "calibration": known})
    assert said in rows(run)["TRIPOD+AI", "12f"]


def test_the_version_is_that_of_the_run_and_not_of_its_report(plain: RunFolder) -> None:
    old = replace(plain, environment={"lentigo": "0.0.1", "packages": {"torch": "2.0"}})
    assert "lentigo 0.0.1 (Apache-2.0), torch 2.0" in rows(old)["CLAIM 2024", "23"]


def test_a_run_with_no_ids_fills_no_item_by_a_constant(plain: RunFolder) -> None:
    """Nothing is said of doctors, clinics, funders: only what is on record."""
    always_open = ("17", "18a", "18b", "18d", "19", "25", "6a", "8a", "10", "18e")
    found = rows(plain)
    assert all(found["TRIPOD+AI", item] == OPEN for item in always_open)
    for item in ("development 1.3", "evaluation 1.3", "development 2.1", "evaluation 2.1"):
        assert found["PROBAST+AI", item] == OPEN


def test_the_page_says_of_other_archives_what_was_tested(plain: RunFolder) -> None:
    assert any("come from the same archive" in limit for limit in limits(plain))
    run = settings(plain, split__folds=None, split__scheme="leave-one-source-out")
    assert not any("come from the same archive" in limit for limit in limits(run))
    half = plain.table["patient_id"].where(plain.table.index < 30)
    told = limits(with_table(plain, patient_id=half))
    assert any(limit.startswith("Of 18 images the table names no") for limit in told)


def test_diagnoses_of_the_held_out_images_are_counted(plain: RunFolder) -> None:
    others = int((~plain.scored["melanoma"]).sum())
    found = rows(plain)
    told = f"Held-out images that are not melanoma: nevus {others}."
    assert found["STARD-AI", "26b"] == told
    size = found["CLEAR Derm", "Numbers of images and patients and diagnoses"]
    assert size.endswith(f"melanomas. {told}")
    lacking = with_table(plain, diagnosis=pd.array([None] * 48, dtype="string"))
    assert rows(lacking)["STARD-AI", "26b"] == OPEN
