"""Labels of lesions, for predictions that have one row a lesion instead of an image."""

from __future__ import annotations

import pandas as pd

from lentigo.datasets.reading.columns import guess_columns
from lentigo.errors import ColumnError
from lentigo.table_files.not_known import known_ids
from lentigo.words import counted, some

LESION = "lesion_id"


def is_by_lesion(predictions: pd.DataFrame) -> bool:
    """Tell whether predictions name lesions, not images, as with `predict --by lesion`."""
    guessed = guess_columns(map(str, predictions))
    return LESION in predictions and "image_id" not in guessed


def one_row_a_lesion(labels: pd.DataFrame, source: str) -> tuple[pd.DataFrame, str]:
    """Return one row a lesion from one row an image, and a sentence that says so.

    The id of the lesion is in the column `image_id` of the result. Its label is the one
    that its labelled images share; images without a lesion are left out.

    Raises `ColumnError` when no column names lesions, or images of a lesion have
    different labels.
    """
    column = guess_columns(map(str, labels.drop(columns="image_id"))).get(LESION)
    if column is None:
        raise ColumnError(
            f"The predictions are of lesions, and {source} has no column lesion_id that "
            "says which images are of which. Judge the predictions of the images, or give "
            "--column image_id=COLUMN where the truth has one row a lesion."
        )
    named = labels.assign(image_id=known_ids(labels[column]))
    known = named[named["image_id"].notna()]
    by_lesion = known.groupby("image_id", sort=False)["melanoma"]
    both = by_lesion.max() & ~by_lesion.min()
    if both.any():
        raise ColumnError(
            f"{source} calls {some(list(both.index[both]))} melanoma in one image and not "
            "in another. Correct the labels, or judge the predictions of the images."
        )
    rows = known.drop_duplicates("image_id").reset_index(drop=True)
    label = rows["image_id"].map(by_lesion.first()).astype("boolean")
    return rows.assign(melanoma=label), (
        f"Lesions are judged, not images: {counted(len(rows), 'lesion')} of "
        f"{counted(len(known), 'image')} by {column} of {source}."
    )
