"""Networks in 8-bit whole numbers, which have to rank held-out images alike."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from PIL import Image

import lentigo
from lentigo.errors import ModelError
from lentigo.export.agreement import AtThreshold, Int8Judged, judge_int8
from lentigo.inference.abstention.fit import make_index, seen, set_limit
from lentigo.models.backend import Images
from lentigo.models.description import read_description, write_folder
from lentigo.models.index import write_index
from lentigo.models.onnx_export import write_onnx
from lentigo.models.onnx_int8 import write_int8
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save

CONFIG = tiny_config(
    model__backbone="test_resnet", training__image_size=32, imaging__size=32
)


def views() -> Iterator[Images]:
    for start in range(0, 32, 8):
        squares = np.stack([noise(32, seed) for seed in range(start, start + 8)])
        yield squares.transpose(0, 3, 1, 2)


def quantised(folder: Path, seed: int) -> Path:
    """A model folder with a network as ONNX, exact and in 8 bits."""
    network = save(folder, seed=seed, config=CONFIG)
    write_onnx(network, folder / "model.onnx", size=32)
    write_int8(folder / "model.onnx", folder / "model-int8.onnx", views=views())
    described(folder)
    return folder


def described(folder: Path, *, index: str = "", limit: object = None) -> None:
    known = read_description(folder).model_dump(mode="json")
    known.pop("files")
    known["members"][0]["files"] |= {
        "onnx": "model.onnx", "onnx_int8": "model-int8.onnx"
    }  # fmt: skip
    if index:
        known["members"][0]["files"]["index"] = index
        known["members"][0]["abstention"] = limit
    write_folder(folder, known)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quantised(tmp_path_factory.mktemp("int8") / "model", seed=0)


@pytest.fixture(scope="module")
def held_out(model: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Images of which those are melanomas that the exact network ranks highest."""
    folder = tmp_path_factory.mktemp("held_out")
    for seed in range(100, 140):
        Image.fromarray(noise(32, seed)).save(folder / f"{seed}.png")
    table = lentigo.load(model, engine="onnx").predict(folder)
    high = table["logit"].rank(ascending=False) <= 5
    return table[["image_id", "path"]].assign(group_id=table["image_id"], melanoma=high)


@pytest.mark.parametrize(
    ("difference", "low", "high", "words"),
    [
        (-0.001, -0.002, 0.0005, "-0.0010 (-0.0020 to +0.0005)"),
        (0.0, float("nan"), float("nan"), "+0.0000 (no interval)"),
    ],
)
def test_an_interval_that_is_not_there_is_told_in_words(
    difference: float, low: float, high: float, words: str
) -> None:
    found = Int8Judged(
        engine="onnx-int8", images=8, melanomas=4, difference=difference, low=low,
        high=high, largest=0.01, refused=None, refused_exact=None,
    )  # fmt: skip
    assert found.difference_in_words == words


def test_eight_bits_answer_nearly_alike(model: Path) -> None:
    images = [noise(32, seed) for seed in range(50, 70)]
    exact, *small = (
        lentigo.load(model, engine=name).predict(images)["logit"].to_numpy()
        for name in ("onnx", "onnx-int8", "openvino-int8")
    )
    for each in small:
        assert np.corrcoef(exact, each)[0, 1] > 0.9
        assert np.abs(exact - each).max() > 0


def test_a_network_is_judged_alone_on_what_was_held_out_from_it(
    model: Path, held_out: pd.DataFrame, tmp_path: Path
) -> None:
    shutil.copytree(model, tmp_path / "same")
    shutil.copyfile(model / "model.onnx", tmp_path / "same" / "model-int8.onnx")
    described(tmp_path / "same")
    judged = judge_int8(tmp_path / "same", {"fold-0": held_out})
    assert [each.engine for each in judged] == ["onnx-int8", "openvino-int8"]
    for each, largest in zip(judged, (0, 1e-4), strict=True):  # OpenVINO rounds otherwise
        assert (each.images, each.melanomas, each.difference) == (40, 5, 0)
        assert each.largest <= largest


def test_several_networks_of_a_fold_are_judged_by_their_mean(
    model: Path, held_out: pd.DataFrame, tmp_path: Path
) -> None:
    folder = tmp_path / "two"
    shutil.copytree(model, folder)
    shutil.copyfile(folder / "model.onnx", folder / "model-int8.onnx")
    known = read_description(folder).model_dump(mode="json")
    known.pop("files")
    (member,) = known["members"]
    names = {kind: name for kind, name in member["files"].items() if name}
    for name in names.values():
        shutil.copyfile(folder / name, folder / f"second-{name}")
    second = {kind: f"second-{name}" for kind, name in names.items()}
    known["members"] = [
        {**member, "name": "fold-0 member-0"},
        {**member, "name": "fold-0 member-1", "files": {**member["files"], **second}},
    ]
    write_folder(folder, known)
    found, _ = judge_int8(folder, {"fold-0": held_out})
    assert (found.images, found.melanomas, found.difference) == (40, 5, 0)


