"""Thresholds are chosen on one table, judged on another, never in silence on the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import DatasetError
from lentigo.evaluation import Evaluation, evaluate
from lentigo.evaluation.choosing_elsewhere import ChooseOn
from lentigo.json_files import to_json
from lentigo.reports.paper.facts import Facts
from lentigo.reports.paper.methods import methods


def tables(name: str, *, seed: int, images: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    ids = [f"{name}{number:04}" for number in range(images)]
    truth = rng.random(images) < 0.25
    score = 1 / (1 + np.exp(-(rng.normal(size=images) + 1.5 * truth - 1)))
    predictions = pd.DataFrame({"image_id": ids, "patient_id": ids, "probability": score})
    return predictions, pd.DataFrame({"image_id": ids, "melanoma": truth.astype(int)})


OURS, OUR_TRUTH = tables("a", seed=0)
OTHERS, OTHER_TRUTH = tables("b", seed=1)
BOTH_TRUTHS = pd.concat([OUR_TRUTH, OTHER_TRUTH], ignore_index=True)


def judged(
    choose_on: object, truth: pd.DataFrame = OUR_TRUTH, **more: object
) -> Evaluation:
    return evaluate(OURS, truth, choose_on=choose_on, repeats=20, **more)  # type: ignore[arg-type]


def note(found: Evaluation) -> str:
    return next(each for each in found.notes if each.startswith("Thresholds are chosen"))


def test_a_threshold_is_that_of_the_other_table_and_is_judged_on_ours() -> None:
    found = judged(ChooseOn(OTHERS, OTHER_TRUTH))
    melanomas = np.sort(OTHERS["probability"][OTHER_TRUTH["melanoma"] == 1])[::-1]
    point = next(each for each in found.thresholds if each.point.name == "youden")
    assert point.thresholds[0] in set(OTHERS["probability"])
    on_average = next(
        each for each in found.thresholds if each.point.name == "mean_sensitivity_90"
    )
    # Conformal: of m melanomas the k-th highest, k the least with k / (m + 1) over 90 %.
    place = int(np.ceil(0.9 * (len(melanomas) + 1)))
    assert on_average.thresholds[0] == melanomas[place - 1]
    mine = OURS["probability"][OUR_TRUTH["melanoma"] == 1]
    assert on_average.found == (mine >= melanomas[place - 1]).sum()
    assert note(found).endswith("and judged on others.")


@pytest.mark.parametrize("where", ["same table", "truth of the judged", "table of its own"])
def test_the_labels_to_choose_by_are_found(where: str) -> None:
    labelled = OTHERS.assign(target=OTHER_TRUTH["melanoma"])
    found = {
        "same table": lambda: judged(labelled),
        "truth of the judged": lambda: judged(OTHERS, BOTH_TRUTHS),
        "table of its own": lambda: judged(ChooseOn(OTHERS, OTHER_TRUTH)),
    }[where]()
    want = judged(ChooseOn(OTHERS, OTHER_TRUTH))
    assert [t.thresholds for t in found.thresholds] == [
        t.thresholds for t in want.thresholds
    ]


def test_images_that_judge_themselves_are_told() -> None:
    found = judged(pd.concat([OTHERS, OURS.head(3)], ignore_index=True), BOTH_TRUTHS)
    assert "3 of them are among the judged images (a0000, a0001, a0002)" in note(found)
    alone = judged(OURS)
    assert "they judge themselves" in note(alone)
    told = " chosen on images of the table to choose on (300 of them judged here, too)"
    assert all(told in each.as_line() for each in alone.thresholds)
    assert "held-out" not in alone.as_text()
    text = methods(Facts(json.loads(to_json(alone.as_dict())), "9.9"))
    assert "(300 of them judged here, too)" in text
    assert "that guarantee is for further images, not for those that set them" in text
    elsewhere = judged(ChooseOn(OTHERS, OTHER_TRUTH))
    text = methods(Facts(json.loads(to_json(elsewhere.as_dict())), "9.9"))
    assert "exact tests" in text
    assert "judged here, too" not in text
    assert "that guarantee is for further" not in text


def test_patients_on_both_sides_are_told() -> None:
    found = judged(ChooseOn(OTHERS.assign(patient_id=OURS["patient_id"]), OTHER_TRUTH))
    assert "300 groups have images there and among the judged ones" in note(found)
    assert "(of 300 groups other images are judged here, too)" in found.as_text()


def test_predictions_without_a_truth_say_what_to_do() -> None:
    with pytest.raises(DatasetError, match="--choose-truth"):
        judged(OTHERS)


def test_probabilities_for_another_share_of_melanoma_are_refused() -> None:
    moved = OTHERS.assign(meant_for=0.1, prevalence=0.02)
    with pytest.raises(DatasetError, match="without --prevalence"):
        judged(ChooseOn(moved, OTHER_TRUTH))


def test_too_few_melanomas_choose_nothing_and_say_so() -> None:
    nobody = OTHER_TRUTH.assign(melanoma=[1, *[0] * 299])
    found = judged(ChooseOn(OTHERS, nobody))
    assert not found.thresholds
    assert any("hold 1 melanoma" in why for why in found.absent_thresholds)


def test_consequences_are_told_of_every_threshold_at_both_shares() -> None:
    found = judged(ChooseOn(OTHERS, OTHER_TRUTH), prevalence=0.02)
    names = ["given", "referral_3", *(each.point.name for each in found.thresholds)]
    assert [each.name for each in found.consequences] == 2 * names
    here, there = (found.consequences[k :: len(names)] for k in (2, 2))
    assert [each.share for each in here] == [
        pytest.approx(OUR_TRUTH["melanoma"].mean()),
        0.02,
    ]
    assert there[0].figures["sensitivity"] == there[1].figures["sensitivity"]
    text = found.as_text()
    assert "Of 1,000 lesions, 2 % of them melanomas:" in text
    assert found.as_dict()["consequences"][0]["reasons"] == {}


def test_a_limit_on_the_risk_is_compared_with_the_moved_probability() -> None:
    found = judged(ChooseOn(OTHERS, OTHER_TRUTH), prevalence=0.02)
    here, there = (each for each in found.consequences if each.name == "referral_3")
    assert here.figures["sensitivity"].value > there.figures["sensitivity"].value


def test_the_command_takes_the_table_to_choose_on(tmp_path: Path) -> None:
    for name, table in {
        "ours": OURS, "truth": OUR_TRUTH, "others": OTHERS, "their_truth": OTHER_TRUTH
    }.items():  # fmt: skip
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    words = ["evaluate", str(tmp_path / "ours.csv"), "--truth", str(tmp_path / "truth.csv")]
    more = ["--choose-truth", str(tmp_path / "their_truth.csv"), "--repeats", "20"]
    other = ["--choose-on", str(tmp_path / "others.csv")]
    done = CliRunner().invoke(app, [*words, *other, *more])
    assert done.exit_code == 0, done.output
    assert "chosen on images of others.csv" in done.output
    assert "excised for one" in done.output
    assert CliRunner().invoke(app, [*words, *more]).exit_code == 2
    lost = CliRunner().invoke(app, [*words, *other])
    assert lost.exit_code == 1
    assert len(lost.output.strip().splitlines()) == 1
