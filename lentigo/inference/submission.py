"""Predictions in the form that a challenge asks for."""

from __future__ import annotations

import pandas as pd

from lentigo.errors import DatasetError, counted, some


def submission_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """A prediction table as SIIM-ISIC 2020 takes it: `image_name`, `target` in 0–1.

    Raises `DatasetError` when an image has no probability: there may be no gap.
    """
    without = predictions.loc[predictions["probability"].isna(), "image_id"].tolist()
    if without:
        raise DatasetError(
            f"{counted(len(without), 'image')} without a probability ({some(without)}), "
            "and a submission may have no gap. Mend or remove these files and predict "
            "again."
        )
    return pd.DataFrame(
        {"image_name": predictions["image_id"], "target": predictions["probability"]}
    )
