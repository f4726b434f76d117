"""Texts from files, tables and folders, made safe for display to a person.

A name can hold escape sequences that recolour or rewrite a terminal, line breaks that
imitate a line of lentigo, marks that reverse the order of characters, or a million
characters.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 200
"""Most characters shown of a name, a cell or another library's reason within a message."""
LONGEST_WORD = 1_000
"""Most characters without a space in a printed line; paths are shorter."""
LONGEST_LINE = 20_000

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_LETTERS_FROM = 0xDC80  # bytes of a name that is no UTF-8, as Python keeps them
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")


def visible(text: str) -> str:
    r"""Replace characters that are invisible or control a terminal by escapes like \x1b.

    A line break becomes \n, too. All other characters, spaces of any width included, stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_seen, text))


def visible_lines(text: str) -> str:
    """Escape the text as `visible` does, but keep its line breaks."""
    return "\n".join(map(visible, text.split("\n")))


def shortened(text: str, *, at_most: int = LONGEST_NAME) -> str:
    """Return a long text cut after a word, with "…" and its number of letters.

    A text of at most `at_most` characters is returned unchanged.
    """
    if len(text) <= at_most:
        return text
    start = text[:at_most]
    # A text without spaces, such as a path, is cut where it has to be.
    at = start.rfind(" ", at_most * 3 // 4)
    return f"{(start[:at] if at > 0 else start).rstrip()} … ({len(text):,} letters)"


def named(value: object) -> str:
    """Return a name or cell as it may be shown in a message: escaped, and not too long."""
    return visible(shortened(str(value)))


def printable(text: str) -> str:
    """Return a line for the terminal: escaped, long words and a long line shortened."""
    return visible(shortened(_LONG_WORD.sub(_middle_out, text), at_most=LONGEST_LINE))


def _middle_out(word: re.Match[str]) -> str:
    letters = word.group()
    return f"{letters[:120]} … {letters[-60:]} ({len(letters):,} letters)"


def _seen(letter: str) -> str:
    if letter in _NAMED:
        return _NAMED[letter]
    if unicodedata.category(letter) not in _HIDDEN:
        return letter
    code = ord(letter)
    if _LETTERS_FROM <= code < _LETTERS_FROM + 0x80:
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
