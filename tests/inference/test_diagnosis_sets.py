"""Sets over the full list of diagnoses: set by class and group, said, kept and judged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.answer_columns import COULD_BE, COULD_BE_DIAGNOSES
from lentigo.evaluation import evaluate
from lentigo.imaging.kind.doubt import DOUBT
from lentigo.inference.abstention.judge import Judged, with_abstention
from lentigo.inference.decide import without_reassurance
from lentigo.inference.out_of_fold import sets_of_folds
from lentigo.inference.sets import Told, fit_sets, told_by, with_sets
from lentigo.models.conformal import ConformalSets, DiagnosisLimit
from lentigo.models.schema import Description
from lentigo.reports.run.refused import diagnosis_sets
from lentigo.run_layout import RunLayout
from lentigo.tables import write_table
from lentigo.training.thresholds import sets_of, with_own_sets

NAMES = ("nevus", "basal cell carcinoma")
SETS = ConformalSets(
    melanoma=0.3,
    not_melanoma=0.6,
    diagnoses=[
        DiagnosisLimit(name="basal cell carcinoma", least=0.2, n_groups=20),
        DiagnosisLimit(name="nevus", least=0.5, n_groups=200),
    ],
)


def lists(*rows: tuple[float, float]) -> list[str]:
    """Rows of a probability of melanoma and the share of nevus among the rest."""
    melanoma, nevus = np.array(rows).T
    return SETS.lists(melanoma, NAMES, np.stack([nevus, 1 - nevus]))


def test_each_diagnosis_has_its_own_limit() -> None:
    said = lists((0.2, 0.7), (0.3, 0.75), (0.9, 0.5), (0.4, 0.5), (np.nan, 0.5))
    assert said == [
        "basal cell carcinoma; nevus",  # 0.8 · 0.3 = 0.24 and 0.8 · 0.7 = 0.56
        "melanoma; nevus",  # 0.175 and 0.525
        "melanoma",  # 0.05 and 0.05
        "melanoma; basal cell carcinoma",  # 0.3 and 0.3
        "",
    ]


def test_melanoma_is_in_the_list_where_it_stays_possible() -> None:
    rng = np.random.default_rng(0)
    own, nevus = rng.random((2, 500))
    said = SETS.lists(own, NAMES, np.stack([nevus, 1 - nevus]))
    told = [each.split("; ")[0] == "melanoma" for each in said]
    assert told == [each != "not melanoma" for each in SETS.words(own)]
    assert all(said)


def test_a_list_is_never_empty() -> None:
    """0.39 of three each: none reaches its limit, so the likeliest but melanoma stays."""
    strict = SETS.model_copy(
        update={
            "melanoma": 0.9,
            "diagnoses": [
                DiagnosisLimit(name=name, least=0.9, n_groups=9) for name in NAMES
            ],
        }
    )
    own, nevus = np.array([0.39, 0.39]), np.array([0.6, 0.4])
    said = strict.lists(own, NAMES, np.stack([nevus, 1 - nevus]))
    assert strict.words(own) == ["not melanoma"] * 2
    assert said == ["nevus", "basal cell carcinoma"]


def test_what_is_always_possible_does_not_stand_alone() -> None:
    """Carcinomas are too few, so always there; the nevus is likelier than they are."""
    few = SETS.model_copy(
        update={
            "diagnoses": [
                DiagnosisLimit(name="basal cell carcinoma", least=0, n_groups=3),
                DiagnosisLimit(name="nevus", least=0.9, n_groups=200),
            ]
        }
    )
    nevus = np.array([0.95, 0.7, 0.3])
    said = few.lists(np.full(3, 0.02), NAMES, np.stack([nevus, 1 - nevus]))
    both = "basal cell carcinoma; nevus"
    assert said == [both, both, "basal cell carcinoma"]


def test_nine_groups_set_a_limit_and_eight_leave_it_always_possible() -> None:
    count = 18 + 9 + 8
    truth = np.r_[np.zeros(18), np.ones(9), np.full(8, 2)].astype(np.intp)
    shares = np.r_[np.full(18, 0.5), np.arange(1, 10) / 10, np.full(8, 0.1)]
    score = np.where(truth == 0, 0.9, 0.0)
    told = Told(NAMES, np.stack([shares, 1 - shares]), truth)
    groups = [str(number) for number in range(count)]
    found = fit_sets(truth == 0, score, groups, set_on="validation images", told=told)
    assert found is not None
    carcinoma, nevus = found.diagnoses
    assert (nevus.name, nevus.least, nevus.n_groups) == ("nevus", 0.1, 9)
    assert (carcinoma.least, carcinoma.n_groups, carcinoma.is_set) == (0, 8, False)
    # Many images of one patient are one group.
    one = fit_sets(truth == 0, score, ["p"] * count, set_on="", told=told)
    assert one is not None
    assert [each.least for each in one.diagnoses] == [0, 0]


@pytest.fixture
def table() -> pd.DataFrame:
    """90 lesions: melanomas, blue nevi (kinds of nevus), carcinomas, and one unknown."""
    diagnosis = ["melanoma", "blue nevus", "basal cell carcinoma"] * 30
    return pd.DataFrame(
        {
            "image_id": [f"i{number}" for number in range(90)],
            "group_id": [f"g{number}" for number in range(90)],
            "diagnosis": [None, *diagnosis[1:]],
            "melanoma": pd.array([None, *[d == "melanoma" for d in diagnosis[1:]]]),
        }
    )


def answers(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Predictions that are right more often than not."""
    rng = np.random.default_rng(seed)
    kinds = ["melanoma", "blue nevus", "basal cell carcinoma"]
    right = np.array([table["diagnosis"] == each for each in kinds]).T
    scores = rng.normal(size=(len(table), 3)) + 1.5 * right
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    names = ("melanoma", "nevus", "basal_cell_carcinoma")
    columns = {f"probability_{n}": shares[:, k] for k, n in enumerate(names)}
    logit = np.log(shares[:, 0] / (1 - shares[:, 0]))
    return table[["image_id", "group_id"]].assign(
        probability=shares[:, 0], logit=logit, **columns, reason=""
    )


