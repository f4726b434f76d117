"""A checkpoint is believed only where it is one of this run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lentigo.errors import RunError
from lentigo.training.checkpoint import Progress, load_checkpoint, save_checkpoint

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


def test_a_torn_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, Progress(), {"model": {"a": torch.ones(100)}})
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"x" * 50, whole[:-20]):
        path.write_bytes(content)
        with pytest.raises(RunError, match="is no checkpoint"):
            load_checkpoint(path)
