"""Make names drawable: wrapped, shortened, and only in letters that a font has."""

from __future__ import annotations

import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from textwrap import wrap

from matplotlib import ft2font
from matplotlib.font_manager import FontProperties, findfont, fontManager

from lentigo.progress import log
from lentigo.visible import named, visible

FURTHER_FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC",
    "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "SimHei", "Arial Unicode MS", "Noto Sans Devanagari",
    "Noto Sans Thai", "Noto Sans Hebrew", "Noto Sans Arabic",
)  # fmt: skip
"""Fonts for letters that DejaVu Sans lacks, in the order in which they are tried."""

SHAPES_LETTERS = hasattr(ft2font, "__libraqm_version__")
"""Whether matplotlib joins Arabic letters and sets them from right to left (from 3.11)."""

_LOOKED_AT = 1_000
"""Number of letters of a name that are checked; longer names are cut before drawing."""
_NUMBER = 5
"""Letters that are kept for a number behind a name."""
_LEFT_TO_RIGHT = "\u200e"
_WIDE = {"W", "F"}
_SCRIPTS = {
    "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean",
}  # fmt: skip


@cache
def font_families() -> tuple[str, ...]:
    """Return "DejaVu Sans" and the installed fonts of `FURTHER_FONTS`, in that order."""
    installed = set(fontManager.get_font_names())
    return ("DejaVu Sans", *(name for name in FURTHER_FONTS if name in installed))


@cache
def _letters() -> frozenset[int]:
    found: set[int] = set()
    for family in font_families():
        found |= set(ft2font.FT2Font(findfont(FontProperties(family=family))).get_charmap())
    return frozenset(found)


def can_be_drawn(text: str) -> bool:
    """Tell whether `text` can be drawn: fonts have its letters, in the right direction.

    Text with Arabic or Hebrew letters needs a matplotlib with `SHAPES_LETTERS`.
    """
    from_right = any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in text)
    if from_right and not SHAPES_LETTERS:
        return False
    return all(
        letter.isspace() or ord(letter) in _letters()
        for letter in visible(text[:_LOOKED_AT])
    )


def stand_ins(names: Iterable[str]) -> dict[str, str]:
    """Return name → "name 1", "name 2" … for each name that cannot be drawn.

    Otherwise all such names would look the same: a row of boxes.
    """
    lost = sorted({name for name in names if not can_be_drawn(name)})
    return {name: f"name {number}" for number, name in enumerate(lost, start=1)}


def sentence_on(names: Mapping[str, str]) -> str:
    """Return sentences on which names are replaced by which number, and fonts to install.

    `names` is the result of `stand_ins`.
    """
    scripts = sorted({_script(letter) for name in names for letter in name} - {""})
    pairs = ", ".join(f"{number} is {named(name)}" for name, number in names.items())
    return (
        f"No installed font has the {' and '.join(scripts) or 'special'} letters of some "
        f"names, so the figures show numbers for them: {pairs}. Install a font that has "
        "them (such as Noto Sans CJK for Chinese, Japanese and Korean) and draw again."
    )


def _script(letter: str) -> str:
    if letter.isspace() or ord(letter) in _letters():
        return ""
    word = unicodedata.name(letter, "UNKNOWN").split()[0].split("-")[0]
    return _SCRIPTS.get(word, word.capitalize())


@contextmanager
def boxes_told() -> Iterator[None]:
    """Log one warning in the `with` block if letters without a font are drawn as boxes.

    It replaces matplotlib's warning for each letter; other warnings are kept.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    lost = [entry for entry in caught if "missing from font" in str(entry.message)]
    for entry in caught:
        if entry not in lost:
            warnings.warn_explicit(
                entry.message, entry.category, entry.filename, entry.lineno
            )
    if lost:
        log.warning(
            "Some letters are drawn as boxes, because no installed font has them; install "
            "one that does, such as Noto Sans CJK for Chinese, Japanese and Korean."
        )


def fitted(name: str, *, width: int = 26, lines: int = 2) -> str:
    """Wrap `name` into at most `lines` lines of `width` letters; a cut name ends in "…".

    A Chinese letter counts as two Latin ones. Text in Arabic or Hebrew is enclosed in
    left-to-right marks, so that text after it stays on its right.
    """
    if any(unicodedata.east_asian_width(letter) in _WIDE for letter in name):
        width = max(width // 2, 4)
    # Wrapping takes time with the square of the length; more letters cannot be shown.
    shown = visible(" ".join(name[: 4 * width * (lines + 1)].split()))
    parts = wrap(shown, width, break_on_hyphens=False) or [""]
    if len(parts) > lines:
        parts = [*parts[: lines - 1], parts[lines - 1][: width - 1].rstrip() + "…"]
    return "\n".join(_kept_in_place(part) for part in parts)


def fitted_apart(names: Sequence[str], *, width: int = 26, lines: int = 2) -> list[str]:
    """Fit each name as `fitted` does, but so that different names stay different.

    Names that would be cut to the same letters keep their beginning and their end; those
    that are the same even then have their number among them behind them.
    """
    shown = [fitted(name, width=width, lines=lines) for name in names]
    for again in (_ends_kept, _numbered):
        known = Counter(dict(zip(names, shown, strict=True)).values())
        places = [place for place, name in enumerate(shown) if known[name] > 1]
        alike = list(dict.fromkeys(names[place] for place in places))
        short = {name: _ends_kept(name, 0, width - _NUMBER, lines) for name in alike}
        for place in places:
            own = short[names[place]]
            among = [name for name in alike if short[name] == own]
            number = among.index(names[place]) + 1
            shown[place] = again(names[place], number, width, lines)
    return shown


def _ends_kept(name: str, _: int, width: int, lines: int) -> str:
    """Cut a name in the middle, so that its beginning and its end are shown."""
    if any(unicodedata.east_asian_width(letter) in _WIDE for letter in name):
        width = max(width // 2, 4)
    whole = visible(" ".join(name.split()))
    if len(whole) <= width:
        return _kept_in_place(whole)
    head, tail = (width, width - 1) if lines > 1 else (width // 2, width - width // 2 - 1)
    parts = whole[:head].rstrip(), f"…{whole[-tail:].lstrip()}"
    return ("\n" if lines > 1 else "").join(map(_kept_in_place, parts))


def _numbered(name: str, number: int, width: int, lines: int) -> str:
    return f"{_ends_kept(name, number, width - _NUMBER, lines)} ({number})"


def _kept_in_place(line: str) -> str:
    """Enclose right-to-left text in left-to-right marks; a number then stays behind it."""
    if any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in line):
        return f"{_LEFT_TO_RIGHT}{line}{_LEFT_TO_RIGHT}"
    return line
