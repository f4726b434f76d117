"""Groups of images that several tables predict: none depends on the tables' order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ColumnError
from lentigo.evaluation import compare, compare_models
from lentigo.evaluation.joined_groups import joined_groups
from lentigo.evaluation.planning import plan_study

RNG = np.random.default_rng(2)
IMAGES = [f"i{number:02}" for number in range(80)]
TRUTH = pd.DataFrame({"image_id": IMAGES, "melanoma": np.arange(80) % 4 < 2})
PATIENTS = [f"p{number // 2}" for number in range(80)]


def bare(seed: int) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(size=80) + TRUTH["melanoma"]
    return pd.DataFrame({"image_id": IMAGES, "probability": 1 / (1 + np.exp(-noise))})


PLAIN, GROUPED = bare(1), bare(2).assign(patient_id=PATIENTS)


def test_what_any_table_puts_together_stays_together() -> None:
    one, two = pd.Series(list("aabcd")), pd.Series(list("vwwxy"))
    for groups in permutations([one, two, pd.Series(list("12345"))]):
        codes = pd.factorize(joined_groups(groups))[0]
        assert codes.tolist() == [0, 0, 0, 1, 2]


def test_the_order_of_the_models_changes_no_group() -> None:
    models = {"plain": PLAIN, "grouped": GROUPED}
    one = compare_models(models, TRUTH, repeats=50)
    other = compare_models(dict(reversed(models.items())), TRUTH, repeats=50)
    for found in (one, other):
        assert (found.images.groups, found.unit) == (40, "patient")
        assert not any("counts as independent" in note for note in found.notes)
        assert "grouped: Intervals take whole patients" in "\n".join(found.notes)
    aucs = [{e.name: e.auc.as_dict() for e in each.entrants} for each in (one, other)]
    assert all(aucs[0][name] == pytest.approx(aucs[1][name]) for name in models)
    assert one.pairs[0].auc.low == pytest.approx(-other.pairs[0].auc.high)


def test_two_tables_have_the_same_groups_either_way_round() -> None:
    for first, second in ((PLAIN, GROUPED), (GROUPED, PLAIN)):
        found = compare(first, second, TRUTH, repeats=20)
        assert found.n_groups == 40
        assert plan_study(first, TRUTH, against=second).n_groups == 40
        assert compare(first, second, TRUTH, group="patient_id", repeats=20).n_groups == 40
    with pytest.raises(ColumnError, match="clinic"):
        compare(PLAIN, GROUPED, TRUTH, group="clinic", repeats=20)


def test_patients_of_two_archives_with_one_number_are_two() -> None:
    truth = TRUTH.assign(patient_id=[f"p{number // 2 % 20}" for number in range(80)])
    archives = [truth.iloc[:40], truth.iloc[40:]]
    models = {"a": PLAIN, "b": bare(2)}
    assert compare_models(models, archives, repeats=20).images.groups == 40
    both = [each.assign(dataset=name) for each, name in zip(archives, "ns", strict=True)]
    assert compare_models(models, both, repeats=20).images.groups == 40


def test_a_patient_whom_isic_numbers_for_all_archives_stays_one() -> None:
    numbers = [f"IP_{number // 2 % 20:07}" for number in range(80)]
    truth = TRUTH.assign(patient_id=numbers)
    models = {"a": PLAIN, "b": bare(2)}
    found = compare_models(models, [truth.iloc[:40], truth.iloc[40:]], repeats=20)
    assert found.images.groups == 20
