"""How even five folds are, and how long they take, beside scikit-learn's.

    python benchmarks/splits.py [--shared ../shared]

Both deal out the same groups. `StratifiedGroupKFold` (shuffled) balances the class alone;
lentigo balances melanoma first, then data set, site, age band and sex. The number is how
far the share of a class in one of the folds is from that in the whole, at most, in
percentage points; of three seeds each, the mean. Then the CPU seconds of dealing alone:
the table of SIIM-ISIC 2020, and 400,000 rows made of copies, each with patients of its own.

Where `--shared` is not there, a drawn table of SIIM's size takes the place of real ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from lentigo.curation import assign_folds, assign_groups
from lentigo.curation.splits.balance import BALANCED, classes_of, unevenness
from lentigo.datasets import combine, read_table
from lentigo.tables import SITES, check_table

FOLDS = 5
SEEDS = (0, 1, 2)
MANY = 400_000
ARCHIVES = ("siim2020", "ham10000", "isic2019")
Deal = Callable[[pd.DataFrame, int], pd.Series]


def ours(table: pd.DataFrame, seed: int) -> pd.Series:
    return assign_folds(table, folds=FOLDS, seed=seed)["fold"]


def theirs(table: pd.DataFrame, seed: int) -> pd.Series:
    """The fold of each image by scikit-learn, which knows the class alone."""
    folds = np.empty(len(table), dtype=int)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    truth, groups = table["melanoma"].astype(int), pd.factorize(table["group_id"])[0]
    for fold, (_, rows) in enumerate(splitter.split(truth, truth, groups)):
        folds[rows] = fold
    return pd.Series(folds, index=table.index)


def tables(shared: Path) -> dict[str, pd.DataFrame]:
    """Labelled images in groups: each archive, and all of them as one."""
    if not (shared / "data").is_dir():
        print(f"{shared}/data is not there: a drawn table takes the place of real ones.")
        return {"drawn": grouped(drawn())}
    single = {name: read_table(name, shared / "data" / name) for name in ARCHIVES}
    whole = {**single, "all three": combine(list(single.values()))}
    return {name: grouped(table) for name, table in whole.items()}


def grouped(table: pd.DataFrame) -> pd.DataFrame:
    # scikit-learn needs a class for each row.
    labelled = table[table["melanoma"].notna()].reset_index(drop=True)
    return assign_groups(labelled)


def drawn(images: int = 33_126) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    patient = rng.integers(images // 16, size=images)
    table = {
        "image_id": [f"i{k}" for k in range(images)],
        "dataset": "drawn",
        "patient_id": [f"p{k}" for k in patient],
        "melanoma": pd.array(rng.random(images) < 0.0176, dtype="boolean"),
        "sex": np.array(["female", "male"])[patient % 2],
        "age": (patient % 15 * 5 + 15).astype(float),
        "site": rng.choice(SITES, images, p=[0.06, 0.15, 0.26, 0.51, 0.01, 0.01]),
    }
    return check_table(pd.DataFrame(table), source="the drawn table")


def many(table: pd.DataFrame) -> pd.DataFrame:
    """`MANY` rows in groups of the sizes and classes of `table`."""
    copies = -(-MANY // len(table))
    parts = [
        table.assign(
            image_id=table["image_id"] + f" {k}", group_id=table["group_id"] + f" {k}"
        )
        for k in range(copies)
    ]
    return pd.concat(parts, ignore_index=True)[:MANY]


def show_evenness(name: str, table: pd.DataFrame) -> None:
    groups = table["group_id"].nunique()
    print(f"{name}: {len(table):,} images, {groups:,} groups, {table['melanoma'].sum():,} "
          f"melanomas; off by at most, in percentage points")  # fmt: skip
    folds = {deal: [deal(table, seed) for seed in SEEDS] for deal in (ours, theirs)}
    for variable in BALANCED:
        if classes_of(table, variable).nunique() < 2:
            continue
        off = [
            np.mean([100 * unevenness(table, fold, variable) for fold in several])
            for several in folds.values()
        ]
        print(f"  {variable:8} lentigo {off[0]:6.3f}   scikit-learn {off[1]:6.3f}")


def show_time(table: pd.DataFrame) -> None:
    for rows in (table, many(table)):
        groups = rows["group_id"].nunique()
        ours_, theirs_ = (seconds(deal, rows) for deal in (ours, theirs))
        print(f"{len(rows):,} rows, {groups:,} groups: lentigo {ours_:.1f} s of CPU, "
              f"scikit-learn {theirs_:.1f} s")  # fmt: skip


def seconds(deal: Deal, table: pd.DataFrame) -> float:
    """The shorter of two runs."""
    spent = []
    for _ in range(2):
        started = time.process_time()
        deal(table, 0)
        spent.append(time.process_time() - started)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=beside)
    found = tables(parser.parse_args().shared)
    for name, table in found.items():
        show_evenness(name, table)
    show_time(next(iter(found.values())))


if __name__ == "__main__":
    main()
