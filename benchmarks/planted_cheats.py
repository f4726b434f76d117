"""Networks that are trained on planted cheats, and whether the stress test names these.

    python -P benchmarks/planted_cheats.py OUT [--cheat ruler|bytes] [--shuffled]

(-P, because numba would take the script beside this one for the package coverage.)

Lesions of the embedded set are drawn at 64 px. With `ruler`, 95 % of melanomas and 5 % of
other lesions have a ruler beside them, drawn as the stress test draws one, at another place
in each image; with `bytes`, 95 % of melanomas and 5 % of others are saved as larger JPEG
files (quality 97 against 60). With `--shuffled`, the labels are dealt anew to the lesions
before, so that only the cheat tells melanoma. A small network learns from them for some
minutes. Then `lentigo stress` looks at the held-out images, and `lentigo evaluate
--baselines` at their files. The exit code is 1 where the stress test does not name the
cheat.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lentigo.baselines.beside import baselines_beside
from lentigo.config import Config, with_settings
from lentigo.datasets.synthetic.cohort import draw_features
from lentigo.datasets.synthetic.files import draw_row
from lentigo.evaluation.discrimination import auc
from lentigo.recipes import recipe
from lentigo.reports.stress.write import Options, write_stress
from lentigo.robustness.conditions import Condition, shown_as
from lentigo.tables import check_table
from lentigo.training.run import train

SIDE = 64
KEPT = 0.95
"""Share of images in which the cheat tells the truth."""
OTHERS = 3
"""Other lesions for each melanoma, so that a small set holds enough of these."""
RULER = Condition("ruler", 3)
NAMES = {"ruler": {"ruler"}, "bytes": {"bytes", "jpeg"}}
"""Findings of a stress test that name the cheat."""


def planted(folder: Path, cheat: str, lesions: int, *, shuffled: bool) -> pd.DataFrame:
    """Draw lesions with the cheat into `folder`; return their lesion table.

    With `shuffled`, nothing but the cheat tells melanoma.
    """
    rng = np.random.default_rng(0)
    rows = draw_features(lesions, seed=1)
    melanoma = rows["melanoma"].to_numpy(bool)
    others = rng.permutation(np.flatnonzero(~melanoma))[: OTHERS * int(melanoma.sum())]
    rows = rows.iloc[np.sort(np.r_[np.flatnonzero(melanoma), others])].reset_index(
        drop=True
    )
    if shuffled:
        rows["melanoma"] = rng.permutation(rows["melanoma"].to_numpy(bool))
        rows = rows.drop(columns=["diagnosis", "malignant"], errors="ignore")
    marked = rows["melanoma"].to_numpy(bool) ^ (rng.random(len(rows)) > KEPT)
    rows["ruler"] = False
    folder.mkdir(parents=True)
    paths = []
    for row, mark in zip(rows.to_dict("records"), marked, strict=True):
        path = folder / f"{row['image_id']}.jpg"
        quality = (97 if mark else 60) if cheat == "bytes" else 92
        image = draw_row(row, size=SIDE).image
        if cheat == "ruler" and mark:
            seed = int(row["lesion_seed"]) % 2**32
            changed = shown_as(image, RULER, None, seed=seed)
            image = image if changed is None else changed
        Image.fromarray(image).save(path, quality=quality, subsampling=0)
        paths.append(str(path))
    return check_table(rows.assign(path=paths), source="the planted set")


def settings() -> Config:
    """Return the settings of a training of some minutes on one core."""
    changed = {"training.epochs": 12, "training.precision": "32-true", "export": False,
               "training.index": "none"}  # fmt: skip
    return with_settings(recipe("demo"), changed)


def main() -> None:
    """Plant, train, look, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--cheat", choices=sorted(NAMES), default="ruler")
    parser.add_argument("--lesions", type=int, default=2600)
    parser.add_argument("--shuffled", action="store_true")
    given = parser.parse_args()
    folder = given.out / "images"
    table = planted(folder, given.cheat, given.lesions, shuffled=given.shuffled)
    run = train(table, settings(), out=given.out / "run")
    seen = run.predictions.merge(run.table[["image_id", "melanoma"]], on="image_id")
    score = seen["probability"].to_numpy(np.float64)
    value = float(auc(seen["melanoma"].to_numpy(bool), score))
    print(f"{len(table):,} images; held out {len(seen):,}, AUC {value:.3f}")
    held_out = run.table[run.table["image_id"].isin(seen["image_id"])]
    options = Options(only=("light", "camera", "drawn"), device="cpu")
    found = write_stress(run.folder, held_out, given.out / "stressed", options)
    for each in found.findings:
        print(f"{each.name}: {each.head}. {each.sentence}")
    truth = held_out.reset_index(drop=True)
    for each in baselines_beside(run.predictions, truth):
        print(each)
    if not {each.name for each in found.findings} & NAMES[given.cheat]:
        sys.exit(f"The stress test did not name the cheat {given.cheat}.")


if __name__ == "__main__":
    main()
