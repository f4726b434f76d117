"""Probabilities of diagnoses: shares of what the probability of melanoma leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import lentigo
from lentigo.cli.app import app
from lentigo.inference.diagnoses import common_diagnoses, mean_shares, with_diagnoses
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.network import build_model
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise

CONFIG = tiny_config(training__image_size=32, imaging__size=48)


@dataclass
class Network:
    diagnoses: tuple[str, ...]


def networks(*named: tuple[str, ...]) -> list[Any]:
    return [Network(each) for each in named]


def test_the_mean_over_networks_is_that_of_logarithms() -> None:
    """Shares 1/2 and 1/8 of nevus, 1/2 and 7/8 of other: their products are 1 to 7."""
    both = networks(("nevus", "other"), ("other", "nevus"))
    said = np.array([[0.0], [0.0], *np.log([[1 / 2], [1 / 2], [7 / 8], [1 / 8]])])
    found = mean_shares(both, said)
    odds = np.sqrt([1 / 16, 7 / 16])
    assert found[:, 0] == pytest.approx(odds / odds.sum())


@pytest.mark.parametrize(
    ("known", "common"),
    [
        ([("nevus", "other"), ("other", "nevus")], ("nevus", "other")),
        ([("nevus", "other"), ("nevus",)], ()),
        ([(), ("nevus", "other")], ("nevus", "other")),
        ([()], ()),
    ],
)
def test_diagnoses_have_a_mean_where_no_network_tells_others_apart(
    known: list[tuple[str, ...]], common: tuple[str, ...]
) -> None:
    assert common_diagnoses(networks(*known)) == common


def test_diagnoses_share_what_melanoma_leaves() -> None:
    table = pd.DataFrame({"probability": [0.2], "logit": [np.log(0.25)], "reason": [""]})
    found = with_diagnoses(
        table, ("nevus", "basal cell carcinoma"), np.array([[3 / 4], [1 / 4]])
    )
    assert found.columns.tolist() == [
        "probability", "logit", "probability_melanoma",
        "probability_basal_cell_carcinoma", "probability_nevus", "reason",
    ]  # fmt: skip
    assert found.iloc[0, 2:5].tolist() == pytest.approx([0.2, 0.2, 0.6])


def save(folder: Path, *, seed: int, classes: tuple[str, ...]) -> None:
    torch.manual_seed(seed)
    network = build_model(CONFIG.model, classes=classes).eval()
    network.output.weight.data.mul_(20)  # so that images differ
    card = ModelCard(
        logit_shift=0.0, prevalence=0.1, training_images=10, training_groups=5,
        archives=[{"name": "discs"}], best_epoch=1, validation_auc=0.5, name=f"fold-{seed}",
    )  # fmt: skip
    save_model_folder(network, folder, card=card, config=CONFIG)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two networks of three diagnoses, one of two, a table of three photographs."""
    three = ("melanoma", "nevus", "other")
    save(tmp_path / "run" / "fold-0" / "model", seed=0, classes=three)
    save(tmp_path / "run" / "fold-1" / "model", seed=1, classes=three)
    save(tmp_path / "two", seed=2, classes=("melanoma", "nevus"))
    rows = []
    for seed in range(3):
        Image.fromarray(noise(40, seed)).save(tmp_path / f"{seed}.png")
        lesion = "A" if seed < 2 else "B"
        rows.append({"image_id": f"i{seed}", "path": f"{seed}.png", "lesion_id": lesion})
    (tmp_path / "2.png").write_bytes(b"broken")
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


COLUMNS = ["probability_melanoma", "probability_nevus", "probability_other"]


def predicted(place: Path, *options: object) -> tuple[pd.DataFrame, str]:
    out = place / "p.csv"
    given = [place / "run", place / "table.csv", *options, "--out", out]
    done = CliRunner().invoke(app, ["predict", *map(str, given)])
    assert done.exit_code == 0, done.output
    return pd.read_csv(out, keep_default_na=False, na_values=[""]), done.output


def test_files_images_and_lesions_have_a_column_a_diagnosis(place: Path) -> None:
    table, _ = predicted(place, "--by", "lesion", "--prevalence", "0.02")
    lesions = pd.read_csv(place / "p.lesions.csv")
    for found, answered in ((table, 2), (lesions, 1)):
        assert [*found][-4:] == [*COLUMNS, "reason"]
        assert np.allclose(found[COLUMNS].sum(axis=1)[:answered], 1)
        assert found.loc[answered, COLUMNS].isna().all()  # the broken file
        both = found[["probability", "probability_melanoma"]].dropna()
        assert (both["probability"] == both["probability_melanoma"]).all()
    assert table["probability_nevus"].nunique() == 2


def test_shares_among_other_diagnoses_do_not_move_with_the_share_of_melanoma(
    place: Path,
) -> None:
    model = lentigo.load(place / "run")
    here, there = (model.predict(noise(), prevalence=share) for share in (None, 0.5))
    assert here["probability"][0] != there["probability"][0]
    odds = [each["probability_nevus"][0] / each["probability_other"][0]
            for each in (here, there)]  # fmt: skip
    assert odds[0] == pytest.approx(odds[1])


def test_networks_of_different_diagnoses_say_that_only_melanoma_has_a_mean(
    place: Path,
) -> None:
    table, said = predicted(place, "--also", place / "two")
    assert not set(COLUMNS) & set(table)
    assert "different diagnoses" in said


def test_a_prediction_that_was_stopped_goes_on_with_its_diagnoses(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = predicted(place, "--batch-size", "1")
    (place / "p.csv").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(
            "lentigo.inference.predict.Model.network_logits", _stopping_after_one()
        )
        given = [place / "run", place / "table.csv", "--batch-size", 1,
                 "--out", place / "p.csv"]  # fmt: skip
        assert CliRunner().invoke(app, ["predict", *map(str, given)]).exit_code == 130
    assert (place / "p.csv.unfinished").exists()
    again, _ = predicted(place, "--batch-size", "1", "--resume")
    pd.testing.assert_frame_equal(again, whole, check_exact=True)


def _stopping_after_one() -> Callable[..., Any]:
    from lentigo.inference.predict import Model

    asked: list[Any] = []
    answer = Model.network_logits

    def logits(self: Any, batch: Any, *more: Any) -> Any:
        if asked:
            raise KeyboardInterrupt
        asked.append(batch)
        return answer(self, batch, *more)

    return logits
