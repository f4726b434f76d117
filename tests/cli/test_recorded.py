"""What commands print and write is what somebody read and recorded.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.cohorts import draw_cohort
from tests.figures import given
from tests.imaging.segmentation.test_find import skin, with_disc
from tests.record import check_recorded
from tests.written import as_recorded, called


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of discs with their table, and predictions of two models with the truth."""
    folder = tmp_path_factory.mktemp("told")
    table = draw_cohort(folder / "images", images=24)
    table.to_csv(folder / "discs.csv", index=False)
    given.truth().to_csv(folder / "truth.csv", index=False)
    more = given.truth().assign(image_id=lambda rows: "x" + rows["image_id"])
    more.drop(columns="diagnosis").to_csv(folder / "more.csv", index=False)
    for name, strength, seed in (("good", 1.5, 2), ("weak", 0.5, 1), ("fair", 1, 3)):
        given.predicted(strength, seed).to_csv(folder / f"{name}.csv", index=False)
    rows = [
        {
            "image_id": f"i{n:03}",
            "reader": reader,
            "call": int((n % 3 == 0) != (n % slip == 0)),
        }
        for n in range(60)
        for reader, slip in (("Anna", 4), ("Ben", 5), ("Cem", 7))
    ]
    pd.DataFrame(rows).to_csv(folder / "readings.csv", index=False)
    (folder / "few").mkdir()
    for number, (middle, radius) in enumerate([((100, 75), 40), ((60, 60), 25)]):
        image = with_disc(with_disc(skin(seed=number), middle, radius), (90, 60), 20)
        Image.fromarray(image).save(folder / "few" / f"lesion_{number}.png")
    (folder / "few" / "broken.png").write_bytes(b"no picture")
    return folder


SAID = {
    ("evaluate", "plain"): "good.csv --truth truth.csv --repeats 40 --out OUT",
    ("evaluate", "by"): "good.csv --truth truth.csv --repeats 40 --by site --threshold 0.3",
    ("evaluate", "share"): "good.csv --truth truth.csv --repeats 40 --prevalence 0.02",
    ("evaluate", "wrong"): "good.csv --truth truth.csv --repeats 40 --by nothing",
    ("compare", "three"): (
        "good.csv weak.csv fair.csv --truth truth.csv --repeats 40 --out OUT"
    ),
    ("compare", "margin"): "good.csv weak.csv --truth truth.csv --repeats 40 --margin 0.1",
    ("readers", "three"): (
        "readings.csv --truth truth.csv --predictions good.csv --repeats 40 --out OUT"
    ),
    ("power", "plain"): "good.csv --truth truth.csv --against weak.csv --width 0.05",
    ("lock", "plain"): "truth.csv --out OUT",
    ("split", "folds"): "discs.csv --folds 3 --out OUT.csv",
    ("split", "holdout"): "discs.csv --scheme holdout --out OUT.csv",
    ("audit", "plain"): "discs.csv --out OUT",
    ("explore", "plain"): "discs.csv --out OUT",
    ("prepare", "plain"): "discs.csv --size 32 --out OUT",
    ("view", "plain"): "few/lesion_0.png --out OUT",
    ("outline", "plain"): "few --out OUT",
    ("abcd", "plain"): "few --out OUT",
    ("change", "plain"): "few/lesion_0.png few/lesion_1.png --out OUT",
    ("runs", "none"): "images",
    ("grid", "plain"): "discs.csv --out OUT.png",
    ("combine", "plain"): "discs.csv more.csv --out OUT.csv",
}


test_what_a_command_says_and_writes = as_recorded(SAID)


@pytest.mark.parametrize("kind", ["checks", "formats", "metrics", "recipes", "splits"])
def test_what_there_is(kind: str, tmp_path: Path) -> None:
    check_recorded(f"cli/list-{kind}", called(f"list {kind}", tmp_path, tmp_path / "out"))
