"""Splits of a drawn table, and roles in them, are those of the record.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.curation import assign_folds, assign_groups, assign_roles
from tests.figures.tables import drawn_table
from tests.record import check_recorded
from tests.written import called


def lesions() -> pd.DataFrame:
    """Two hundred images in groups, of two data sets and twelve years."""
    table = drawn_table(200, seed=4, melanomas=0.2)
    years = 2008 + np.arange(200) // 17
    named = np.where(np.arange(200) < 120, "north", "south")
    return table.assign(dataset=named, year=years.astype(str))


SPLITS = {
    "folds": "--folds 4",
    "two-folds": "--folds 2 --seed 3 --balance melanoma,site",
    "holdout": "--scheme holdout",
    "by-source": "--scheme leave-one-source-out",
    "time": "--scheme time --time year",
    "before": "--scheme time --time year --before 2012",
    "unknown": "--scheme tiem",
    "no-time": "--scheme time",
    "too-many": "--folds 120",
}


@pytest.mark.parametrize("name", SPLITS)
def test_a_split(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "given").mkdir()
    lesions().to_csv(tmp_path / "given" / "lesions.csv", index=False)
    monkeypatch.chdir(tmp_path / "given")
    line = f"split lesions.csv {SPLITS[name]} --out OUT.csv"
    said = called(line, tmp_path / "given", tmp_path / "made" / "out")
    check_recorded(f"splits/{name}", said)


@pytest.mark.parametrize("held_out", [0, 3])
def test_the_roles_of_a_fold(held_out: int) -> None:
    table = assign_groups(lesions())
    table = table.assign(fold=assign_folds(table, folds=5, seed=2)["fold"].to_numpy())
    role = assign_roles(table, held_out=held_out, validation=0.2, seed=held_out)
    mine = table.assign(role=role.to_numpy()).groupby("role")
    lines = [f"{name}: {len(each)}, {each['melanoma'].sum()}" for name, each in mine]
    check_recorded(
        f"splits/roles-{held_out}", "\n".join([*lines, *role.astype(str)]) + "\n"
    )
