"""Age, sex and site as numbers, fused with the features of the image, in every engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

import lentigo
from lentigo.config import ModelConfig
from lentigo.errors import DatasetError, ModelError
from lentigo.models.backend import Predictor
from lentigo.models.card import card_text
from lentigo.models.classifier import Classifier
from lentigo.models.description import read_description, write_folder
from lentigo.models.engines import load_predictor
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.fusion import UNITS, Fusion
from lentigo.models.metadata import Fusion as Kind
from lentigo.models.metadata import MetadataEncoding, Patients
from lentigo.models.network import build_model
from lentigo.models.onnx_export import write_onnx
from lentigo.models.onnx_int8 import write_int8
from tests.cohorts import tiny_config

KINDS: tuple[Kind, ...] = ("late", "film")

FOUR = Patients.of(
    [40, 60, None, 50],
    ["female", None, "male", "female"],
    ["torso", "head/neck", pd.NA, "torso"],
)
"""Mean age 50, standard deviation the root of (100 + 100 + 0) / 3, 8.165."""


def encoding(kind: Kind = "late") -> MetadataEncoding:
    return MetadataEncoding.fitted(FOUR, kind)


def test_each_value_has_its_number_and_each_missing_one_its_own() -> None:
    found = encoding()
    assert (found.sexes, found.sites) == (["female", "male"], ["head/neck", "torso"])
    age = 10 / 8.16496580927726
    expected: list[list[float]] = [
        # age, missing, female, male, missing, head/neck, torso, missing
        [-age, 0, 1, 0, 0, 0, 1, 0],
        [age, 0, 0, 0, 1, 1, 0, 0],
        [0, 1, 0, 1, 0, 0, 0, 1],
        [0, 0, 1, 0, 0, 0, 1, 0],
    ]
    np.testing.assert_allclose(found.encode(FOUR), expected, rtol=1e-6)
    assert found.width == 8


def test_a_word_that_nobody_had_is_missing() -> None:
    new = Patients.of([None], ["female"], ["palms/soles"])
    assert encoding().encode(new).tolist() == [[0, 1, 1, 0, 0, 0, 0, 1]]
    assert encoding().used(new) == [("sex",)]


def test_of_an_unknown_patient_all_is_missing() -> None:
    found = encoding()
    row = found.encode(Patients.unknown(1))
    assert row.tolist() == [found.unknown] == [[0, 1, 0, 0, 1, 0, 0, 1]]
    assert found.encode(None, count=2).tolist() == [found.unknown] * 2
    assert found.used(Patients.unknown(1)) == [()]


def test_what_no_image_has_cannot_be_fused() -> None:
    with pytest.raises(DatasetError, match=r"None of 3 training images has an age"):
        MetadataEncoding.fitted(Patients.unknown(3), "late")


def test_one_age_alone_divides_by_no_zero() -> None:
    one = MetadataEncoding.fitted(Patients.of([50, 50], ["male"] * 2, [None] * 2), "film")
    assert one.encode(Patients.of([51], [None], [None]))[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sites": ["moon"]},
        {"sexes": ["male", "female"]},
        {"sexes": ["male", "male"]},
        {"age_std": 0.0},
        {"age_mean": float("nan")},
        {"fusion": "pickle"},
        {"more": 1},
    ],
)
def test_a_description_from_anybody_is_checked(wrong: dict[str, object]) -> None:
    known = encoding().model_dump()
    MetadataEncoding.model_validate(known)
    with pytest.raises(ValidationError):
        MetadataEncoding.model_validate({**known, **wrong})


def by_hand(kind: Kind) -> Fusion:
    """A fusion of two features whose first unit is the age above the mean."""
    fusion = Fusion(encoding(kind), features=2)
    dense = fusion.inner[0]
    assert isinstance(dense, torch.nn.Linear)
    torch.nn.init.zeros_(dense.weight)
    torch.nn.init.zeros_(dense.bias)
    with torch.no_grad():
        dense.weight[0, 0] = 1.0
    return fusion


OLDER = torch.tensor([[2.0, 0, 0, 0, 1, 0, 0, 1], [-1.0, 0, 0, 0, 1, 0, 0, 1]])
"""Two standard deviations above the mean, and one below."""
FEATURES = torch.tensor([[3.0, 5.0], [3.0, 5.0]])


def test_late_fusion_puts_the_patient_beside_the_image() -> None:
    fused = by_hand("late")(FEATURES, OLDER)
    assert fused.shape == (2, 2 + UNITS)
    assert fused[:, :3].tolist() == [[3, 5, 2], [3, 5, 0]]  # below zero ReLU gives 0
    assert not fused[:, 3:].any()


def test_film_scales_and_shifts_each_feature() -> None:
    """γ is 0.5 and 0 a unit, β 0 and 10, so 3 · (1 + 2 · 0.5) = 6 and 5 + 2 · 10 = 25."""
    fusion = by_hand("film")
    assert torch.equal(fusion(FEATURES, OLDER), FEATURES)  # it begins as the image alone
    assert fusion.modulation is not None
    with torch.no_grad():
        fusion.modulation.weight[:, 0] = torch.tensor([0.5, 0.0, 0.0, 10.0])
    assert fusion(FEATURES, OLDER).tolist() == [[6, 25], [3, 5]]


CONFIG = tiny_config(model__backbone="test_resnet", training__views=2)


def network_of(kind: Kind, classes: tuple[str, ...] = ()) -> Classifier:
    """A random network on which both age and image have a say."""
    torch.manual_seed(3)
    given = ModelConfig.model_validate(
        {"backbone": "test_resnet", "pretrained": False, "metadata": kind}
    )
    network = build_model(given, metadata=encoding(kind), classes=classes).eval()
    assert network.fusion is not None
    for name, weight in network.fusion.named_parameters():
        if name.startswith("modulation"):
            torch.nn.init.normal_(weight, std=0.1)
    return network


def folder_of(folder: Path, kind: Kind, classes: tuple[str, ...] = ()) -> Path:
    network = network_of(kind, classes)
    card = ModelCard(
        logit_shift=0.0, prevalence=0.1, training_images=4, training_groups=4,
        archives=[], best_epoch=1, validation_auc=0.5,
    )  # fmt: skip
    save_model_folder(network, folder, card=card, config=CONFIG)
    write_onnx(network, folder / "model.onnx", size=32)
    views = np.random.default_rng(0).integers(0, 256, (8, 3, 32, 32), dtype=np.uint8)
    write_int8(
        folder / "model.onnx", folder / "model-int8.onnx", views=iter([views]),
        unknown=encoding(kind).unknown,
    )  # fmt: skip
    known = read_description(folder).model_dump(mode="json")
    known.pop("files")
    known["members"][0]["files"] |= {
        "onnx": "model.onnx", "onnx_int8": "model-int8.onnx"
    }  # fmt: skip
    write_folder(folder, known)
    return folder


@pytest.fixture(scope="module", params=[("late", ()), ("film", ("melanoma", "nevus"))])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind, classes = request.param
    return folder_of(tmp_path_factory.mktemp("fused") / kind, kind, classes)


SQUARES = np.random.default_rng(1).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def engines(model: Path) -> dict[str, Predictor]:
    return {
        name: load_predictor(model, engine=name) for name in ("torch", "onnx", "openvino")
    }


def test_all_engines_answer_alike_with_and_without(model: Path) -> None:
    found = engines(model)
    known = encoding().encode(FOUR)
    assert all(each.metadata is not None for each in found.values())
    given = {name: each.answers(SQUARES, metadata=known) for name, each in found.items()}
    bare = {name: each.answers(SQUARES) for name, each in found.items()}
    for name in ("onnx", "openvino"):
        np.testing.assert_allclose(given[name], given["torch"], atol=1e-5)
        np.testing.assert_allclose(bare[name], bare["torch"], atol=1e-5)
    assert np.abs(given["torch"] - bare["torch"])[0].min() > 1e-4
    as_unknown = encoding().encode(None, count=4)
    for each in found.values():
        np.testing.assert_array_equal(
            each.answers(SQUARES, metadata=as_unknown), each.answers(SQUARES)
        )


def test_the_small_network_takes_them_too(model: Path) -> None:
    small, exact = (load_predictor(model, engine=name) for name in ("onnx-int8", "onnx"))
    known = encoding().encode(FOUR)
    given = small.answers(SQUARES, metadata=known)
    # What the patient changes is computed exactly, so it is the same in 8 bits.
    changed = given[0] - small.answers(SQUARES)[0]
    exactly = exact.answers(SQUARES, metadata=known)[0] - exact.answers(SQUARES)[0]
    np.testing.assert_allclose(changed, exactly, atol=0.05)
    assert np.abs(changed).min() > 1e-4


def test_features_are_those_of_the_image_whoever_has_it(model: Path) -> None:
    known = encoding().encode(FOUR)
    for each in engines(model).values():
        given, bare = each.looked(SQUARES, metadata=known), each.looked(SQUARES)
        assert given is not None
        assert bare is not None
        np.testing.assert_array_equal(given.features, bare.features)
        np.testing.assert_allclose(given.answers, each.answers(SQUARES, metadata=known))


def test_an_answer_depends_on_no_other_image(model: Path) -> None:
    """Alone, in another order, and beside images of which nothing is known."""
    known = encoding().encode(FOUR)
    for each in engines(model).values():
        whole = each.answers(SQUARES, metadata=known)
        order = [2, 0, 3, 1]
        turned = each.answers(SQUARES[order], metadata=known[order])
        np.testing.assert_allclose(turned, whole[:, order], atol=1e-6)
        for place in range(4):
            one = slice(place, place + 1)
            alone = each.answers(SQUARES[one], metadata=known[one])
            np.testing.assert_allclose(alone, whole[:, one], atol=1e-6)


def test_a_network_is_taken_for_no_other(model: Path) -> None:
    """Of a description with another encoding neither file is believed."""
    description = read_description(model)
    (member,) = description.members
    assert member.metadata is not None
    fewer = member.metadata.model_copy(update={"sites": ["torso"]})
    from lentigo.models import onnx_engine, torch_engine

    for module in (onnx_engine, torch_engine):
        for wrong in (fewer, None):
            other = member.model_copy(update={"metadata": wrong})
            with pytest.raises(ModelError):
                module.load_member(model, description, other)


def test_a_table_is_answered_with_what_it_says(model: Path, tmp_path: Path) -> None:
    """Each row as its own patient, and the column metadata says what was used."""
    from PIL import Image

    paths = []
    for number, square in enumerate(SQUARES):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(square).save(paths[-1])
    table = pd.DataFrame(
        {
            "image_id": list("abcd"), "path": [str(path) for path in paths],
            "age": FOUR.age, "sex": [each or None for each in FOUR.sex],
            "site": [each or None for each in FOUR.site],
        }
    )  # fmt: skip
    loaded = lentigo.load(model, engine="onnx")
    found = loaded.predict(table, abstain=False)
    assert found["metadata"].tolist() == [
        "age, sex, site", "age, site", "sex", "age, sex, site"
    ]  # fmt: skip
    assert list(found)[-1] == "reason"
    predictor = load_predictor(model, engine="onnx")
    expected = predictor.answers(SQUARES, metadata=encoding().encode(FOUR))[0]
    np.testing.assert_allclose(found["logit"], expected, atol=1e-6)
    bare = loaded.predict(paths, abstain=False)
    assert set(bare["metadata"]) == {"none"}
    np.testing.assert_allclose(bare["logit"], predictor.answers(SQUARES)[0], atol=1e-6)
    # The same whatever came beside it.
    mixed = loaded.predict(table.iloc[[3, 1]], batch_size=1, abstain=False)
    np.testing.assert_allclose(mixed["logit"], found["logit"].iloc[[3, 1]], atol=1e-6)


def test_the_card_names_what_the_networks_take(model: Path) -> None:
    known = read_description(model)
    assert "of the patient, as far as they are known: age, sex and site." in card_text(
        known
    )
    (member,) = known.members
    assert member.metadata is not None
    fewer = member.metadata.model_copy(update={"sexes": [], "age_mean": 0.0})
    without = [member.model_copy(update={"metadata": each}) for each in (fewer, None)]
    some, none = (
        card_text(known.model_copy(update={"members": [each]})) for each in without
    )
    assert "as far as they are known: site." in some
    assert "of the patient" not in none
