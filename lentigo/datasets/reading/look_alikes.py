"""Ids that look alike but are different texts: often one patient, written in two ways."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from lentigo.words import counted, some, verb

_HYPHENS = "\u02d7\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d_"
_UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
"""Invisible letters that Unicode does not list as format characters."""

_NUMBER = re.compile(
    r"(?<![A-Za-z])[oOlI]*\d[oOlI\d]*(?![A-Za-z])|(?<=[A-Za-z])\d[oOlI\d]*(?![A-Za-z])"
)
"""A number in which letters may stand for digits; after a letter it begins with a digit, as
the O of PO5 may belong to PO."""
_DIGITS = str.maketrans("oOlI", "0011")

_SHORTENED = r"\d[.,]\d+[eE]\+?[1-9]\d|\d[eE]\+[1-9]\d"
"""Numbers of eleven digits and more as spreadsheets show them."""

_TWINS = str.maketrans(
    "АВЕКМНОРСТХУЅЈІӀаеорсхуіјѕһӏԁԛԝѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορυ∕⁄",
    "ABEKMHOPCTXYSJIIaeopcxyijshldqwvABEZHIKMNOPTYXaivopu//",
)
"""Cyrillic and Greek letters that look like Latin letters, and strokes like a slash."""

_QUOTES = "'\"`´‘’‚“”„«»"
"""Marks around a text; a spreadsheet has one in front of a number that is a text."""
_ENDINGS = ".,;:"


def look_alikes(ids: pd.Series[Any]) -> pd.DataFrame:
    """Return the ids that look alike, one per row: id, key (the same for a group), count.

    Ids look alike if they differ only in letter case, spaces, leading zeros, kinds of
    hyphens (and underscores), invisible letters (zero width, byte order mark, no-break
    space), composed and decomposed accents, full-width or other digits, Cyrillic and Greek
    twins of Latin letters, letters for digits within a number (O5 and 05, l7 and 17), or as
    numbers that a program rewrote (7.0, 7,0, +7 and 7; 1e7 and 10000000), in quotation
    marks around them ('7) or a sign behind (7.). `count` is how often each id occurs. The
    ids themselves are not changed: whether P7 and p007 are one patient cannot be known.
    """
    counts = ids.dropna().astype("string").value_counts().sort_index()
    found = pd.DataFrame({"id": counts.index.astype("string"), "count": counts.to_numpy()})
    letters = [_letters(text) for text in found["id"]]
    numbers = pd.Series([_number(text) for text in letters], dtype="string")
    # Zeros in front are kept here: O5 is 05, and 5 only if there is a 05.
    digits = pd.Series([_in_digits(text) for text in found["id"]], dtype="string")
    found["key"] = _linked(numbers, digits)
    several = found["key"].duplicated(keep=False) & (found["key"] != "")
    return found[several].sort_values(["key", "id"], ignore_index=True)


def _linked(one: pd.Series[Any], other: pd.Series[Any]) -> pd.Series[Any]:
    """Return one key for the rows that share a key of either kind, or are linked by rows.

    It is the first key of kind `one` among them.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = len(one)
    ends = pd.factorize(one)[0], pd.factorize(other)[0] + rows
    edges = coo_array((np.ones(rows), ends), shape=(2 * rows, 2 * rows))
    _, part = connected_components(edges, directed=False)
    return one.groupby(part[ends[0]]).transform("first")


def spelled_alike(ids: pd.Series[Any], *, name: str) -> list[str]:
    """Return sentences on ids that look alike but are treated as different, or rounded."""
    rounded = rounded_ids(ids, name=name)
    found = look_alikes(ids)
    if found.empty:
        return rounded
    pairs = in_pairs(found)
    looks = verb(len(pairs), "looks", "look")
    return [
        *rounded,
        f"{name}: {counted(len(pairs), 'pair')} of ids {looks} alike and "
        f"{verb(len(pairs), 'is', 'are')} taken for different ones "
        f"({some(pairs)}). Write them alike if they are not.",
    ]


def rounded_ids(ids: pd.Series[Any], *, name: str) -> list[str]:
    """Return a sentence on ids that a spreadsheet may have rounded; [] without any.

    Such are 1.23457E+11, and numbers of 16 digits and more of which all end in zeros behind
    the fifteenth, the last digit that a spreadsheet keeps.
    """
    texts = ids.dropna().astype("string")
    rounded = texts.str.fullmatch(_SHORTENED).fillna(False).astype(bool)
    long = texts.str.fullmatch(r"\d{16,}").fillna(False).astype(bool)
    zeros = texts.str.fullmatch(r"\d{15}0+").fillna(False).astype(bool)
    if (long == zeros).all() and len(set(texts[long])) > 1:
        rounded |= zeros
    counts = texts[rounded].value_counts()
    if counts.empty:
        return []
    listed = some([f"{shown(str(text))} ({count:,})" for text, count in counts.items()])
    return [
        f"{name}: {counted(len(counts), 'id')} of {counted(int(counts.sum()), 'row')} "
        f"{verb(len(counts), 'looks', 'look')} like a number that a spreadsheet rounded "
        f"({listed}), so that several may have become one. Take them from the "
        "original, as text."
    ]


def in_pairs(found: pd.DataFrame) -> list[str]:
    """Return the first two ids of each group of `look_alikes`, with their counts."""
    return [
        " and ".join(
            f"{shown(text)} ({number:,})"
            for text, number in zip(rows["id"][:2], rows["count"][:2], strict=True)
        )
        for _, rows in found.groupby("key", sort=False)
    ]


def shown(text: str) -> str:
    """Return an id with escapes for all letters but ASCII, so that twins look different."""
    return text if text.isascii() and text.isprintable() else ascii(text)[1:-1]


def _letters(text: str) -> str:
    """Return an id in plain lower-case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKC", text).translate(_TWINS).casefold()
    plain = plain.replace("i\u0307", "i")  # a Turkish İ
    seen = "".join(_letter(sign) for sign in unicodedata.normalize("NFKC", plain))
    return seen.strip(_QUOTES).rstrip(_QUOTES + _ENDINGS) or seen


def _in_digits(text: str) -> str:
    """Return an id as `_letters` does, with O, l and I in a number as 0, 1 and 1."""
    plain = unicodedata.normalize("NFKC", text).translate(_TWINS)
    return _letters(_NUMBER.sub(lambda found: found[0].translate(_DIGITS), plain))


def _letter(sign: str) -> str:
    if sign.isascii():
        seen = sign.isprintable() and not sign.isspace()
        return "-" if sign == "_" else sign if seen else ""
    if sign in _HYPHENS or unicodedata.category(sign) == "Pd":
        return "-"
    if sign in _UNSEEN or unicodedata.category(sign) in {"Cf", "Cc", "Zs", "Zl", "Zp"}:
        return ""
    if "\ufe00" <= sign <= "\ufe0f":  # selectors of variants
        return ""
    digit = unicodedata.digit(sign, None)
    return sign if digit is None else str(digit)


def _number(key: str) -> str:
    """Return a number as it was before a program rewrote it, without leading zeros."""
    if found := re.fullmatch(r"\+?(\d+)(?:\.0*|,0{1,2})?", key):
        key = found[1]
    elif found := re.fullmatch(r"\+?(\d+)(?:\.(\d+))?e\+?(\d{1,2})", key):
        whole, rest, power = found[1], found[2] or "", int(found[3])
        if len(rest) <= power:
            key = whole + rest + "0" * (power - len(rest))
    return re.sub(r"(?<!\d)0+(?=\d)", "", key)
