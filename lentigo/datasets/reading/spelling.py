"""Find words in any spelling: case, accents, ß or ss, ä or ae, hyphens, plural s."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import pandas as pd

from lentigo.table_files.each_value import each_value

Meaning = TypeVar("Meaning")

_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
# Only between letters: the - of -1 is no hyphen.
_INNER_HYPHEN = re.compile(r"(?<=[^\W\d])-(?=[^\W\d]|\()")
_LIGATURES = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "ı": "i"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_AT_THE_END = " .,;:。，；"
_SHORTEST_PLURAL = 5
"""Letters of the shortest word that may be a plural with s; `scs` and `as` are none."""


class Words(dict[str, Meaning]):
    """A vocabulary, word → meaning, in which `find` recognises any spelling of a word."""

    def __init__(self, words: Mapping[str, Meaning]) -> None:
        """Store `words`.

        A word as given takes precedence over a variant of another word.
        """
        super().__init__(words)
        self._by_spelling: dict[str, Meaning] = {}
        ways = [(spellings(word), meaning) for word, meaning in words.items()]
        for rank in range(max((len(way) for way, _ in ways), default=0)):
            for way, meaning in ways:
                if rank < len(way):
                    self._by_spelling.setdefault(way[rank], meaning)

    def find(self, word: str) -> Meaning | None:
        """Return the meaning of `word`; None where it is not in the vocabulary."""
        ways = spellings(word)
        singular = [way[:-1] for way in ways if way.endswith("s")]
        long = [way for way in singular if len(way) >= _SHORTEST_PLURAL]
        for way in (*ways, *long):
            if way in self._by_spelling:
                return self._by_spelling[way]
        return None

    def of(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Return the meaning of each word in `column`, as objects; missing if unknown."""
        return each_value(column, self._of_each)

    def _of_each(self, words: pd.Series[Any]) -> pd.Series[Any]:
        return pd.Series([self.find(str(word)) for word in words], dtype=object)


def joined(vocabularies: Iterable[Mapping[str, Meaning]]) -> Words[Meaning]:
    """Join vocabularies; for a word in several of them the last meaning counts."""
    whole: dict[str, Meaning] = {}
    for words in vocabularies:
        whole |= words
    return Words(whole)


def fold(word: str) -> str:
    """Return `word` in lower case, with composed letters, ß as ss, and single spaces.

    Underscores and repeated spaces become one space.
    """
    same = unicodedata.normalize("NFKC", word).casefold().translate(_HYPHENS)
    return " ".join(unicodedata.normalize("NFKC", same).replace("_", " ").split())


def spellings(word: str) -> tuple[str, ...]:
    """Return the variants in which people write `word`, itself first: nävus, navus, naevus.

    A full stop or comma at the end is dropped. Question marks, numbers and further words
    are kept: `melanoma?` is another word.
    """
    own = fold(word)
    ways = [own, without_accents(own), without_accents(own.translate(_UMLAUTS))]
    ways += [_INNER_HYPHEN.sub(" ", way) for way in ways]
    ways += [way.replace("tumour", "tumor") for way in ways]
    ways += [way.rstrip(_AT_THE_END) or way for way in ways]
    return tuple(dict.fromkeys(ways))


def without_accents(word: str) -> str:
    """Return `word` with plain letters: a for ä, e for é, oe for œ."""
    apart = unicodedata.normalize("NFD", word.translate(_LIGATURES))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
