"""Split "Melanom (SSM), pT1a, Breslow 0,8 mm" into its words and its stage."""

from __future__ import annotations

import re

from lentigo.datasets.reading.spelling import fold, without_accents

_THICK = (
    r"(?:(?:breslow|tumordicke|td|thickness|indice de breslow|breslow index|spessore|"
    r"epaisseur|espesor|espessura) ?[:=]? ?(?:[<>≤≥~]|ca\.?)? ?"
    r"\d{1,2}(?:[.,]\d+)?(?: ?mm)?|"
    r"[<>≤≥]? ?\d{1,2}(?:[.,]\d+)? ?mm)"
)
_CLARK = (
    r"clark(?:[ -](?:level|stufe|nivel|niveau|livello))?[ -]?(?:i{1,3}|iv|v|[1-5])|"
    r"(?:level|stufe|nivel|niveau|livello) (?:i{1,3}|iv|v)"
)
_TNM = r"[cp]?t(?:is|[0-4][ab]?)(?: ?[cp]?n[0-3x][abc]?)?(?: ?[cp]?m[01x][abc]?)?"
_STAGE = rf"(?:{_THICK}|{_CLARK}|{_TNM})"
_ONLY = re.compile(rf"{_STAGE}(?: {_STAGE})*")
_BEHIND = re.compile(rf"(?: {_STAGE})+$")
_BREAK = re.compile(r"[();/]+|(?<!\d),|,(?!\d)| - ")
_LONGEST = 100


def words_without_stage(word: str) -> list[str]:
    """Return the parts of `word` that are no stage, in plain spelling.

    Parts are set off by commas, semicolons, slashes and brackets. A stage is a thickness in
    millimetres, a level of Clark or the T, N and M of the TNM classification. Nothing is
    returned where there is one part and no stage, or where `word` is long.
    """
    if len(word) > _LONGEST:
        return []
    whole = without_accents(fold(word))
    parts = [part.strip(" .:") for part in _BREAK.split(whole)]
    kept = [_BEHIND.sub("", part) for part in parts if part and not _ONLY.fullmatch(part)]
    there = [part for part in parts if part]
    return kept if len(there) > 1 or kept != there else []
