"""Simulate the coverage of sets from out-of-fold predictions, for the mean of the folds.

    python -P benchmarks/conformal_folds.py --draws 200

Cohorts of 1 to 4 images a patient are drawn, 15 % melanoma, with 20 features and a patient
effect. A logistic regression is fitted on each of five grouped folds, the sets are set on
the out-of-fold predictions (as `lentigo export` does for a run of several folds), and the
mean of the five logits answers for 4,000 new patients. 90 % is asked of either class.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from lentigo.evaluation.set_coverage import set_coverage
from lentigo.inference.sets import fit_sets

FEATURES, SHARE = 20, 0.15
Cohort = tuple[np.ndarray, np.ndarray, np.ndarray]


def drawn(rng: np.random.Generator, patients: int) -> Cohort:
    """Return features (N, 20), melanoma (N,) and the patient of each image (N,)."""
    group = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    truth = (rng.random(patients) < SHARE)[group]
    own = rng.normal(size=(patients, FEATURES))[group]
    rows = 0.7 * own + 0.7 * rng.normal(size=(len(group), FEATURES))
    return rows + truth[:, None] * np.linspace(0.8, 0, FEATURES), truth, group


def held(rng: np.random.Generator, patients: int, folds: int) -> tuple[float, float]:
    """Return the shares of melanomas and of others whose set holds the right answer."""
    rows, truth, group = drawn(rng, patients)
    score, models = np.empty(len(rows)), []
    for rest, left in GroupKFold(folds).split(rows, truth, group):
        model = LogisticRegression(C=1.0).fit(rows[rest], truth[rest])
        models.append(model)
        score[left] = model.predict_proba(rows[left])[:, 1]
    sets = fit_sets(truth, score, list(map(str, group)), set_on="out-of-fold images")
    assert sets is not None
    rows, truth, group = drawn(rng, 4000)
    mean = expit(np.mean([each.decision_function(rows) for each in models], axis=0))
    table = pd.DataFrame({"melanoma": truth, "group": group, "could_be": sets.words(mean)})
    found = set_coverage(table)
    assert found is not None
    return found.rows[0].held.value, found.rows[1].held.value


def main() -> None:
    """Print the mean over cohorts and its middle 95 %."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--folds", type=int, default=5)
    given = parser.parse_args()
    for patients in (300, 1000):
        rng = np.random.default_rng(0)
        found = [held(rng, patients, given.folds) for _ in range(given.draws)]
        for name, values in zip(
            ("melanomas", "others"), zip(*found, strict=True), strict=True
        ):
            low, high = np.quantile(values, [0.025, 0.975])
            mean = 100 * float(np.mean(values))
            print(f"{patients:,} patients, {name}: {mean:.1f} % ({low:.3f}–{high:.3f})")


if __name__ == "__main__":
    main()