def test_training_sets_them_on_what_is_known(table: pd.DataFrame) -> None:
    told = answers(table)
    known = told_by(told, table, NAMES)
    assert known is not None
    assert known.truth.tolist() == [-1, *([1, 2, 0] * 30)[:89]]
    sets = sets_of(table[1:], told[1:], diagnoses=NAMES)
    assert sets is not None
    assert [each.n_groups for each in sets.diagnoses] == [30, 30]
    judged = with_own_sets(answers(table, seed=1), sets, NAMES)
    assert list(judged)[-3:] == [COULD_BE, COULD_BE_DIAGNOSES, "reason"]
    found = evaluate(judged, table, repeats=20)
    assert found.diagnosis_sets is not None
    rows = {each.name: each for each in found.diagnosis_sets.rows}
    assert list(rows) == ["melanoma", "basal cell carcinoma", "nevus"]
    nevi = judged[table["diagnosis"] == "blue nevus"][COULD_BE_DIAGNOSES]
    assert rows["nevus"].n_images == 30
    assert rows["nevus"].held.value == nevi.str.contains("nevus").mean()
    assert rows["nevus"].size.value == nevi.map(lambda each: len(each.split("; "))).mean()
    assert "Sets over 3 diagnoses that promise 90 %" in found.as_text()
    page = diagnosis_sets({"model": json.loads(json.dumps(found.as_dict(), default=str))})
    assert [each["images"] for each in page["rows"]] == ["29", "30", "30"]
    jsonschema = pytest.importorskip("jsonschema")
    from lentigo.evaluation.json_schema import evaluation_schema
    from lentigo.json_files import to_json

    jsonschema.validate(json.loads(to_json(found.as_dict())), evaluation_schema())


