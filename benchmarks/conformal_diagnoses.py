"""How often sets over the full list of diagnoses hold the right one, on grouped splits.

    python -P benchmarks/conformal_diagnoses.py            # simulated logits
    python -P benchmarks/conformal_diagnoses.py RUN        # a run with diagnoses

Half of the groups set the sets, the other half judges them, 200 times. What is asked is
90 % of each diagnosis, each group counting once; the mean over splits is to be that, single
splits scatter. Of a run, the images are those that its first fold held out and those of
its validation: the network learnt from neither, but the epoch was chosen on the latter.
Simulated are 1 to 4 images of each of 3,000 patients, with the shares of HAM10000, logits
of a network with an AUC of about 0.9, and an effect that all images of a patient share.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.evaluation.diagnosis_sets import diagnosis_sets
from lentigo.inference.predict import model_folders
from lentigo.inference.sets import Told, fit_sets, told_by
from lentigo.models.description import read_description
from lentigo.tables import read_any_table

SHARES = {
    "melanoma": 0.111, "nevus": 0.669, "benign keratosis": 0.11,
    "basal cell carcinoma": 0.051, "actinic keratosis or carcinoma in situ": 0.033,
    "vascular lesion": 0.014, "dermatofibroma": 0.012,
}  # fmt: skip
"""Shares of the diagnoses among the images of HAM10000 (Tschandl et al. 2018)."""
NAMES = tuple(SHARES)[1:]


def simulated(rng: np.random.Generator, patients: int) -> tuple[pd.DataFrame, Told]:
    """Return `group`, `melanoma`, `probability` of images, and what is told of them."""
    group = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    each = rng.choice(len(SHARES), patients, p=np.array(list(SHARES.values())))
    # One image in five of a patient shows another lesion, of another diagnosis perhaps.
    own = rng.choice(len(SHARES), len(group), p=list(SHARES.values()))
    truth = np.where(rng.random(len(group)) < 0.2, own, each[group])
    prior = np.log(list(SHARES.values()))
    scores = prior + 2.0 * np.eye(len(SHARES))[truth]
    scores += 0.8 * rng.normal(size=(patients, len(SHARES)))[group]
    scores += rng.normal(size=scores.shape)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    table = pd.DataFrame(
        {
            "group": group.astype(str),
            "melanoma": truth == 0,
            "probability": shares[:, 0],
            "diagnosis": np.array(list(SHARES))[truth],
        }
    )
    rest = (shares[:, 1:] / shares[:, 1:].sum(axis=1, keepdims=True)).T
    return table, Told(NAMES, rest, truth.astype(np.intp))


def of_run(run: Path) -> tuple[pd.DataFrame, Told]:
    """Return the same of a run's held-out and validation images."""
    fold, (folder,) = run / "fold-0", model_folders([run / "fold-0"])
    members = read_description(folder).members
    names = next(each.others for each in members if each.others)
    parts = [read_any_table(fold / name) for name in ("predictions.csv", "validation.csv")]
    said, known = pd.concat(parts, ignore_index=True), read_any_table(run / "table.parquet")
    told = told_by(said, known, names)
    if told is None:
        raise SystemExit(f"The diagnoses of the images of {run} are not known.")
    truth = known.set_index("image_id").loc[said["image_id"]]
    table = pd.DataFrame(
        {
            "group": said["group_id"].astype(str).to_numpy(),
            "melanoma": truth["melanoma"].to_numpy(bool),
            "probability": said["probability"].to_numpy(float),
            "diagnosis": truth["diagnosis"].to_numpy(object),
        }
    )
    return table, told


def coverages(table: pd.DataFrame, told: Told, *, splits: int) -> pd.DataFrame:
    """Return a row a split and diagnosis: what was held, and the mean size of the sets."""
    names = table["group"].unique()
    rng, rows = np.random.default_rng(0), []
    for _ in range(splits):
        fitting = table["group"].isin(names[rng.random(len(names)) < 0.5]).to_numpy()
        rows += _one(table, told, fitting)
    return pd.DataFrame(rows)


def _part(told: Told, rows: np.ndarray) -> Told:
    return Told(told.names, told.shares[:, rows], told.truth[rows])


def _one(table: pd.DataFrame, told: Told, fitting: np.ndarray) -> list[dict[str, object]]:
    left = table[fitting]
    sets = fit_sets(
        left["melanoma"].to_numpy(bool), left["probability"].to_numpy(float),
        left["group"].tolist(), set_on="half of the groups", told=_part(told, fitting),
    )  # fmt: skip
    assert sets is not None
    right = table[~fitting]
    own = right["probability"].to_numpy(float)
    lists = sets.lists(own, told.names, told.shares[:, ~fitting])
    found = diagnosis_sets(right.assign(could_be_diagnoses=lists), told.names)
    assert found is not None
    always = {each.name for each in sets.diagnoses if not each.is_set}
    return [
        {
            "diagnosis": each.name, "held": each.held.value, "size": each.size.value,
            "groups": each.n_groups, "always": each.name in always,
        }
        for each in found.rows
    ]  # fmt: skip


def main() -> None:
    """Print of each diagnosis the mean over splits and the middle 95 % of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--patients", type=int, default=3000)
    given = parser.parse_args()
    if given.run:
        table, told = of_run(given.run)
    else:
        table, told = simulated(np.random.default_rng(0), given.patients)
    found = coverages(table, told, splits=given.splits)
    print(f"{len(table):,} images, {table['group'].nunique():,} groups")
    print("| diagnosis | groups that judge | held | middle 95 % | size | always |")
    print("|---|---|---|---|---|---|")
    for name, part in found.groupby("diagnosis", sort=False):
        low, high = part["held"].quantile([0.025, 0.975])
        print(
            f"| {name} | {part['groups'].mean():.0f} | {100 * part['held'].mean():.1f} % | "
            f"{100 * low:.1f}–{100 * high:.1f} | {part['size'].mean():.2f} | "
            f"{100 * part['always'].mean():.0f} % |"
        )


if __name__ == "__main__":
    main()
