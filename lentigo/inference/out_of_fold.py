"""Prediction sets for the mean of a run's folds, from its out-of-fold predictions."""

from __future__ import annotations

import pandas as pd

from lentigo.inference.sets import fit_sets
from lentigo.models.conformal import ConformalSets
from lentigo.run_layout import RunLayout
from lentigo.tables import read_any_table, read_table_file
from lentigo.words import counted


def sets_of_folds(run: RunLayout) -> ConformalSets | None:
    """Return the prediction sets of the mean of a run's networks, one for each fold.

    They are set on the out-of-fold predictions: each image is predicted by the network that
    did not learn from it (as in CV+, Barber et al. 2021, doi:10.1214/20-AOS1965). The mean
    of the networks answers a little better than each of them, so that the coverage is not
    exact, mostly too high. None if the run is not finished or has a single fold.
    """
    folds = run.folds_of_first_repeat()
    if len(folds) < 2 or not run.is_prepared() or not run.is_trained():
        return None
    found = pd.concat([read_any_table(each.predictions) for each in folds])
    labels = read_table_file(run.table).set_index("image_id")["melanoma"]
    truth = found["image_id"].map(labels)
    known = (truth.notna() & found["probability"].notna()).to_numpy()
    told = found[known]
    return fit_sets(
        truth[known].to_numpy(bool),
        told["probability"].to_numpy(float),
        told["group_id"].astype(str).tolist(),
        set_on=f"out-of-fold images of {counted(len(folds), 'fold')}",
    )
