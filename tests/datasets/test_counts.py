"""What a table holds, in one sentence: melanomas, others, and what is left out."""

from __future__ import annotations

import pandas as pd

from lentigo.datasets.counts import label_counts, label_sentence


def table(*rows: tuple[str | None, bool | None]) -> pd.DataFrame:
    diagnosis, melanoma = zip(*rows, strict=True)
    columns = {
        "diagnosis": pd.array(diagnosis, dtype="string"),
        "melanoma": pd.array(melanoma, dtype="boolean"),
    }
    return pd.DataFrame({**columns, "path": "a.png"})


def test_what_may_be_melanoma_or_none_is_counted_by_name() -> None:
    lesions = table(
        ("melanoma", True),
        ("nevus", False),
        ("atypical Spitz tumor", None),
        ("atypical Spitz tumor", None),
        ("pigmented epithelioid melanocytoma", None),
        ("a word that nobody knows", None),
        ("atypical Spitz tumor", False),  # its archive calls it benign
        (None, None),
    )
    assert label_sentence(lesions) == (
        "8 images: 1 melanoma, 2 not melanoma, 5 without a label, 0 without a file; 3 of "
        "those without a label may be melanoma or none by diagnosis: atypical Spitz tumor "
        "(2), pigmented epithelioid melanocytoma (1)."
    )
    assert label_counts(lesions)["open by diagnosis"] == 3


def test_a_melanoma_without_its_label_is_counted() -> None:
    lesions = table(("lentigo maligna", None), ("nevus", False))
    assert label_sentence(lesions).endswith(
        "; 1 of those without a label are melanoma by diagnosis."
    )
