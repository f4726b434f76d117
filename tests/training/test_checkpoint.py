"""A checkpoint is believed only where it is one of this run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from lentigo.errors import RunError
from lentigo.training.checkpoint import (
    Progress,
    load_checkpoint,
    previous_of,
    save_checkpoint,
)

ROW = {"epoch": 1, "validation_loss": 0.5, "validation_auc": 0.8}


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, Progress(1, [dict(ROW)], 1), {"model": {"a": torch.ones(2)}})
    progress, state = load_checkpoint(path)
    assert progress == Progress(1, [dict(ROW)], 1)
    assert torch.equal(state["model"]["a"], torch.ones(2))


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {"model": {}},
        {"progress": 7},
        {"progress": {"epoch": 1}},
        {"progress": {"epoch": 2, "history": [dict(ROW)], "best_epoch": 1}},
        {"progress": {"epoch": 1, "history": [{"loss": 1.0}], "best_epoch": 1}},
        {"progress": {"epoch": 0, "history": [], "best_epoch": 4}},
    ],
)
def test_what_holds_something_else_is_refused_in_one_line(
    content: Any, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(RunError, match=r"checkpoint\.pt is no checkpoint .* Delete it"):
        load_checkpoint(tmp_path / "checkpoint.pt")


def test_the_checkpoint_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    for number in range(3):
        save_checkpoint(path, Progress(), {"number": number})
    found = [load_checkpoint(each)[1]["number"] for each in (path, previous_of(path))]
    assert found == [2, 1]
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "checkpoint.previous.pt", "checkpoint.pt",
    ]  # fmt: skip


def test_what_a_broken_disk_gives_back_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, Progress(), {"model": torch.ones(100)})
    fsync = os.fsync

    def broken(number: int) -> None:
        os.pwrite(number, b"\x07", os.fstat(number).st_size // 2)
        fsync(number)

    with monkeypatch.context() as patched:
        patched.setattr("lentigo.training.checkpoint.os.fsync", broken)
        with pytest.raises(RunError, match=r"checkpoint\.pt was not written well"):
            save_checkpoint(path, Progress(), {"model": torch.zeros(100)})
    assert load_checkpoint(path)[1]["model"].sum() == 100
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_one_other_bit_among_the_weights_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, Progress(), {"model": torch.ones(1000)})
    whole = bytearray(path.read_bytes())
    whole[whole.index(torch.ones(8).numpy().tobytes()) + 400] ^= 1
    path.write_bytes(whole)
    with pytest.raises(RunError, match=r"data/0 is damaged\)"):
        load_checkpoint(path)


def test_a_torn_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, Progress(), {"model": {"a": torch.ones(100)}})
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"x" * 50, whole[:-20]):
        path.write_bytes(content)
        with pytest.raises(RunError, match="is no checkpoint"):
            load_checkpoint(path)
