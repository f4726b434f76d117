"""A model folder is written, read, and looks at images."""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import lentigo
from lentigo.config import Config
from lentigo.errors import DatasetError, DatasetNotFoundError, ModelError
from lentigo.files import digest
from lentigo.inference.learnt import learnt_images
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.network import Classifier, build_model
from lentigo.models.torch_predictor import TorchPredictor
from tests.cohorts import tiny_config

CONFIG = tiny_config(training__image_size=32, imaging__size=48)


def save(
    folder: Path, *, shift: float = 0.0, seed: int = 0, config: Config = CONFIG
) -> Classifier:
    torch.manual_seed(seed)
    network = build_model(config.model, view=config.imaging.view).eval()
    card = ModelCard(
        logit_shift=shift, prevalence=0.1, training_images=10, training_groups=5,
        archives=[{"name": "discs"}], best_epoch=1, validation_auc=0.5,
    )  # fmt: skip
    save_model_folder(network, folder, card=card, config=config)
    return network


def noise(side: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_probability_is_the_logistic_function_of_the_corrected_logit(
    tmp_path: Path,
) -> None:
    save(tmp_path / "plain")
    save(tmp_path / "shifted", shift=2.0)
    plain = lentigo.load(tmp_path / "plain").predict(noise())
    shifted = lentigo.load(tmp_path / "shifted").predict(noise())
    assert shifted["logit"][0] == pytest.approx(plain["logit"][0] - 2)
    assert plain["probability"][0] == pytest.approx(1 / (1 + math.exp(-plain["logit"][0])))


def test_an_image_and_its_mirror_image_get_one_answer(tmp_path: Path) -> None:
    save(tmp_path)
    answers = lentigo.load(tmp_path).predict([noise(48), noise(48)[:, ::-1]])
    assert answers["logit"][0] == pytest.approx(answers["logit"][1], abs=1e-4)


def test_a_batch_answers_as_single_images_do(tmp_path: Path) -> None:
    save(tmp_path)
    model = lentigo.load(tmp_path)
    images = [noise(30 + seed, seed) for seed in range(5)]
    together = model.predict(images, batch_size=2)
    alone = [model.predict(image)["logit"][0] for image in images]
    assert np.allclose(together["logit"], alone, atol=1e-4)


def test_several_folds_answer_their_mean_logit(tmp_path: Path) -> None:
    for fold in range(2):
        save(tmp_path / f"fold-{fold}" / "model", seed=fold)
    both = lentigo.load(tmp_path).predict(noise())["logit"][0]
    each = [
        lentigo.load(tmp_path / f"fold-{fold}" / "model").predict(noise())["logit"][0]
        for fold in range(2)
    ]
    assert both == pytest.approx(np.mean(each))


def test_a_broken_file_becomes_a_row_with_its_reason(tmp_path: Path) -> None:
    save(tmp_path / "model")
    good, text = tmp_path / "good.png", tmp_path / "text.jpg"
    Image.fromarray(noise()).save(good)
    text.write_text("this is no photograph")
    table = lentigo.load(tmp_path / "model").predict([text, good])
    assert table["image_id"].tolist() == ["text", "good"]
    assert math.isnan(table["probability"][0])
    assert "text.jpg" in table["reason"][0]
    assert 0 <= table["probability"][1] <= 1
    assert table["reason"][1].startswith("may be no dermoscopy")  # it is noise


def test_every_odd_real_file_has_a_probability_or_a_reason(
    shared: Path, tmp_path: Path
) -> None:
    save(tmp_path / "model")
    table = lentigo.load(tmp_path / "model").predict(shared / "data" / "odd")
    manifest = pd.read_csv(shared / "data/odd/manifest.csv")
    decodes = manifest.set_index(manifest["file"].map(lambda name: Path(name).stem))[
        "decodes_in_pillow"
    ].eq("yes")
    assert decodes.index.is_unique
    doubted = table["reason"].str.startswith("may be no dermoscopy")
    assert table["probability"].isna().equals((table["reason"] != "") & ~doubted)
    shown = table.set_index("image_id")["probability"].notna()
    listed = decodes.index.intersection(shown.index)
    assert len(listed) > 20
    assert shown[listed].to_dict() == decodes[listed].to_dict()


def test_a_folder_without_a_model_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="--resume"):
        lentigo.load(tmp_path)
    with pytest.raises(DatasetNotFoundError, match="no run or model folder"):
        lentigo.load(tmp_path / "nothing")


@pytest.mark.parametrize("damage", ['{"format": 1}', "{", '{"format": 99}'])
def test_a_damaged_description_is_named(tmp_path: Path, damage: str) -> None:
    save(tmp_path)
    (tmp_path / "model.json").write_text(damage)
    with pytest.raises(ModelError, match=r"model\.json"):
        lentigo.load(tmp_path)


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    save(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        lentigo.load(tmp_path)


def test_the_description_says_what_the_model_is_for(tmp_path: Path) -> None:
    save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    assert "not a medical device" in description["intended_use"]
    assert description["members"][0]["input"]["size"] == 32
    assert description["members"][0]["input"]["store_size"] == 48
    assert description["classes"] == ["not melanoma", "melanoma"]


def test_a_file_named_twice_in_a_list_has_two_rows_in_order(tmp_path: Path) -> None:
    save(tmp_path / "model")
    for name, seed in (("a", 1), ("b", 2)):
        Image.fromarray(noise(seed=seed)).save(tmp_path / f"{name}.png")
    paths = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "a.png"]
    table = lentigo.load(tmp_path / "model").predict(paths)
    assert table["image_id"].tolist() == ["a", "b", "a"]
    assert table["logit"][0] == table["logit"][2] != table["logit"][1]


