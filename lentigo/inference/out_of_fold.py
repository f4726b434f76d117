"""Prediction sets for the mean of a run's folds, from its out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from lentigo.inference.sets import fit_sets, less_right, told_by
from lentigo.models.conformal import ConformalSets
from lentigo.run_layout import RunLayout
from lentigo.tables import (
    DIAGNOSIS_COLUMNS,
    WITHOUT_METADATA,
    read_any_table,
    read_table_file,
)
from lentigo.words import counted

_UNTOLD = f"logit{WITHOUT_METADATA}"


def sets_of_folds(run: RunLayout, diagnoses: Sequence[str] = ()) -> ConformalSets | None:
    """Return the prediction sets of the mean of a run's networks, one for each fold.

    They are set on the out-of-fold predictions: each image is predicted by the network that
    did not learn from it (as in CV+, Barber et al. 2021, doi:10.1214/20-AOS1965). The mean
    of the networks answers a little better than each of them, so that the coverage is not
    exact, in a simulation mostly too high. If the split was repeated, the mean logit of
    each image over the repeats counts, since the model is the mean of all folds.
    `diagnoses` are those beside melanoma that all networks tell apart. Of an image that is
    also answered without age, sex and site, the probability that is less right counts. None
    if the run is not finished or has a single fold.
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
    told, right = found[known], truth[known].to_numpy(bool)
    return fit_sets(
        right,
        less_right(right, told["probability"].to_numpy(float), _untold(told)),
        told["group_id"].astype(str).tolist(),
        set_on=f"out-of-fold images of {counted(len(folds), 'fold')}",
        told=told_by(told, table, diagnoses),
    )


def _untold(found: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return the probabilities without age, sex and site, (N,); None if there are none."""
    if _UNTOLD not in found:
        return None
    given = found[_UNTOLD].fillna(_logit(found["probability"]))
    return np.asarray(expit(given.to_numpy(np.float64)))


def _logit(probability: pd.Series) -> pd.Series:
    return pd.Series(logit(probability.clip(1e-9, 1 - 1e-9)), probability.index)


def _mean_of_repeats(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each image, with the probabilities of its mean logits."""
    image = found["image_id"].to_numpy()
    mean = _logit(found["probability"]).groupby(image).transform("mean")
    if _UNTOLD in found:
        untold = found[_UNTOLD].groupby(image).transform("mean")
        found = found.assign(**{_UNTOLD: untold})
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
