"""What is said of a search: of the best trial, of its choice, and of chance."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest

from lentigo.evaluation.intervals import Interval
from lentigo.tuning.result import Tuning
from lentigo.tuning.space import Dimension

FOUND = Tuning(
    recipe="quick",
    trial=3,
    settings={"training.learning_rate": 0.00123456, "training.balance": "class"},
    auc=Interval(0.9, 0.85, 0.95),
    corrected=0.88,
    base=Interval(0.8, 0.7, 0.9),
    difference=Interval(0.1, 0.02, 0.18),
    trials=pd.DataFrame({"trial": [0, 1, 3], "state": ["finished", "stopped", "finished"]}),
    searched=(Dimension(name="training.learning_rate", kind="float", low=1e-4, high=1e-2),),
    base_settings={"training.learning_rate": 0.001},
    n_images=40,
    n_melanomas=8,
    n_groups=30,
)


def test_the_choice_of_the_best_is_said_to_flatter_by_the_corrected_auc() -> None:
    assert FOUND.finished == 2
    assert "best of 2" in FOUND.optimism
    assert "about 0.020 too high" in FOUND.optimism
    assert "gives 0.880" in FOUND.optimism


@pytest.mark.parametrize(
    ("corrected", "said"),
    [(0.8994, "about 0.001 too high"), (0.8996, "hardly"), (math.nan, "too few groups")],
)
def test_a_gap_that_rounds_to_nothing_is_not_given_as_a_number(
    corrected: float, said: str
) -> None:
    assert said in replace(FOUND, corrected=corrected).optimism


def test_one_trial_alone_was_chosen_from_nothing() -> None:
    alone = replace(FOUND, trials=FOUND.trials.iloc[:2])
    assert "one trial alone" in alone.optimism


@pytest.mark.parametrize(
    ("auc", "difference", "said"),
    [
        (0.9, Interval(0.1, 0.02, 0.18), "better on these images"),
        (0.9, Interval(0.1, 0.0, 0.2), "The interval holds 0"),
        (0.9, Interval(0.1), "shows no spread"),
        (0.8, Interval(0.0, -0.1, 0.1), "No trial was better"),
    ],
)
def test_a_trial_is_better_only_where_the_interval_is_above_0(
    auc: float, difference: Interval, said: str
) -> None:
    assert said in replace(FOUND, auc=Interval(auc), difference=difference).verdict


def test_of_too_few_groups_no_verdict_is_told() -> None:
    few = replace(FOUND, tells=False)
    assert "whether a trial is better" in few.verdict
    assert "better on these images" not in few.verdict


def test_the_lines_hold_both_aucs_with_their_ends_and_the_settings() -> None:
    lines = FOUND.as_text().splitlines()
    assert lines[0].startswith("3 trials (2 finished, 1 stopped), judged on 40 validation")
    assert "30 groups, 8 melanomas; no held-out image" in lines[0]
    assert lines[1] == (
        "  AUC 0.900 (0.850 to 0.950)  trial 3: "
        "training.learning_rate=0.00123  training.balance=class"
    )
    assert lines[2] == "  AUC 0.800 (0.700 to 0.900)  quick as it is"
    assert lines[3].strip() == "+0.100 (+0.020 to +0.180)  difference, paired"
    bare = replace(FOUND, difference=Interval(0.1)).as_text().splitlines()[3]
    assert bare.strip() == "+0.100 (no interval)  difference, paired"


def test_json_has_each_interval_and_trial() -> None:
    told = FOUND.as_dict()
    assert told["difference"]["low"] == 0.02
    assert told["trials"][2] == {"trial": 3, "state": "finished"}
    assert told["searched"] == [FOUND.searched[0].as_dict()]
    assert (told["finished"], told["corrected"]) == (2, 0.88)