def test_an_answer_that_is_no_number_is_a_row_with_its_reason(tmp_path: Path) -> None:
    save(tmp_path)
    model = lentigo.load(tmp_path)
    member = model.members[0]
    assert isinstance(member, TorchPredictor)
    with torch.no_grad():
        member.network.output.bias.fill_(math.nan)
    table = model.predict(noise())
    assert math.isnan(table["probability"][0])
    assert table["reason"][0].startswith("the network's answer is no number")


def test_a_photograph_of_something_else_keeps_its_number_and_is_doubted(
    tmp_path: Path,
) -> None:
    save(tmp_path)
    skin = np.full((64, 64, 3), (215, 170, 150), dtype=np.uint8)
    skin[20:44, 20:44] = (120, 80, 60)
    table = lentigo.load(tmp_path).predict([skin, noise(), np.zeros_like(skin)])
    assert table["probability"].notna().all()
    assert table["reason"][0] == ""
    assert "unlike dermoscopy" in table["reason"][1]
    assert "shows next to nothing" in table["reason"][2]


def test_no_image_is_an_error(tmp_path: Path) -> None:
    save(tmp_path)
    with pytest.raises(DatasetError, match="no image to predict"):
        lentigo.load(tmp_path).predict([])


def test_a_model_of_one_fold_learnt_from_that_fold_only(tmp_path: Path) -> None:
    table = pd.DataFrame({"image_id": ["a", "b"], "sha256": [None, None]})
    table.to_parquet(tmp_path / "table.parquet")
    for fold, roles in enumerate((["test", "train"], ["train", "test"])):
        folder = tmp_path / f"fold-{fold}" / "model"
        folder.mkdir(parents=True)
        rows = pd.DataFrame({"image_id": ["a", "b"], "role": roles})
        rows.to_csv(folder.parent / "roles.csv", index=False)
    predictions = pd.DataFrame(
        {"image_id": ["a", "b"], "path": ["a.jpg", "b.jpg"], "probability": [0.1, 0.2]}
    )
    for place, learnt in (("fold-0/model", ["b"]), ("fold-1", ["a"]), (".", ["a", "b"])):
        assert learnt_images(tmp_path / place, [predictions]) == learnt


def test_a_file_that_could_not_be_shown_is_not_looked_at_again(tmp_path: Path) -> None:
    images = [tmp_path / "good.png", tmp_path / "bad.png", tmp_path / "gone.png"]
    for image in images[:2]:
        image.write_bytes(b"the bytes that were learnt")
    sha256 = digest(images[0])
    table = pd.DataFrame({"image_id": ["learnt"], "sha256": [sha256]})
    table.to_parquet(tmp_path / "table.parquet")
    (tmp_path / "fold-0").mkdir()
    roles = pd.DataFrame({"image_id": ["learnt"], "role": ["train"]})
    roles.to_csv(tmp_path / "fold-0" / "roles.csv", index=False)
    predictions = pd.DataFrame(
        {
            "image_id": ["good", "bad", "gone"],
            "path": [str(image) for image in images],
            "probability": [0.5, math.nan, 0.5],
        }
    )
    assert learnt_images(tmp_path, [predictions]) == ["good"]


def test_what_is_no_image_of_any_kind_is_a_row_and_the_rest_is_predicted(
    tmp_path: Path,
) -> None:
    save(tmp_path / "model")
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(noise()).save(photos / "good.png")
    Image.fromarray(noise()).save(photos / "new\nline.png")
    os.mkfifo(photos / "pipe.jpg")
    (photos / "empty.jpg").touch()
    (photos / "loop.jpg").symlink_to("loop.jpg")
    (photos / "nowhere.jpg").symlink_to("gone.jpg")
    (photos / "zeros.jpg").symlink_to("/dev/zero")
    strange = Path(os.fsdecode(os.fsencode(photos) + b"/\xff.jpg"))
    with suppress(OSError):  # a disk that takes only names in UTF-8
        strange.write_text("no image")
    table = lentigo.load(tmp_path / "model").predict(photos).set_index("image_id")
    table.to_csv(tmp_path / "out.csv")
    assert set(table.index[table["probability"].notna()]) == {"good", "new\nline"}
    reasons = table["reason"].to_dict()
    assert "is no ordinary file" in reasons["pipe"]
    assert "is no ordinary file" in reasons["zeros"]
    assert "is empty" in reasons["empty"]
    assert "levels of symbolic links" in reasons["loop"]
    assert "does not exist" in reasons["nowhere"]
    if strange.exists():
        assert r"photos/\udcff.jpg holds no JPEG" in reasons[r"\udcff"]
