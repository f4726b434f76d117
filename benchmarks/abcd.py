"""What the measures of the ABCD rule tell of melanoma: AUC on HAM10000 and ISIC 2017.

    python benchmarks/abcd.py [--shared ../shared] [--images 600]

Each measure by itself, melanoma against all other lesions, larger values taken for
melanoma; 95 % intervals by lesion (ISIC 2017 names none: by image). Melanomas and others in
equal number, on which an AUC does not depend. Nothing is fitted here.
Images without a lesion, or with one that is cut off, have no shape: they are left out, and
counted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lentigo.datasets import read_table
from lentigo.evaluation.clustered import clustered_auc
from lentigo.explanation.abcd import MEASURES, measure_abcd
from lentigo.imaging.decoding.image import read_image

SMALLER = {"compactness", "light_brown"}
"""Measures that are smaller in melanomas."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=beside)
    parser.add_argument("--images", type=int, default=600)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    columns = {
        name: measured(read_table(name, given.shared / "data" / name), given.images)
        for name in ("ham10000", "isic2017")
    }
    print("| measure | " + " | ".join(columns) + " |\n|---|---|---|")
    for name in [each for each in MEASURES if each not in {"diameter_mm", "total_high"}]:
        print(
            f"| {name} | "
            + " | ".join(auc(table, name) for table in columns.values())
            + " |"
        )


def measured(table: pd.DataFrame, images: int) -> pd.DataFrame:
    table = table[table["path"].notna() & table["melanoma"].notna()]
    table = table.sample(frac=1, random_state=0)
    table["turn"] = table.groupby("melanoma").cumcount()
    table = table.sort_values("turn", kind="stable").head(images).reset_index(drop=True)
    rows = [measure_abcd(read_image(path)).as_dict() for path in table["path"]]
    found = pd.concat([table, pd.DataFrame(rows)], axis=1)
    shaped = found["asymmetry"].notna()
    print(
        f"{found['dataset'][0]}: {len(found):,} images, {int(found['melanoma'].sum()):,} "
        f"melanomas; no shape in {int((~shaped).sum()):,}", flush=True
    )  # fmt: skip
    return found


def auc(table: pd.DataFrame, name: str) -> str:
    seen = table[table[name].notna()]
    score = seen[name].to_numpy(np.float64) * (-1 if name in SMALLER else 1)
    group = pd.factorize(seen["group_id"].fillna(seen["image_id"]))[0]
    found = clustered_auc(seen["melanoma"].to_numpy(bool), score, group)
    return f"{found.value:.2f} ({found.low:.2f}–{found.high:.2f}), n = {len(seen)}"


if __name__ == "__main__":
    main()
