"""Model folders that somebody else wrote: loaded as they are, or refused in a line."""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import time
from collections.abc import Callable
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import lentigo
from lentigo.errors import LentigoError, ModelError
from lentigo.files import digest
from lentigo.models.card import card_text
from lentigo.models.description import checked_file, points_of, read_description
from lentigo.models.holes import is_hollow
from lentigo.models.weights_header import length_by_header
from tests.cohorts import tiny_config
from tests.inference.test_predict import save

CONFIG = tiny_config(model__backbone="test_resnet")
"""The smallest network of timm: 0.5 million weights."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "model", config=CONFIG)
    return tmp_path / "model"


MEMBER = ("input", "backbone", "backbone_args", "hidden", "logit_shift", "cost")
"""Fields that stand in a member, not at the top."""


def changed(folder: Path, **fields: Any) -> None:
    """Write `model.json` anew; `input__size` is a field of the first member's `input`."""
    path = folder / "model.json"
    description = json.loads(path.read_text())
    for name, value in fields.items():
        *places, last = name.split("__")
        part = description["members"][0] if (places or [last])[0] in MEMBER else description
        for place in places:
            part = part[place]
        part[last] = value
    path.write_text(json.dumps(description))


MOST_WORK, MOST_MEMORY = 5, 2**30
"""Seconds of a core, and bytes beside what the process holds, that a folder may cost."""


def refused(folder: Path, match: str) -> None:
    # What was freed by the tests before is held by the process, and would hide a growth.
    ctypes.CDLL(None).malloc_trim(0)
    began, held = time.process_time(), memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    with pytest.raises(ModelError, match=match) as caught:
        lentigo.load(folder)
    assert "\n" not in str(caught.value)
    assert time.process_time() - began < MOST_WORK
    assert memory("VmHWM") - held < MOST_MEMORY


def memory(field: str) -> int:
    """Bytes that this process holds now (`VmRSS`) or held at most (`VmHWM`)."""
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{field}:")[1].split()[0]) * 1024


def test_a_threshold_that_makes_no_sense_is_no_reason_not_to_load(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """But it is told: another one may decide in its place, or none."""
    whole = {"name": "youden", "kind": "youden", "threshold": 0.3}
    odd = {**whole, "name": "\x1b[31mmine", "threshold": "0.3; no"}
    changed(folder, operating_points=[{"threshold": 0.3}, whole, odd])
    model = lentigo.load(folder)
    assert model.members[0].preparation.max_pixels == 100_000_000
    assert [each.name for each in model.operating_points] == ["youden"]
    (told,) = [each.getMessage() for each in caplog.records]
    assert "2 thresholds cannot be read and are left out: without a name, " in told
    assert "\x1b" not in told
    caplog.clear()
    assert [each.name for each in points_of(folder)] == ["youden"]
    assert told in caplog.text
    assert "cannot be read: without a name and " in card_text(read_description(folder))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"input__fit": "squash"}, "input.fit"),
        ({"input__size": 10**9}, "input.size"),
        ({"input__size": 64.5}, "input.size"),
        ({"input__size": True}, "input.size"),
        ({"input__store_size": 0}, "input.store_size"),
        ({"input__std": [0, 1, 1]}, "std"),
        ({"input__std": [0.2, 0.2]}, "one number a channel"),
        ({"input__mean": ["a", 1, 1]}, "input.mean.0"),
        ({"input__mirror": "yes"}, "input.mirror"),
        ({"input__view": ["x-ray"]}, "view"),
        ({"input__sharpen": 2}, "input.sharpen"),
        ({"format": "1"}, "format"),
        ({"format": 3}, "later lentigo"),
        ({"something_new": 1}, "something_new"),
        ({"hidden": 10**10}, "hidden"),
        ({"logit_shift": None}, "logit_shift"),
        ({"logit_shift": 1e300}, "logit_shift"),
        ({"classes": ["melanoma", "benign"]}, "second class is melanoma"),
        ({"backbone": "hf-hub:someone/model"}, "no place"),
        ({"backbone": "local-dir:/tmp"}, "no place"),
        ({"backbone_args": {"checkpoint_path": "/etc/passwd"}}, "checkpoint_path is not"),
        ({"backbone_args": {"pretrained_cfg": {"file": "x"}}}, "pretrained_cfg is not"),
        ({"backbone_args": {"img_size": 10**9}}, "img_size is a whole number"),
        ({"backbone_args": {"img_size": 64}}, "img_size"),
        ({"backbone_args": {"act_layer": "os.system"}}, "act_layer is one of"),
        ({"backbone_args": {"drop_rate": 10**400}}, "drop_rate is a number from 0"),
        ({"settings": {"a": "\ud800"}}, "letters that no file can hold"),
        ({"backbone": "vit_giant_patch14_224"}, "does not fit"),
        ({"hidden": 4096}, "does not fit"),
        ({"members": []}, "members"),
        ({"members": [{}] * 1000}, "members"),
        ({"files": {}}, "files says nothing of model.safetensors"),
        ({"files": {"../model.json": {"sha256": "0" * 64}}}, "files"),
        ({"files__model.safetensors": {"sha256": "0" * 64}}, "is not the file"),
        ({"files__model.safetensors__bytes": 3}, "is not the file"),
        ({"files__model.safetensors__sha256": None}, "sha256"),
        ({"prevalence": 2}, "prevalence"),
        ({"training": {"images": -1}}, "training.images"),
        ({"cost": {"parameters": 1e99}}, "cost.parameters"),
        ({"abstention": {"signals": [], "limit": 1.0}}, "a limit and no signal"),
    ],
)
def test_what_no_model_says_is_refused(
    folder: Path, fields: dict[str, Any], said: str
) -> None:
    changed(folder, **fields)
    refused(folder, said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b'{"format": 1, "format": 1}', "is there twice"),
        (b'{"format": NaN}', "NaN is no number"),
        (b'{"format": 1e999}', "too large a number"),
        (b"\xff\xfe{}", "no UTF-8"),
        (b"[]", "no JSON object"),
        (b" " * 2_000_000, "longer than"),
        (b"9" * 5000, "JSON"),
    ],
)
def test_what_is_no_plain_json_is_refused(folder: Path, content: bytes, said: str) -> None:
    (folder / "model.json").write_bytes(content)
    refused(folder, said)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