def test_without_true_diagnoses_there_are_no_lists(table: pd.DataFrame) -> None:
    told = answers(table)[1:]
    nothing = table[1:].assign(diagnosis=None)
    assert told_by(told, nothing, NAMES) is None
    assert told_by(told, table, ("nevus",)) is None  # one beside melanoma: no more is told
    assert told_by(told.drop(columns="probability_nevus"), table, NAMES) is None
    sets = sets_of(nothing, told, diagnoses=NAMES)
    assert sets is not None
    assert sets.diagnoses == []
    assert COULD_BE_DIAGNOSES not in with_own_sets(told, sets, NAMES)
    # A folder whose networks tell other diagnoses apart has no lists either.
    shares = np.full((2, len(told)), 0.5)
    assert COULD_BE_DIAGNOSES not in with_sets(told, SETS, ("nevus", "other"), shares)


def test_a_doubted_image_is_not_told_that_it_is_no_melanoma() -> None:
    predictions = pd.DataFrame(
        {
            "probability": 0.5,
            COULD_BE: ["melanoma or not", "not melanoma", "not melanoma"],
            COULD_BE_DIAGNOSES: ["melanoma; nevus", "nevus", "nevus"],
            "reason": [f"{DOUBT}: grey", f"{DOUBT}: grey", ""],
        }
    )
    quiet = without_reassurance(predictions)
    assert quiet[COULD_BE_DIAGNOSES].tolist() == ["melanoma; nevus", "", "nevus"]
    judged = Judged(np.array([2.0, 0.5, 0.5]), ["strange"] * 3)
    refused = with_abstention(predictions, judged, shown=False)
    assert refused[COULD_BE_DIAGNOSES].tolist() == ["", "nevus", "nevus"]
    shown = without_reassurance(with_abstention(predictions, judged, shown=True))
    assert shown[COULD_BE_DIAGNOSES].tolist() == ["melanoma; nevus", "", "nevus"]


def test_a_folder_from_before_reads_as_it_did() -> None:
    known = {"melanoma": 0.2, "not_melanoma": 0.4}
    assert ConformalSets.model_validate(known).diagnoses == []
    assert not ConformalSets.model_validate(known).knows(())
    field = Description.model_fields["conformal"]
    assert field.default is None
    for name in ("nevus; melanoma", " "):
        with pytest.raises(ValueError, match="a diagnosis has a name"):
            DiagnosisLimit(name=name, least=0.1)


def test_the_sets_of_several_folds_are_out_of_fold(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    run, told = RunLayout(tmp_path), answers(table)
    fold = np.arange(90) % 2
    write_table(table, run.table)
    write_table(told[["image_id"]].assign(fold=fold), run.split)
    write_table(told, run.predictions)
    for number in range(2):
        (tmp_path / f"fold-{number}").mkdir()
        part = told[fold == number]
        write_table(part, tmp_path / f"fold-{number}" / "predictions.csv")
    again = answers(table, seed=1)
    known = sets_of(table[1:], told[1:], diagnoses=NAMES)
    found = sets_of_folds(run, NAMES)
    assert known is not None
    assert found is not None
    limits = [each.least for each in known.diagnoses]
    assert [each.least for each in found.diagnoses] == pytest.approx(limits)
    # Of a repeated split the mean of the logarithms counts.
    for number in range(2):
        (tmp_path / f"repeat-1-fold-{number}").mkdir()
        part = again[fold == number]
        write_table(part, tmp_path / f"repeat-1-fold-{number}" / "predictions.csv")
    columns = [f"probability_{n.replace(' ', '_')}" for n in NAMES]
    logit = (told["logit"] + again["logit"]) / 2
    shares = np.sqrt(told[columns].to_numpy() * again[columns].to_numpy())
    rest = (1 / (1 + np.exp(logit))).to_numpy()[:, None]
    means = shares / shares.sum(axis=1, keepdims=True) * rest
    both = told.assign(
        probability=1 - rest[:, 0], **dict(zip(columns, means.T, strict=True))
    )
    known, found = sets_of(table[1:], both[1:], diagnoses=NAMES), sets_of_folds(run, NAMES)
    assert known is not None
    assert found is not None
    limits = [each.least for each in known.diagnoses]
    assert [each.least for each in found.diagnoses] == pytest.approx(limits)
