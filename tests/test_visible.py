"""What is shown to a person: nothing hidden, nothing without end."""

from __future__ import annotations

import pytest

from lentigo.errors import unknown_name
from lentigo.visible import named, printable, shortened, visible, visible_lines
from lentigo.words import some


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Rücken, 7\u00a0mm – 皮肤", "Rücken, 7\u00a0mm – 皮肤"),  # nothing to hide
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),  # CSI in one letter
        ("\x1b]8;;http://x\x07y", "\\x1b]8;;http://x\\x07y"),  # a link (OSC 8)
        ("a\r\nb\tc\x7f", "a\\r\\nb\\tc\\x7f"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),  # turns the order round
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),  # no width
        ("a\u2028b\x85", "a\\u2028b\\x85"),  # other line breaks
        ("caf\udce9.jpg", "caf\\xe9.jpg"),  # a byte that is no UTF-8
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_letters_that_are_not_seen_are_written_out(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_line_breaks_of_our_own_stay() -> None:
    assert visible_lines("one\ntwo\x1b") == "one\ntwo\\x1b"


def test_a_long_text_ends_at_the_end_of_a_word_with_its_length() -> None:
    words = "nevus " * 50
    assert shortened(words, at_most=20) == "nevus nevus nevus … (300 letters)"
    assert shortened("x" * 300, at_most=5) == "xxxxx … (300 letters)"
    assert shortened("x" * 300, at_most=300) == "x" * 300


def test_a_cell_of_a_million_letters_is_shortened_wherever_it_is_named() -> None:
    cell = "x" * 1_000_000
    for said in (
        named(cell),
        some([cell, cell]),
        str(unknown_name("format", cell, ["csv"])),
        printable(f"No prediction for {cell} : it is no image."),
    ):
        assert len(said) < 1_000
        assert "(1,000,000 letters)" in said
    assert printable(f"No prediction for {cell}: it is no image.").endswith("no image.")
