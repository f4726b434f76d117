"""Tables of patients who never lived, in the shapes that figures must bear."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lentigo.tables import SITES, check_table

CHINESE = ("躯干", "上肢", "下肢", "头颈部", "手掌和足底")
ARABIC = ("الجذع", "الطرف العلوي", "الطرف السفلي", "الرأس والرقبة")


def drawn_table(rows: int = 400, *, seed: int = 0, melanomas: float = 0.06) -> pd.DataFrame:
    """A lesion table as large as wanted, with gaps, sizes and skin types."""
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, max(rows // 6, 2), rows)
    melanoma = rng.random(rows) < melanomas
    words = np.array(
        ["nevus", "seborrheic keratosis", "atypical melanocytic proliferation"]
    )
    table = pd.DataFrame(
        {
            "image_id": [f"L{number:06}" for number in range(rows)],
            "dataset": "drawn",
            "patient_id": [f"P{number:05}" for number in patients],
            "sex": rng.choice(["female", "male"], rows),
            "age": np.clip(rng.normal(50 + 10 * melanoma, 15) // 5 * 5, 0, 90),
            "site": rng.choice(SITES, rows, p=[0.1, 0.15, 0.2, 0.5, 0.03, 0.02]),
            "diagnosis": np.where(melanoma, "melanoma", rng.choice(words, rows)),
            "melanoma": melanoma,
            "malignant": melanoma,
            "skin_type": rng.integers(1, 7, rows),
            "width": rng.choice([600, 1024, 6000], rows),
            "height": 450,
        }
    )
    for name in ("sex", "age", "site", "diagnosis"):
        table[name] = table[name].mask(rng.random(rows) < 0.05)
    return check_table(table, source="drawn")


def shapes() -> dict[str, pd.DataFrame]:
    """The tables that every figure is drawn from in the tests."""
    table = drawn_table()
    rng = np.random.default_rng(1)
    many = [f"a site with quite a long name, number {number}" for number in range(60)]
    foreign = table.assign(
        site=pd.Series(rng.choice([*CHINESE, *ARABIC], len(table)), dtype="string"),
        diagnosis=pd.Series(rng.choice([*ARABIC, *CHINESE], len(table)), dtype="string"),
    )
    unknown = pd.array([pd.NA] * len(table), dtype="boolean")
    lost = pd.Series(pd.NA, index=table.index, dtype="string")
    names = ("HAM10000", "ISIC 2017", "a clinic with a long name")
    sets = [
        drawn_table(300 * k, seed=k).assign(dataset=name) for k, name in enumerate(names, 1)
    ]
    return {
        "33,126 rows": drawn_table(33_126, melanomas=0.018),
        "200 rows": drawn_table(200),
        "3 rows": drawn_table(3),
        "one class": table.assign(melanoma=False, malignant=False).convert_dtypes(),
        "no age": table.assign(age=np.nan),
        "no site": table.assign(site=lost),
        "no label": table.assign(melanoma=unknown, malignant=unknown),
        "60 sites": table.assign(
            site=pd.Series(rng.choice(many, len(table)), dtype="string"),
            diagnosis=pd.Series(rng.choice(many, len(table)), dtype="string"),
        ),
        "foreign": foreign,
        "every age": table.assign(age=rng.integers(0, 101, len(table)).astype(float)),
        "three sets": pd.concat(sets, ignore_index=True),
    }
