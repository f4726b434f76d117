"""ONNX files that somebody else wrote: plain networks, or refused in a line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import lentigo
from lentigo.errors import ModelError
from lentigo.files import digest
from lentigo.models.description import read_description
from lentigo.models.onnx_graph import OPERATORS, faults
from lentigo.models.patience import BASE, seconds_to_answer
from lentigo.models.schema import Cost

SIZE = 32
IMAGES = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 3, SIZE, SIZE])
LOGIT = helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["N"])
MEAN = [
    helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
    helper.make_node("ReduceMean", ["float"], ["logit"], axes=[1, 2, 3], keepdims=0),
]
"""A network whose logit is the mean brightness."""


def graph(nodes: list[Any], **parts: Any) -> Any:
    inputs = parts.pop("inputs", [IMAGES])
    return helper.make_graph(nodes, "g", inputs, parts.pop("outputs", [LOGIT]), **parts)


def network(nodes: list[Any] = MEAN, **parts: Any) -> Any:
    model = helper.make_model(
        graph(nodes, **parts), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    return model


def body() -> Any:
    """A graph inside a node, as loops and branches have it."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    constant = helper.make_node("Constant", [], ["x"], value_floats=[1.0])
    return helper.make_graph([constant], "inside", [], [value])


def external() -> Any:
    tensor = numpy_helper.from_array(np.zeros(1, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return tensor


def with_function() -> Any:
    model = network()
    model.functions.add().name = "own"
    return model


HOSTILE: dict[str, tuple[Callable[[], Any], str]] = {
    "a loop": (
        lambda: network([helper.make_node("Loop", ["", ""], ["y"], body=body()), *MEAN]),
        "no network of lentigo takes",
    ),
    "a branch": (
        lambda: network([helper.make_node("If", ["c"], ["y"], then_branch=body()), *MEAN]),
        "no network of lentigo takes",
    ),
    "a graph hidden in a plain node": (
        lambda: network([helper.make_node("Relu", ["x"], ["y"], body=body()), *MEAN]),
        "branches or loops",
    ),
    "weights in another file": (
        lambda: network(initializer=[external()]),
        "lie in another file",
    ),
    "a constant in another file": (
        lambda: network([helper.make_node("Constant", [], ["c"], value=external()), *MEAN]),
        "lie in another file",
    ),
    "an operator of somebody": (
        lambda: network([helper.make_node("Shell", ["x"], ["y"], domain="evil"), *MEAN]),
        "Shell",
    ),
    "a plain name of another set": (
        lambda: network([helper.make_node("Relu", ["x"], ["y"], domain="evil"), *MEAN]),
        "Relu",
    ),
    "functions of its own": (with_function, "functions of its own"),
    "another input": (
        lambda: network(
            inputs=[helper.make_tensor_value_info("x", TensorProto.UINT8, ["N", 3, 32, 32])]
        ),
        "something else than images",
    ),
    "two inputs": (lambda: network(inputs=[IMAGES, IMAGES]), "something else than images"),
    "numbers instead of images": (
        lambda: network(
            inputs=[
                helper.make_tensor_value_info(
                    "images", TensorProto.FLOAT, ["N", 3, SIZE, SIZE]
                )
            ]
        ),
        "does not take images of 32 × 32 pixels",
    ),
    "images of another size": (
        lambda: network(
            inputs=[
                helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 3, 64, 64])
            ]
        ),
        "does not take images of 32 × 32 pixels",
    ),
    "nothing": (lambda: network([]), "holds no network"),
    "a million steps": (
        lambda: network([helper.make_node("Relu", ["x"], ["x"])] * 20_001),
        "20,000 at most",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_plain_network_is_refused(name: str) -> None:
    make, said = HOSTILE[name]
    found = list(faults(make().SerializeToString(), channels=3, size=SIZE))
    assert any(said in each for each in found), found


def test_a_plain_network_has_no_fault() -> None:
    assert not list(faults(network().SerializeToString(), channels=3, size=SIZE))


@pytest.mark.parametrize("content", [b"\xff" * 100, b"\x80\x02}q\x00.", b"PK\x03\x04" * 9])
def test_what_is_no_onnx_is_refused(content: bytes) -> None:
    assert list(faults(content, channels=3, size=SIZE))


def test_no_operator_holds_a_graph_or_opens_a_file() -> None:
    assert not OPERATORS & {"If", "Loop", "Scan", "SequenceMap", "ImageDecoder", "Optional"}
    assert all(onnx.defs.has(name) for name in OPERATORS)


def folder_of(model: Any, folder: Path) -> Path:
    """A model folder, honestly described, whose only file is `model`."""
    folder.mkdir()
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    spec = {
        "size": SIZE, "mean": [0.5] * 3, "std": [0.5] * 3, "store_size": SIZE,
        "fit": "stretch", "max_pixels": 10**6, "mirror": False,
    }  # fmt: skip
    member = {
        "name": "a", "backbone": "test_resnet", "hidden": 0, "input": spec,
        "logit_shift": 100.0, "files": {"onnx": path.name},
    }  # fmt: skip
    known = {
        "format": 2,
        "members": [member],
        "classes": ["not melanoma", "melanoma"],
        "files": {path.name: {"sha256": digest(path)}},
    }
    (folder / "model.json").write_text(json.dumps(known))
    return folder


def test_a_folder_with_onnx_alone_answers(tmp_path: Path) -> None:
    model = lentigo.load(folder_of(network(), tmp_path / "m"))
    images = [np.full((SIZE, SIZE, 3), value, np.uint8) for value in (101, 98)]
    assert model.predict(images)["logit"].tolist() == [1.0, -2.0]


def huge(elements: int) -> Any:
    size = numpy_helper.from_array(np.array([elements], np.int64), "size")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["many"]),
        helper.make_node("ReduceMean", ["many"], ["one"], keepdims=0),
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Add", ["mean", "one"], ["logit"]),
    ]
    return network(nodes, initializer=[size])


