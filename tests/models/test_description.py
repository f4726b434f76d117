"""What a model folder says of itself: today's format, and that of older versions."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import lentigo
from lentigo.cli.model_schema import schema_text
from lentigo.errors import ModelError
from lentigo.files import digest
from lentigo.models.description import check_folder, checked_file, read_description
from lentigo.models.schema import (
    Cost,
    Description,
    InputDescription,
    Member,
    MemberFiles,
)
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save


def as_format_one(folder: Path) -> None:
    """Write `model.json` as the first version of lentigo did."""
    new = json.loads((folder / "model.json").read_text())
    member = new["members"][0]
    old: dict[str, Any] = {
        "format": 1,
        **{key: member[key] for key in ("backbone", "backbone_args", "hidden", "input")},
        "classes": new["classes"],
        "output": new["output"],
        "logit_shift": member["logit_shift"],
        "prevalence": 0.1,
        "training_images": 10,
        "training_groups": 5,
        "datasets": ["ham10000"],
        "best_epoch": 3,
        "validation_auc": 0.75,
        "operating_points": [{"name": "sensitivity_95", "threshold": 0.2}],
        "recipe": "quick",
        "seed": 7,
        "weights_sha256": digest(folder / "model.safetensors"),
        "versions": {"lentigo": "0.1.0"},
        "licence": "that of the images",
        "intended_use": "none",
        "noted_by_somebody": 1,
    }
    (folder / "model.json").write_text(json.dumps(old))
    (folder / "card.md").unlink()


def test_a_folder_of_format_one_answers_as_before(tmp_path: Path) -> None:
    save(tmp_path, shift=0.5)
    today = lentigo.load(tmp_path).predict(noise())
    as_format_one(tmp_path)
    assert lentigo.load(tmp_path).predict(noise())["logit"][0] == today["logit"][0]


def test_what_format_one_said_is_known_in_format_two(tmp_path: Path) -> None:
    save(tmp_path, shift=0.5)
    as_format_one(tmp_path)
    known = read_description(tmp_path)
    assert known.prevalence == 0.1
    assert (known.training.images, known.training.groups) == (10, 5)
    assert known.training.archives[0].name == "ham10000"
    assert (known.training.recipe, known.training.seed) == ("quick", 7)
    assert known.operating_points[0]["threshold"] == 0.2
    assert known.members[0].logit_shift == 0.5
    assert known.members[0].validation_auc == 0.75


def test_every_file_of_a_folder_stands_in_it_with_its_digest(tmp_path: Path) -> None:
    save(tmp_path)
    known = read_description(tmp_path)
    assert sorted(known.files) == ["card.md", "model.safetensors"]
    for name, facts in known.files.items():
        assert facts.sha256 == digest(tmp_path / name)
        assert facts.bytes == (tmp_path / name).stat().st_size
        assert checked_file(tmp_path, known, name) == tmp_path / name


def test_a_changed_file_is_told_from_the_one_described(tmp_path: Path) -> None:
    save(tmp_path)
    known = read_description(tmp_path)
    text = (tmp_path / "card.md").read_bytes()
    (tmp_path / "card.md").write_bytes(text.replace(b"0", b"1", 1))
    with pytest.raises(ModelError, match=r"card\.md is not the file that model\.json"):
        checked_file(tmp_path, known, "card.md")


def test_a_missing_file_is_named_before_anything_is_loaded(tmp_path: Path) -> None:
    save(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no file .*model\.safetensors"):
        check_folder(tmp_path)


def test_no_place_of_whoever_trained_stands_in_it(tmp_path: Path) -> None:
    config = tiny_config(imaging__store="/home/jane-doe/pixels")
    save(tmp_path, config=config)
    written = (tmp_path / "model.json").read_text() + (tmp_path / "card.md").read_text()
    assert "jane-doe" not in written
    assert read_description(tmp_path).settings["recipe"] == config.recipe


def test_the_card_names_what_the_model_is_and_is_not_for(tmp_path: Path) -> None:
    save(tmp_path)
    card = (tmp_path / "card.md").read_text()
    assert "not a medical device" in card.split("##")[0]
    assert "shown to the network at 32 × 32 (rgb), once more mirrored" in card
    assert "10 images of 5 groups." in card
    assert "10 % melanomas" in card


def test_the_schema_that_is_shipped_is_that_of_the_code() -> None:
    shipped = files("lentigo") / "models" / "model.schema.json"
    assert shipped.read_text(encoding="utf-8") == schema_text(), "make docs"


def test_the_page_names_every_field() -> None:
    page = (Path(__file__).parents[2] / "docs/model-folder.md").read_text(encoding="utf-8")
    for part in (Description, Member, InputDescription, MemberFiles, Cost):
        for name in part.model_fields:
            assert f"`{name}`" in page, f"{part.__name__}.{name}"


def test_a_folder_that_says_mirror_is_read_as_views(tmp_path: Path) -> None:
    """As it was called before there were eight of them."""
    save(tmp_path)
    today = lentigo.load(tmp_path).predict(noise())
    path = tmp_path / "model.json"
    described = json.loads(path.read_text())
    seen = described["members"][0]["input"]
    assert seen.pop("views") == 2
    path.write_text(json.dumps({**described, "members": [
        {**described["members"][0], "input": {**seen, "mirror": True}}
    ]}))  # fmt: skip
    assert lentigo.load(tmp_path).predict(noise()).equals(today)


@pytest.mark.parametrize(
    "names", [["nevus", "other"], ["melanoma"], ["melanoma", "nevus", "nevus"]]
)
def test_diagnoses_are_melanoma_and_others_each_once(
    names: list[str], tmp_path: Path
) -> None:
    save(tmp_path)
    path = tmp_path / "model.json"
    described = json.loads(path.read_text())
    described["members"][0]["diagnoses"] = names
    path.write_text(json.dumps(described))
    with pytest.raises(ModelError, match="melanoma is one of several diagnoses"):
        read_description(tmp_path)


def test_diagnoses_that_the_weights_do_not_have_are_refused(tmp_path: Path) -> None:
    save(tmp_path)
    path = tmp_path / "model.json"
    described = json.loads(path.read_text())
    described["members"][0]["diagnoses"] = ["melanoma", "nevus", "other"]
    path.write_text(json.dumps(described))
    with pytest.raises(ModelError, match=r"does not fit model\.json"):
        lentigo.load(tmp_path)
