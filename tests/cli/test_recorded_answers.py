"""What commands print and write that ask a model is what somebody read and recorded.

A change that is meant is recorded with `LENTIGO_RECORD=1` (`tests.record`). The network has
learnt nothing, so all that its answers tell is that they are the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lentigo.tables import write_table
from tests.cohorts import draw_cohort
from tests.imaging.segmentation.test_find import skin, with_disc
from tests.inference.test_drift import answers
from tests.inference.test_predict import CONFIG, save
from tests.written import as_recorded


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one network with its table, held-out answers and those of a month."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("answered")
    run = folder / "run"
    save(run / "fold-0" / "model")
    (run / "config.yaml").write_text(CONFIG.to_yaml())
    table = draw_cohort(folder / "images", images=24)
    table.to_csv(folder / "discs.csv", index=False)
    many = [f"P{number // 8}" for number in range(24)]
    table.assign(patient_id=many).to_csv(folder / "eight.csv", index=False)
    lesions = table.head(8).assign(lesion_id=[f"L{number // 2}" for number in range(8)])
    lesions.to_csv(folder / "lesions.csv", index=False)
    table["group_id"] = table["patient_id"]
    write_table(table, run / "table.parquet")
    answers(table, rng.normal(size=24)).to_csv(run / "predictions.csv", index=False)
    new = table.assign(image_id="new" + table["image_id"])
    later = answers(new, rng.normal(size=24) + 2).drop(columns="group_id")
    later.to_csv(folder / "march.csv", index=False)
    (folder / "few").mkdir()
    for number in range(3):
        image = with_disc(skin(seed=number), (100, 75), 20 + 10 * number)
        Image.fromarray(image).save(folder / "few" / f"lesion_{number}.png")
    (folder / "few" / "broken.png").write_bytes(b"no picture")
    return folder


MODEL = "run/fold-0/model"
SAID = {
    ("predict", "table"): f"{MODEL} few --out OUT.csv --device cpu",
    ("predict", "share"): f"{MODEL} few --out OUT.csv --device cpu --prevalence 0.02",
    ("explain", "plain"): f"{MODEL} few/lesion_1.png --out OUT",
    ("explain", "several"): f"{MODEL} few --out OUT",
    ("predict", "lesions"): f"{MODEL} lesions.csv --by lesion --out OUT.csv --device cpu",
    ("predict", "fhir"): f"{MODEL} few --format fhir --out OUT.json --device cpu",
    ("predict", "json"): f"{MODEL} few --json --out OUT.csv --device cpu",
    ("predict", "nothing"): f"{MODEL} nowhere --out OUT.csv --device cpu",
    ("predict", "by"): f"{MODEL} few --by patient --out OUT.csv --device cpu",
    (
        "predict",
        "both",
    ): f"{MODEL} few --by lesion --format fhir --out OUT.json --device cpu",
    ("similar", "plain"): "run few --out OUT.csv",
    ("duckling", "plain"): f"{MODEL} eight.csv --out OUT --device cpu",
    ("stress", "views"): f"{MODEL} discs.csv --only views,ruler --out OUT --device cpu",
    ("card", "plain"): MODEL,
    ("drift", "plain"): "run march.csv --out OUT",
    ("calibrate", "plain"): f"{MODEL} discs.csv --out OUT --device cpu",
}


test_what_a_command_says_and_writes = as_recorded(SAID)
