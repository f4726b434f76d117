"""What is in a lesion table, in numbers."""

from __future__ import annotations

import pandas as pd

from lentigo.curation.summary import summary
from lentigo.tables import check_table

TABLE = pd.DataFrame(
    [
        ("a", "north", "1", "7", True, "x.png", "female", 50, "torso"),
        ("b", "north", "1", "8", False, None, "female", None, "torso"),
        ("c", "south", "1", "7", False, "z.png", None, 40, None),
        ("d", "south", "IP_0000001", "IL_0000001", None, None, None, None, None),
        ("e", "north", "IP_0000001", "IL_0000001", None, None, None, None, None),
        ("f", "north", None, None, True, "w.png", "male", 0, "torso"),
    ],
    columns=[
        "image_id", "dataset", "patient_id", "lesion_id", "melanoma", "path", "sex", "age",
        "site",
    ],
)  # fmt: skip


def test_equal_ids_of_two_data_sets_are_two_patients_unless_the_archive_gave_them() -> None:
    assert summary(check_table(TABLE, source="test")) == {
        "images": 6,
        "without a file": 3,
        "patients": 3,
        "lesions": 4,
        "melanomas": 2,
        "not melanoma": 2,
        "without a label": 2,
        "without an age": 3,
        "without a sex": 3,
        "without a site": 3,
    }
