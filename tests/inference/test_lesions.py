"""One answer a lesion: the mean logit of its photographs, then the calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lentigo
from lentigo.cli.app import app
from lentigo.errors import ColumnError, DatasetError
from lentigo.evaluation import evaluate
from lentigo.inference.inputs import Source
from lentigo.inference.lesions import check_lesions, lesion_logits, lesion_table
from lentigo.models.backend import Logits
from tests.inference.test_predict import noise, save


def shown(*lesions: str | None) -> list[Source]:
    return [Source(str(nth), lesion_id=name) for nth, name in enumerate(lesions)]


def doubled(logits: Logits) -> Logits:
    """The mean of all networks, and a calibration that squares it."""
    mean = logits.mean(axis=0)
    return np.stack([mean, mean**2])


def averaged(
    sources: list[Source], logits: Logits, reasons: dict[int, str] | None = None
) -> pd.DataFrame:
    lesions = lesion_logits(sources, logits, doubled)
    return lesion_table(sources, lesions, reasons or {}, doubled)


def test_logits_are_averaged_first_and_calibrated_then() -> None:
    logits = np.array([[1.0, 3.0, 5.0], [1.0, 5.0, 5.0]])
    table = averaged(shown("A", "A", "B"), logits)
    assert table["lesion_id"].tolist() == ["A", "B"]
    assert table["n_images"].tolist() == [2, 1]
    assert table["raw_logit"].tolist() == [2.5, 5.0]
    assert table["logit"].tolist() == [2.5**2, 25.0]  # not the mean of 1 and 16
    assert table["reason"].tolist() == ["", ""]


def test_a_photograph_without_an_answer_is_not_in_the_mean() -> None:
    logits = np.array([[1.0, np.nan, np.nan]])
    table = averaged(shown("A", "A", "B"), logits, {1: "broken", 2: "empty"})
    assert table["n_images"].tolist() == [1, 0]
    assert table["raw_logit"].fillna(-9).tolist() == [1.0, -9]
    assert table["reason"].tolist() == ["1 is left out: broken", "2 is left out: empty"]


def test_images_of_no_lesion_have_no_row(caplog: pytest.LogCaptureFixture) -> None:
    table = averaged(shown("A", None), np.array([[1.0, 2.0]]))
    assert table["lesion_id"].tolist() == ["A"]
    assert "1 image of no known lesion" in caplog.text


def test_lesions_that_are_not_named_or_named_twice_are_refused() -> None:
    with pytest.raises(ColumnError, match="column lesion_id"):
        check_lesions(shown(None, None))
    two = [Source(str(n), lesion_id="A", dataset=name) for n, name in enumerate("xy")]
    with pytest.raises(DatasetError, match="lentigo combine"):
        check_lesions(two)
    two = [Source(str(n), lesion_id="1", patient_id=name) for n, name in enumerate("xy")]
    with pytest.raises(DatasetError, match="Two patients have a lesion called 1"):
        check_lesions(two)
    check_lesions([*two[:1], two[0], Source("without a patient", lesion_id="1")])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and five photographs of three lesions in a table."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("lesions")
    save(folder / "model")
    for seed in range(5):
        Image.fromarray(noise(40, seed)).save(folder / f"i{seed}.png")
    rows = pd.DataFrame(
        {
            "image_id": [f"i{seed}" for seed in range(5)],
            "path": [str(folder / f"i{seed}.png") for seed in range(5)],
            "lesion_id": ["A", "A", "B", "C", "C"],
            "melanoma": [True, True, False, False, False],
        }
    )
    rows.to_csv(folder / "table.csv", index=False)
    return folder


def call(*arguments: object) -> Any:
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_the_command_writes_lesions_beside_images(place: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "p.csv", place / "table.csv"
    done = call("predict", place / "model", table, "--by", "lesion", "--out", out)
    assert done.exit_code == 0, done.output
    assert "nothing is guaranteed" in " ".join(done.output.split())
    images, lesions = pd.read_csv(out), pd.read_csv(tmp_path / "p.lesions.csv")
    means = images["raw_logit"].groupby([0, 0, 1, 2, 2]).mean()
    assert lesions["raw_logit"].to_numpy() == pytest.approx(means.to_numpy())
    assert lesions["n_images"].tolist() == [2, 1, 2]
    assert {"call", "operating_point"} <= set(lesions)
    found = evaluate(tmp_path / "p.lesions.csv", table)
    assert (found.n_images, found.n_melanomas) == (3, 1)
    assert any("3 lesions of 5 images" in note for note in found.notes)
    python = lentigo.load(place / "model").predict_lesions(table)
    assert python["logit"].to_numpy() == pytest.approx(lesions["logit"].to_numpy())


def test_what_cannot_be_averaged_by_is_refused_at_once(place: Path, tmp_path: Path) -> None:
    given = ("predict", place / "model", place / "i0.png", "--out", tmp_path / "p.csv")
    assert "No image names its lesion" in call(*given, "--by", "lesion").output
    assert "averaged away" in " ".join(call(*given, "--by", "patient").output.split())
    assert not list(tmp_path.iterdir())


def test_a_lesion_whose_images_disagree_judges_nothing(place: Path) -> None:
    truth = pd.read_csv(place / "table.csv")
    truth.loc[0, "melanoma"] = False
    guesses = pd.DataFrame({"lesion_id": ["A", "B"], "probability": [0.5, 0.25]})
    with pytest.raises(ColumnError, match="calls A melanoma in one image"):
        evaluate(guesses, truth)
    with pytest.raises(ColumnError, match="no column lesion_id"):
        evaluate(guesses, truth.drop(columns="lesion_id"))
