"""What is in a lesion table, in numbers."""

from __future__ import annotations

import pandas as pd

from lentigo.curation.groups import named_lesions, patient_numbers


def summary(table: pd.DataFrame) -> dict[str, int]:
    """Count images, patients, lesions, labels and missing values of a lesion table.

    The keys are words for display: `images`, `without a file`, `melanomas`, `not melanoma`
    … Equal ids of two data sets are two patients or lesions, unless the ISIC archive uses
    them in all its collections.
    """
    known = table["melanoma"].notna()
    return {
        "images": len(table),
        "without a file": int(table["path"].isna().sum()),
        "patients": count_patients(table),
        "lesions": count_lesions(table),
        "melanomas": int(table["melanoma"].sum()),
        "not melanoma": int((known & ~table["melanoma"].fillna(False)).sum()),
        "without a label": int((~known).sum()),
        "without an age": int(table["age"].isna().sum()),
        "without a sex": int(table["sex"].isna().sum()),
        "without a site": int(table["site"].isna().sum()),
    }


def count_patients(table: pd.DataFrame) -> int:
    """Return how many patients a lesion table names, told apart as `assign_groups` does."""
    return len({*patient_numbers(table)} - {-1})


def count_lesions(table: pd.DataFrame) -> int:
    """Return how many lesions a lesion table names, told apart as `assign_groups` does."""
    return len({*named_lesions(table)} - {-1})
