"""Which column is the probability of melanoma, where several could be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from lentigo.errors import ColumnError
from lentigo.evaluation import evaluate
from lentigo.evaluation.joining import read_predictions
from lentigo.evaluation.prediction_columns import image_and_score

CASES = Path(__file__).parents[1] / "cases"
IDS = {"image_id": ["a", "b", "c"]}
CHANCES = [0.9, 0.2, 0.4]


def chosen(**columns: Sequence[object]) -> tuple[str, list[str]]:
    _, score, notes = image_and_score(pd.DataFrame(IDS | columns), {}, source="p.csv")
    return score, notes


@pytest.mark.parametrize(
    "case",
    ["01-class-beside-probability", "05-leading-zeros-in-id", "25-rounded-above-one"],
)
def test_every_image_is_judged_by_its_probability(case: str) -> None:
    found = evaluate(
        CASES / case / "predictions.csv", CASES / case / "truth.csv", repeats=10
    )
    assert found.n_images == 60
    assert found["auc"].value == pytest.approx(0.941, abs=5e-4)


@pytest.mark.parametrize(
    "calls",
    [[1, 0, 0], [1.0, 0.0, None], [True, False, False], ["melanoma", "nevus", "nevus"],
     [4, 5, 0]],
)  # fmt: skip
def test_called_classes_are_passed_over_for_a_probability(calls: list[object]) -> None:
    score, notes = chosen(prediction=calls, prob=CHANCES)
    assert score == "prob"
    assert "prediction holds only called classes" in notes[0]


def test_where_only_a_stranger_may_be_the_probability_it_is_asked_for() -> None:
    with pytest.raises(ColumnError, match=r"--column probability=confidence"):
        chosen(prediction=[1, 0, 0], confidence=CHANCES, age=[0.5, 0.6, 0.7])


def test_called_classes_alone_are_judged_and_named() -> None:
    score, notes = chosen(prediction=[1, 0, 0], age=[50, 60, 70])
    assert score == "prediction"
    assert "called classes and no probabilities" in notes[0]


@pytest.mark.parametrize(
    "chances",
    [[0.9, 0.8, 0.6], [0.1, 0.8, 0.6]],  # of the called class; of benign
)
def test_a_probability_of_something_else_is_refused(chances: list[object]) -> None:
    with pytest.raises(ColumnError, match="cannot be the probability of melanoma"):
        chosen(prediction=[1, 0, 0], prob=chances)


@pytest.mark.parametrize("calls", [[1, 1, 1], [0, 0, 0]])
def test_calls_of_one_kind_say_nothing_of_a_probability(calls: list[object]) -> None:
    assert chosen(prediction=calls, prob=[0.9, 0.8, 0.6])[0] == "prob"


def test_what_is_named_is_taken_whatever_it_holds() -> None:
    table = pd.DataFrame(IDS | {"prediction": [1, 0, 0], "prob": CHANCES})
    given = {"probability": "prediction"}
    assert image_and_score(table, given, source="p.csv") == ("image_id", "prediction", [])


@pytest.mark.parametrize(
    ("value", "read"), [(1.0000001, 1.0), (1.000001, 1.0), (-1e-8, 0.0), (-1e-6, 0.0)]
)
def test_what_32_bits_make_of_0_and_1_is_0_and_1(value: float, read: float) -> None:
    table, _ = read_predictions(pd.DataFrame(IDS | {"probability": [value, 0.5, 0.5]}))
    assert table["probability"].tolist() == [read, 0.5, 0.5]


@pytest.mark.parametrize(
    "values", [[66.9, 28.0, 39.6], [0.8, -2.1, 0.3], [1.0001, 0.5, 0.5], [0.1, -1e-5, 0.2]]
)
def test_per_cent_and_logits_are_refused_with_what_to_do(values: list[float]) -> None:
    with pytest.raises(ColumnError, match=r"Logits must be turned .* per cent divided"):
        read_predictions(pd.DataFrame(IDS | {"prob": values}))


def test_calls_of_the_model_are_named_where_another_threshold_is_judged() -> None:
    """A column `call` of lentigo's own, at a threshold that the table does not tell."""
    table = pd.DataFrame(
        IDS | {"probability": CHANCES, "call": ["melanoma", "melanoma", "not melanoma"],
               "operating_point": ["sensitivity_95"] * 3}
    )  # fmt: skip
    truth = pd.DataFrame(IDS | {"melanoma": [True, False, False]})
    notes = " ".join(evaluate(table, truth, repeats=20).notes)
    assert "bring calls at a threshold of their model (sensitivity_95)" in notes
    assert "give --model" in notes
    bare = evaluate(table.drop(columns="operating_point"), truth, repeats=20)
    assert "--model" not in " ".join(bare.notes)


@pytest.mark.parametrize(
    "name",
    [
        "Wahrscheinlichkeit", "probabilidad", "概率", "Wahrscheinlichkeit für Melanom",
        "Probabilité de mélanome", "probabilidad_melanoma (%)", "Melanoma probability %",
    ],
)  # fmt: skip
def test_the_probability_is_known_in_other_languages(name: str) -> None:
    assert chosen(**{name: CHANCES}) == (name, [])


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("Wahrscheinlichkeit Melanom (%)", None),
        ("Probabilidad en porcentaje", None),
        ("risk %", {"probability": "risk %"}),
    ],
)
def test_a_column_in_per_cent_is_read_as_shares(
    name: str, columns: dict[str, str] | None
) -> None:
    table = pd.DataFrame(IDS | {name: [90.0, 0.5, 40]})
    read, notes = read_predictions(table, columns=columns)
    assert read["probability"].tolist() == [0.9, 0.005, 0.4]
    assert f"{name} is in per cent, which was divided by 100" in " ".join(notes)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("probability (%)", [0.9, 0.005, 0.4]),  # 90 % in a cell is 0.9 once it is read
        ("probability", [0.9, 0.005, 0.4]),
    ],
)
def test_shares_stay_as_they_are(name: str, values: list[float]) -> None:
    read, notes = read_predictions(pd.DataFrame(IDS | {name: values}))
    assert read["probability"].tolist() == values
    assert "divided" not in " ".join(notes)
    assert ("says per cent, but has no number above 1" in " ".join(notes)) == ("%" in name)


def test_a_second_column_of_probabilities_is_named() -> None:
    score, notes = chosen(prediction=CHANCES, score=[0.1, 0.8, 0.6])
    assert score == "prediction"
    assert "read from prediction, though score may be it, too" in notes[0]
    assert chosen(prediction=CHANCES, score=CHANCES)[1] == []
    assert chosen(prediction=CHANCES, target=[1, 0, 0])[1] == []
    assert chosen(probability=CHANCES, score=[0.1, 0.8, 0.6])[1] == []


def test_neither_a_label_nor_the_same_numbers_as_text_are_a_second_probability() -> None:
    assert chosen(prediction=CHANCES, target=[1, 0.5, 0])[1] == []
    assert chosen(prediction=CHANCES, score=["0.90", "0.2", "0.4"])[1] == []
