"""Prediction sets for the mean of a run's folds, from its out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lentigo.inference.sets import fit_sets, told_by
from lentigo.models.conformal import ConformalSets
from lentigo.run_layout import RunLayout
from lentigo.tables import DIAGNOSIS_COLUMNS, read_any_table, read_table_file
from lentigo.words import counted


def sets_of_folds(run: RunLayout, diagnoses: Sequence[str] = ()) -> ConformalSets | None:
    """Return the prediction sets of the mean of a run's networks, one for each fold.

    They are set on the out-of-fold predictions: each image is predicted by the network that
    did not learn from it (as in CV+, Barber et al. 2021, doi:10.1214/20-AOS1965). The mean
    of the networks answers a little better than each of them, so that the coverage is not
    exact, in a simulation mostly too high. If the split was repeated, the mean logit of
    each image over the repeats counts, since the model is the mean of all folds.
    `diagnoses` are those beside melanoma that all networks tell apart. None if the run is
    not finished or has a single fold.
    """
    first = run.folds_of_first_repeat()
    more = [each for each in run.folds() if each.repeat and each.predictions.is_file()]
    folds = first + more
    if len(first) < 2 or not run.is_prepared() or not run.is_trained():
        return None
    found = pd.concat(
        [read_any_table(each.predictions) for each in folds], ignore_index=True
    )
    if more:
        found = _mean_of_repeats(found)
    table = read_table_file(run.table)
    labels = table.set_index("image_id")["melanoma"]
    truth = found["image_id"].map(labels)
    known = (truth.notna() & found["probability"].notna()).to_numpy()
    told = found[known]
    return fit_sets(
        truth[known].to_numpy(bool),
        told["probability"].to_numpy(float),
        told["group_id"].astype(str).tolist(),
        set_on=f"out-of-fold images of {counted(len(folds), 'fold')}",
        told=told_by(told, table, diagnoses),
    )


def _mean_of_repeats(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each image, with the probabilities of its mean logits."""
    own = pd.Series(logit(found["probability"].clip(1e-9, 1 - 1e-9)), found.index)
    image = found["image_id"].to_numpy()
    mean = own.groupby(image).transform("mean")
    # Of the diagnoses only the ratios count, as in the mean of log shares.
    shares = {
        str(name): np.exp(
            np.log(found[name].clip(lower=1e-300)).groupby(image).transform("mean")
        )
        for name in found
        if str(name).startswith(DIAGNOSIS_COLUMNS)
    }
    whole = found.assign(probability=expit(mean), **shares)
    return whole.drop_duplicates("image_id")
