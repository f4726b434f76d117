"""What a finished prediction was made with is remembered, and compared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lentigo.errors import RunError
from lentigo.inference.finished import check_made, remember

MADE = {"model": "ham", "views": "2", "images": "x" * 60}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    file = tmp_path / "out.csv"
    file.write_text("image_id,probability\n")
    return file


def test_what_a_table_was_made_with_is_known_until_the_table_changes(out: Path) -> None:
    assert not check_made(out, MADE)
    remember(out, MADE)
    assert check_made(out, MADE)
    assert check_made(out, {"model": "ham"})
    os.utime(out, ns=(1, 1))
    assert not check_made(out, MADE)
    remember(out, MADE)
    out.write_text("other\n")
    assert not check_made(out, {"model": "isic"})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"model": "isic"},
            r"was made with another model \(ham, not isic\)\. Give another",
        ),
        ({"images": "y" * 60}, r"was made with another images\. Give another"),
        (
            {"model": "isic", "views": "8"},
            r"model \(ham, not isic\) and views \(2, not 8\)",
        ),
        ({"device": "cpu"}, "is finished, without the device that is asked for"),
    ],
)
def test_another_prediction_is_refused_with_what_is_other(
    asked: dict[str, str], said: str, out: Path
) -> None:
    remember(out, MADE)
    with pytest.raises(RunError, match=said):
        check_made(out, asked)


def test_what_cannot_be_remembered_is_no_error(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(out))  # a file
    remember(out, MADE)
    assert not check_made(out, {"model": "isic"})