@pytest.mark.parametrize(
    "put",
    [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")],
    ids=["pipe", "folder", "device"],
)
def test_what_is_no_ordinary_file_is_never_waited_for(
    folder: Path, name: str, put: Callable[[Path], None]
) -> None:
    (folder / name).unlink()
    put(folder / name)
    refused(folder, f"{name} is no ordinary file")


def test_a_file_of_terabytes_is_refused_before_it_is_read(folder: Path) -> None:
    """It takes no place on a disk, and says of itself what it likes."""
    for name, size in (("model.onnx", 3 * 10**9), ("model.safetensors", 10**12)):
        with (folder / name).open("wb") as file:
            file.truncate(size)
        changed(folder, **{f"files__{name}": {"sha256": "0" * 64}})
        with pytest.raises(ModelError, match="GB, and lentigo writes no such file"):
            checked_file(folder, read_description(folder), name)


def test_weights_longer_than_their_tensors_or_their_network_are_not_digested(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 15.9 GB, none of which is on the disk: `calibrate` and `export` copied them."""
    path, size = folder / "model.safetensors", 15_900_000_000
    monkeypatch.setattr("lentigo.models.description.digest", lambda _: pytest.fail("read"))
    changed(folder, **{"files__model.safetensors": {"sha256": "0" * 64, "bytes": size}})
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(ModelError, match="tensors that need another length"):
        checked_file(folder, read_description(folder), path.name)
    header = json.dumps({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, size]}})
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header.encode())
        file.truncate(8 + len(header) + size)
    (folder / "model.onnx").write_bytes(b"0" * 1000)
    changed(folder, **{"files__model.onnx": {"sha256": "0" * 64}})
    content = json.loads((folder / "model.json").read_text())
    content["members"][0]["files"]["onnx"] = "model.onnx"
    facts = {"sha256": "0" * 64, "bytes": 8 + len(header) + size}
    content["files"]["model.safetensors"] = facts
    (folder / "model.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"longer than 0.1 GB, and lentigo writes"):
        checked_file(folder, read_description(folder), path.name)


@pytest.mark.skipif(not hasattr(os, "SEEK_HOLE"), reason="no system call tells holes")
@pytest.mark.parametrize("name", ["model.onnx", "index.npz"])
def test_a_file_of_holes_is_refused_before_it_is_digested(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of 1.99 GB, just below the limit, takes 3 KB of a disk; it kept a core 5 s."""
    size = 1_990_000_000
    monkeypatch.setattr("lentigo.models.description.digest", lambda _: pytest.fail("read"))
    changed(folder, **{f"files__{name}": {"sha256": "0" * 64, "bytes": size}})
    with (folder / name).open("wb") as file:
        for place in range(5):  # data here and there
            file.seek(place * 100_000_000)
            file.write(b"PK" * 500)
        file.truncate(size)
    with pytest.raises(ModelError, match="most of it are holes"):
        checked_file(folder, read_description(folder), name)


def test_a_file_that_is_full_is_not_hollow(tmp_path: Path) -> None:
    with (tmp_path / "full").open("wb") as file:
        for _ in range(101):
            file.write(b"x" * 1_000_000)
    with (tmp_path / "full").open("rb") as file:
        file.seek(7)
        assert not is_hollow(file, 101_000_000)
        assert file.tell() == 7


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b'{"a": 1}', b'{"a": {"data_offsets": [0, "x"]}}']
)
def test_a_header_that_says_nothing_gives_no_length(content: bytes) -> None:
    whole = len(content).to_bytes(8, "little") + content
    assert length_by_header(BufferedReader(BytesIO(whole))) in {None, 8 + len(content)}


