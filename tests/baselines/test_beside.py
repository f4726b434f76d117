"""Cheap models beside a network, on the images that it is judged by."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.baselines.beside import baselines_beside
from lentigo.cli.app import app

IMAGES = 120


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Melanomas are old and red; the width of the file tells nothing."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    truth = np.arange(IMAGES) % 3 == 0
    rows = []
    for number, melanoma in enumerate(truth):
        pixels = rng.integers(60, 120, size=(20, 24, 3), dtype=np.uint8)
        pixels[..., 0] += np.uint8(80 * melanoma)
        path = folder / f"i{number:03}.png"
        Image.fromarray(pixels).save(path)
        rows.append({"image_id": path.stem, "path": str(path), "melanoma": int(melanoma),
                     "age": 40 + 10 * melanoma + rng.normal(0, 8)})  # fmt: skip
    table = pd.DataFrame(rows)
    guesses = table[["image_id"]].assign(probability=rng.random(IMAGES))
    return guesses, table


def test_each_is_judged_out_of_fold_and_what_is_red_is_found_by_colour(
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    patient, file, colours = baselines_beside(*tables)
    assert (patient.name, patient.features) == ("metadata only", ("age",))
    assert 0.6 < patient.auc.value < 0.95
    assert colours.auc.value > 0.95
    assert file.auc.value < 0.75
    assert colours.gain.value == pytest.approx(
        patient.auc.value + patient.gain.value - colours.auc.value
    )
    assert colours.gain.high < 0


def test_what_is_not_known_is_told_and_not_guessed(
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    guesses, truth = tables
    found = baselines_beside(guesses, truth[["image_id", "melanoma"]])
    assert [bool(each.absent) for each in found] == [True, True, True]
    assert "no age, sex or site" in found[0].absent
    assert "column path" in found[1].absent
    assert math.isnan(found[0].auc.value)


def test_the_command_shows_them_beside_the_model(
    tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    guesses, truth = tables
    guesses.to_csv(tmp_path / "p.csv", index=False)
    truth[["image_id", "melanoma", "age"]].to_csv(tmp_path / "t.csv", index=False)
    words = ["evaluate", f"{tmp_path}/p.csv", "--truth", f"{tmp_path}/t.csv"]
    done = CliRunner().invoke(app, [*words, "--repeats", "20", "--baselines"])
    assert done.exit_code == 0, done.output
    assert "metadata only" in done.output
    assert "colours: the truth names no image files" in done.output


@pytest.mark.parametrize("images", [1, 2, IMAGES])
def test_images_of_one_group_are_told_to_be_too_few(
    images: int, tables: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    guesses, truth = tables
    few = truth.head(images).assign(patient_id="P1")
    for each in baselines_beside(guesses.head(images), few, group="patient_id"):
        assert "melanomas of two groups" in each.absent


def test_images_within_a_container_have_colours_and_no_facts_of_a_file(
    tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    guesses, truth = tables
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as packed:
        for path in map(Path, truth["path"]):
            packed.write(path, path.name)
    inside = [f"{tmp_path}/images.zip/{Path(path).name}" for path in truth["path"]]
    _, file, colours = baselines_beside(guesses, truth.assign(path=inside))
    assert "within a container" in file.absent
    assert colours.auc.value > 0.95


def test_the_truths_own_words_for_sites_are_used() -> None:
    rng = np.random.default_rng(3)
    word = rng.choice(np.array(["back", "chest"]), 400)
    melanoma = rng.random(400) < np.where(word == "back", 0.6, 0.1)
    truth = pd.DataFrame(
        {"image_id": [f"i{n}" for n in range(400)], "melanoma": melanoma, "site": word}
    )
    guesses = truth[["image_id"]].assign(probability=rng.random(400))
    theirs = baselines_beside(guesses, truth)[0]
    assert theirs.features == ("site", "site_detail")
    assert theirs.auc.value > 0.7
    ours = truth.assign(site="torso", site_detail=word)  # as lentigo read writes them
    assert baselines_beside(guesses, ours)[0].auc.value == pytest.approx(theirs.auc.value)
