"""The odd drawn lesion of each patient is found, framed and listed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.datasets.any_table import read_any
from lentigo.datasets.synthetic import Lesion, Photograph, draw_lesion
from lentigo.errors import ColumnError, ModelError
from lentigo.inference.duckling import COLUMNS, ducklings
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.inputs import Source
from lentigo.inference.predict import Model
from lentigo.models.backend import Looked, Preparation
from tests.inference.test_predict import save

LESIONS, PATIENTS = 4, 6


def looked(squares: np.ndarray, **_: Any) -> Looked:
    """Features of a square: mean and spread of its colours in the middle and around."""
    middle = squares[:, 20:44, 20:44].reshape(len(squares), -1, 3).astype(np.float32)
    whole = squares.reshape(len(squares), -1, 3).astype(np.float32)
    parts = [middle.mean(1), middle.std(1), whole.mean(1), whole.std(1)]
    nothing = np.zeros(len(squares))
    return Looked(nothing[None], np.concatenate(parts, axis=1), nothing, nothing)


class Alike(Model):
    """A model that answers for every image but the first of the second patient."""

    def predict_sources(self, sources: Sequence[Source], **_: Any) -> pd.DataFrame:
        said = {"p1_0": "not answered: too dark to judge"}
        return pd.DataFrame({"reason": [said.get(each.image_id, "") for each in sources]})


def model(*, features: bool = True) -> Model:
    network: Any = SimpleNamespace(
        preparation=Preparation(64, "stretch", 10**7),
        looked=looked if features else lambda *_, **__: None,
        use=lambda _: None,
        engine="by hand",
    )
    return Alike((Ensemble(members=(network,)),))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Patients with lesions of one look, and one black and many-coloured one each."""
    folder = tmp_path_factory.mktemp("ducks")
    plain = Lesion()
    odd = Lesion(asymmetry=0.8, black_area=0.6, blue_white_veil=0.6, diameter_mm=9.0)
    rows = ["image_id,patient_id,lesion_id,melanoma,path"]
    for patient in range(PATIENTS):
        for number in range(LESIONS):
            name = f"p{patient}_{number}"
            lesion = odd if number == patient % LESIONS else plain
            image = draw_lesion(lesion, Photograph(), size=64, seed=10 * patient + number)
            Image.fromarray(image).save(folder / f"{name}.png")
            rows.append(
                f"{name},P{patient},L{name},{int(number == patient % LESIONS)},{name}.png"
            )
    for number in range(2):  # a patient of whom two lesions are known
        Image.fromarray(draw_lesion(plain, size=64, seed=number)).save(
            folder / f"few_{number}.png"
        )
        rows.append(f"few_{number},Few,Lfew{number},0,few_{number}.png")
    (folder / "table.csv").write_text("\n".join(rows))
    save(folder / "model")
    return folder


def test_patients_whose_odd_lesion_has_no_label_are_counted(folder: Path) -> None:
    """Of two patients the odd lesion, and of a third another one, is not labelled."""
    table = read_any(folder / "table.csv").table
    table["melanoma"] = table["melanoma"].astype("boolean")
    odd = ducklings(model(), table).table.query("rank == 1")["image_id"].tolist()
    others = table[table["melanoma"].eq(False) & ~table["image_id"].isin(odd)]
    table.loc[
        table["image_id"].isin([*odd[:2], others["image_id"].iloc[-4]]), "melanoma"
    ] = pd.NA
    # A lesion that became the patient's melanoma keeps the two in question.
    for patient in table.loc[table["image_id"].isin(odd[:2]), "patient_id"]:
        rest = table["patient_id"].eq(patient) & ~table["image_id"].isin(odd)
        table.loc[table.index[rest][0], "melanoma"] = True
    found = ducklings(model(), table)
    assert (found.n_patients, found.n_unlabelled) == (PATIENTS - 2, 2)
    assert found.sentence.startswith(
        f"Of {PATIENTS} patients with a melanoma and other lesions, {PATIENTS - 2} have a "
        "label of the odd one. Of these the odd one is a melanoma in "
    )


def test_the_planted_odd_lesions_are_found(folder: Path) -> None:
    found = ducklings(model(), read_any(folder / "table.csv").table)
    assert list(found.table) == list(COLUMNS)
    assert found.n_patients == PATIENTS
    assert found.chance == 1 / LESIONS
    assert found.found.value >= 5 / 6
    assert found.found.low > found.chance
    assert f"Of {PATIENTS} patients with a melanoma" in found.sentence
    first = found.table.groupby("patient_id").first()
    assert (first["rank"].dropna() == 1).all()
    told = found.table.set_index("image_id")
    assert told.loc["p1_0", "reason"] == "not answered: too dark to judge"
    assert told["rank"].notna().to_dict()["p1_0"]  # the strange may be looked for
    assert told["reason"].ne("").sum() == 1 + 2
    few = found.table[found.table["patient_id"] == "Few"]
    assert few["reason"].str.startswith("too few lesions: 2 are not enough").all()
    assert few["oddness"].isna().all()


def test_images_of_one_lesion_are_one_lesion(folder: Path) -> None:
    table = read_any(folder / "table.csv").table
    own = table[table["patient_id"] == "P1"]
    twice = pd.concat([own, own.assign(image_id=own["image_id"] + "b")])
    found = ducklings(model(), twice.reset_index(drop=True)).table
    assert len(found) == LESIONS
    assert (found["images"] == 2).all()


def test_what_cannot_be_compared_is_one_sentence(folder: Path) -> None:
    table = read_any(folder / "table.csv").table
    with pytest.raises(ColumnError, match="patient_id"):
        ducklings(model(), table.assign(patient_id=pd.Series(pd.NA, table.index, "string")))
    with pytest.raises(ModelError, match="no features"):
        ducklings(model(features=False), table)


def test_table_and_figures_are_written(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "odd"
    asked = ["duckling", str(folder / "model"), str(folder / "table.csv"),
             "--out", str(out), "--figures", "2", "--device", "cpu"]  # fmt: skip
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "1 patient: too few lesions" in done.output
    assert "It may be harmless" in done.output
    table = pd.read_csv(out / "duckling.csv")
    assert len(table) == PATIENTS * LESIONS + 2
    drawn = sorted(out.glob("*.png"))
    assert [path.name[:4] for path in drawn] == ["001-", "002-"]
    with Image.open(drawn[0]) as figure:
        assert figure.size[0] > 1000


def test_json_names_the_odd_ones(folder: Path, tmp_path: Path) -> None:
    asked = ["duckling", str(folder / "model"), str(folder / "table.csv"), "--json",
             "--figures", "0", "--out", str(tmp_path / "odd")]  # fmt: skip
    done = CliRunner().invoke(app, asked)
    said = json.loads(done.stdout)
    assert said["patients"] == PATIENTS + 1
    assert len(said["odd"]) == PATIENTS