@pytest.mark.parametrize("elements", [10**9, 10**15])
def test_a_network_that_would_take_all_memory_is_refused(
    tmp_path: Path, elements: int
) -> None:
    folder, began = folder_of(huge(elements), tmp_path / "m"), time.monotonic()
    with pytest.raises(ModelError, match="cannot be run by ONNX Runtime") as caught:
        lentigo.load(folder)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 10


def endless(*, folded: bool) -> Any:
    """Multiply large matrices again and again, of constants alone or of the image."""
    sides = numpy_helper.from_array(np.array([1000, 1000], np.int64), "sides")
    small = numpy_helper.from_array(np.array([1e-3], np.float32))
    nodes = [
        MEAN[0],
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["float"], ["seen"], keepdims=0),
        helper.make_node("ConstantOfShape", ["sides"], ["wide"], value=small),
        helper.make_node("Add", ["wide", "wide" if folded else "seen"], ["product0"]),
    ]
    for step in range(100):
        given = [f"product{step}", "wide"]
        nodes.append(helper.make_node("MatMul", given, [f"product{step + 1}"]))
    nodes += [
        helper.make_node("ReduceMean", ["product100"], ["one"], keepdims=0),
        helper.make_node("Add", ["mean", "one"], ["logit"]),
    ]
    return network(nodes, initializer=[sides])


@pytest.mark.parametrize("folded", [True, False])
def test_nobody_waits_for_a_network_that_computes_for_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folded: bool
) -> None:
    monkeypatch.setattr("lentigo.models.patience.BASE", 0.3)
    folder = folder_of(endless(folded=folded), tmp_path / "m")
    with pytest.raises(ModelError, match="seconds, far more than a network") as caught:
        lentigo.load(folder)
    assert "\n" not in str(caught.value)


def test_what_a_folder_says_of_its_cost_is_believed_as_far_as_its_file_allows(
    tmp_path: Path,
) -> None:
    folder = folder_of(network(), tmp_path / "m")
    [member] = read_description(folder).members
    greedy = member.model_copy(update={"cost": Cost(parameters=1, multiply_adds=10**12)})
    assert (
        seconds_to_answer(greedy, 8, size=1000) < BASE + 0.01
    )  # 1,000 weights, 256 places
    honest = member.model_copy(update={"cost": Cost(parameters=1, multiply_adds=10**9)})
    assert seconds_to_answer(honest, 8, size=10**8) == pytest.approx(BASE + 8)
    assert seconds_to_answer(greedy, 1, size=10**8) < BASE + 30


def test_a_network_that_answers_something_else_is_refused(tmp_path: Path) -> None:
    flat = [MEAN[0], helper.make_node("ReduceMean", ["float"], ["logit"], keepdims=0)]
    with pytest.raises(ModelError, match="no logit an image"):
        lentigo.load(folder_of(network(flat), tmp_path / "m"))


def of_all_images() -> Any:
    """Give one number for all images together."""
    one = numpy_helper.from_array(np.array([1], np.int64), "one")
    mean = helper.make_node("ReduceMean", ["float"], ["mean"], keepdims=0)
    shaped = helper.make_node("Reshape", ["mean", "one"], ["logit"])
    return network([MEAN[0], mean, shaped], initializer=[one])


def of_black_images() -> Any:
    """Fail for any image that is not black, as the one is that it is tried with."""
    most = numpy_helper.from_array(np.array([10**9], np.int64), "most")
    nodes = [
        MEAN[0],
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Cast", ["mean"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mul", ["whole", "most"], ["many"]),
        helper.make_node("ConstantOfShape", ["many"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["mean", "sum"], ["logit"]),
    ]
    return network(nodes, initializer=[most])


@pytest.mark.parametrize(
    ("make", "said"),
    [(of_all_images, "does not answer each"), (of_black_images, "cannot be run by ONNX")],
)
def test_a_network_that_fails_for_other_images_is_refused(
    tmp_path: Path, make: Callable[[], Any], said: str
) -> None:
    model = lentigo.load(folder_of(make(), tmp_path / "m"))
    with pytest.raises(ModelError, match=said) as caught:
        model.predict([np.full((SIZE, SIZE, 3), 200, np.uint8)] * 2)
    assert "\n" not in str(caught.value)