@pytest.fixture(scope="module")
def abstaining(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that knows what is strange; its 8-bit file is the exact one."""
    folder = tmp_path_factory.mktemp("abstaining") / "model"
    shutil.copytree(model, folder)
    shutil.copyfile(folder / "model.onnx", folder / "model-int8.onnx")
    (predictor,) = lentigo.load(folder, engine="torch").members
    learnt, chosen = (
        seen(predictor, [np.stack([noise(32, seed) for seed in range(start, stop)])])
        for start, stop in ((1000, 1300), (2000, 2060))
    )
    assert learnt is not None
    assert chosen is not None
    names = [str(seed) for seed in range(300)]
    rows = pd.DataFrame({"image_id": names, "group_id": names, "melanoma": False})
    index = make_index(learnt, rows.assign(diagnosis=None))
    write_index(index, folder / "index.npz")
    limit = set_limit(index, chosen, names[:60], set_on="noise")
    described(folder, index="index.npz", limit=limit.model_dump(mode="json"))
    return folder


def test_what_is_refused_is_told_beside_what_the_exact_network_refuses(
    abstaining: Path, held_out: pd.DataFrame
) -> None:
    found, _ = judge_int8(abstaining, {"fold-0": held_out})
    assert found.refused == found.refused_exact
    assert found.refused is not None
    table = lentigo.load(abstaining, engine="onnx").predict(list(held_out["path"]))
    assert found.refused.value == (table["abstain"] == "yes").mean() < 0.2


def test_one_that_ranks_alike_and_refuses_all_is_refused(
    abstaining: Path, held_out: pd.DataFrame, tmp_path: Path
) -> None:
    shutil.copytree(abstaining, tmp_path / "shy")
    file = tmp_path / "shy" / "model-int8.onnx"
    network = onnx.load(file)
    (last,) = (node for node in network.graph.node if "early" in node.output)
    last.output[0] = "lower"
    network.graph.node.append(onnx.helper.make_node("Neg", ["lower"], ["early"], "shy"))
    onnx.save(network, file)
    described(tmp_path / "shy")
    with pytest.raises(
        ModelError, match=r"\(onnx-int8\) refuses 100\.0% of 40 .* 5% more are allowed"
    ):
        judge_int8(tmp_path / "shy", {"fold-0": held_out})


def shifted(model: Path, folder: Path, *, by: float, threshold: float) -> Path:
    """A copy whose 8-bit file is the exact network plus `by`, with one threshold."""
    shutil.copytree(model, folder)
    network = onnx.load(folder / "model.onnx")
    name = network.graph.output[0].name
    (last,) = (node for node in network.graph.node if name in node.output)
    last.output[0] = "before"
    value = onnx.helper.make_tensor("by", onnx.TensorProto.FLOAT, [1], [by])
    network.graph.initializer.append(value)
    network.graph.node.append(onnx.helper.make_node("Add", ["before", "by"], [name]))
    onnx.save(network, folder / "model-int8.onnx")
    known = read_description(folder).model_dump(mode="json", exclude={"files"})
    known["operating_points"] = [
        {"name": "sensitivity_90", "kind": "guaranteed_sensitivity", "sensitivity": 0.9,
         "confidence": 0.95, "threshold": threshold, "chosen_on": "validation images"}
    ]  # fmt: skip
    write_folder(folder, known)
    return folder


def test_calls_at_a_stored_threshold_are_told_and_may_not_be_lost(
    model: Path, held_out: pd.DataFrame, tmp_path: Path
) -> None:
    table = lentigo.load(model, engine="onnx").predict(list(held_out["path"]))
    lowest, second = sorted(table.loc[held_out["melanoma"].to_numpy(), "probability"])[:2]
    between = float(lowest + second) / 2
    fine = shifted(model, tmp_path / "fine", by=0.0, threshold=between)
    (calls,) = judge_int8(fine, {"fold-0": held_out})[0].calls
    assert calls == AtThreshold(name="sensitivity_90", melanomas=5, found=4, found_exact=4)
    low = shifted(model, tmp_path / "low", by=-9.0, threshold=between)
    with pytest.raises(ModelError, match=r"finds 0 of 5 held-out melanomas and .* one 4;"):
        judge_int8(low, {"fold-0": held_out})
    for engine, guaranteed in (("onnx", True), ("onnx-int8", False)):
        (point,) = lentigo.load(fine, engine=engine).operating_points
        assert ("guaranteed with 95 % confidence" in point.aim) is guaranteed
        assert ("of this one nothing is guaranteed" in point.aim) is not guaranteed


def test_early_features_stay_exact_where_they_are_asked_for(
    abstaining: Path, tmp_path: Path
) -> None:
    images = np.stack([noise(32, seed) for seed in range(50, 58)])
    apart = {}
    for exact in ((), ("early",)):
        folder = tmp_path / f"exact-{len(exact)}"
        shutil.copytree(abstaining, folder)
        write_int8(
            folder / "model.onnx", folder / "model-int8.onnx", views=views(), exact=exact
        )
        described(folder)
        early = []
        for name in ("onnx", "onnx-int8"):
            (network,) = lentigo.load(folder, engine=name).members
            looked = network.looked(images)
            assert looked is not None
            assert looked.early is not None
            early.append(looked.early)
        apart[exact] = np.abs(early[0] - early[1]).max()
    # The last of the maps is rounded to 8 bits for the layers behind it.
    assert 0 < apart["early",] < apart[()] / 5


def test_one_that_ranks_otherwise_is_refused(
    model: Path, held_out: pd.DataFrame, tmp_path: Path
) -> None:
    shutil.copytree(model, tmp_path / "other")
    other = save(tmp_path / "another", seed=5, config=CONFIG)
    write_onnx(other, tmp_path / "other" / "model-int8.onnx", size=32)
    described(tmp_path / "other")
    with pytest.raises(ModelError, match=r"0\.002 is allowed\. Export without --int8"):
        judge_int8(tmp_path / "other", {"fold-0": held_out})