def test_the_bound_on_pixels_can_be_lowered_and_not_lifted(folder: Path) -> None:
    for given, kept in ((10**12, 100_000_000), (1000, 1000)):
        changed(folder, input__max_pixels=given)
        assert lentigo.load(folder).members[0].preparation.max_pixels == kept


def described_anew(folder: Path) -> None:
    """Say of the weights what they are now, as an attacker would."""
    path = folder / "model.safetensors"
    facts = {"sha256": digest(path), "bytes": path.stat().st_size}
    changed(folder, **{"files__model.safetensors": facts})


def reweighted(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the weights, and describe them anew as an attacker would."""
    path = folder / "model.safetensors"
    state = {name: value.clone() for name, value in load_file(path).items()}
    change(state)
    save_file(state, path)
    described_anew(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state["head.1.bias"].fill_(torch.nan), "no number"),
        (lambda state: state["head.1.bias"].fill_(torch.inf), "no number"),
        (lambda state: state.update({"head.1.bias": torch.zeros(2)}), "does not fit"),
        (lambda state: state.update({"head.1.bias": torch.zeros(1).half()}), "not fit"),
        (lambda state: state.update({"more": torch.zeros(1)}), "does not fit"),
        (lambda state: state.pop("head.1.weight"), "does not fit"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    folder: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    reweighted(folder, change)
    refused(folder, said)


def test_one_file_is_not_read_for_a_hundred_networks(folder: Path) -> None:
    """50 times the two networks of a folder took 3.2 GB and 10 seconds."""
    description = json.loads((folder / "model.json").read_text())
    changed(folder, members=description["members"] * 100)
    refused(folder, "model.safetensors is the file of several networks")


def test_changed_weights_are_told_by_their_digest(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\1")
    refused(folder, "is not the file that model.json speaks of")


def test_a_pickle_with_the_name_of_weights_is_not_opened(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps({"a": 1}) * 100)
    refused(folder, "cannot be read as a safetensors file")


VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    "x" * 9999,
    [],
    [[[]]],
    {},
    {"a": {}},
]


def described(rng: np.random.Generator, folder: Path) -> None:
    """Change a value of `model.json`, or some of its bytes."""
    path = folder / "model.json"
    if rng.random() < 0.3:
        content = bytearray(path.read_bytes())
        for place in rng.integers(0, len(content), size=3):
            content[place] = int(rng.integers(0, 256))
        path.write_bytes(content[: int(rng.integers(1, len(content) + 1))])
        return
    description = json.loads(path.read_text())
    member = description["members"][0]
    place = [description, member, member["input"]][int(rng.integers(0, 3))]
    name = list(place)[int(rng.integers(0, len(place)))]
    if rng.random() < 0.2:
        del place[name]
    else:
        place[name] = VALUES[int(rng.integers(0, len(VALUES)))]
    path.write_text(json.dumps(description))


def weighed(rng: np.random.Generator, folder: Path) -> None:
    """Change bytes of the header or of the weights; describe them anew half of the time."""
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    end = 8 + int.from_bytes(content[:8], "little")
    low, high = [(0, 8), (8, end), (end, len(content))][int(rng.integers(0, 3))]
    for place in rng.integers(low, high, size=int(rng.integers(1, 5))):
        content[place] = int(rng.integers(0, 256))
    path.write_bytes(content)
    if rng.random() < 0.5:
        described_anew(folder)


def attack(folder: Path, *, mutants: int, seed: int) -> tuple[int, int]:
    """How many of so many changed folders loaded, and how many were refused in a line."""
    rng = np.random.default_rng(seed)
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    loaded, said = 0, list[str]()
    image = np.zeros((32, 32, 3), dtype=np.uint8)
    for _ in range(mutants):
        (described if rng.random() < 0.7 else weighed)(rng, folder)
        try:
            table = lentigo.load(folder).predict(image)
            assert table["probability"].notna()[0] or table["reason"][0]
            loaded += 1
        except LentigoError as error:
            said.append(str(error))
        for path, content in whole.items():
            path.write_bytes(content)
    assert not any("\n" in line or len(line) > 2000 for line in said)
    return loaded, len(said)


def test_40_changed_folders_load_or_are_refused_in_one_line(folder: Path) -> None:
    loaded, refusals = attack(folder, mutants=40, seed=0)
    assert loaded + refusals == 40
    assert refusals > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_changed_folders_load_or_are_refused_in_one_line(
    folder: Path, seed: int
) -> None:
    assert sum(attack(folder, mutants=500, seed=seed)) == 500
