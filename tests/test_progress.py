from __future__ import annotations

import io
import sys

import pytest

from lentigo.progress import Meter, track


class Terminal(io.StringIO):
    """Standard error as it is where somebody sits before it."""

    def isatty(self) -> bool:
        return True


def sit_down(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in place of standard error; in a fixture pytest would undo it."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    return seen


def test_in_a_terminal_a_bar_is_drawn_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = sit_down(monkeypatch)
    assert list(track("abc", total=3, label="Decoding [images]")) == ["a", "b", "c"]
    assert "Decoding [images]" in terminal.getvalue()
    assert "/3" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_in_a_pipe_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track("abc", total=3, label="Decoding images")) == ["a", "b", "c"]
    with Meter(total=3, label="Epoch 1") as meter:
        assert not meter.live
        meter.step_to(1, said="loss 0.5")
    said = capsys.readouterr()
    assert said.out + said.err == ""


def test_a_meter_shows_how_far_and_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = sit_down(monkeypatch)
    with Meter(total=1234, label="Epoch 1") as meter:
        assert meter.live
        meter.step_to(1000, said="loss 0.5")
    drawn = terminal.getvalue()
    assert "1,000/1,234" in drawn
    assert "loss 0.5" in drawn
    assert drawn.rstrip("\n").rpartition("\x1b[?25")[2][0] == "h", "the cursor is back"


def test_a_quiet_meter_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = sit_down(monkeypatch)
    with Meter(total=3, label="Epoch 1", quiet=True) as meter:
        assert not meter.live
        meter.step_to(1)
    assert terminal.getvalue() == ""
