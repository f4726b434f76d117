"""What a closer look found, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lentigo.explanation.served import CASES, LESION, SHUFFLED
from lentigo.service.closer import Material
from lentigo.service.explained import outlined, overlaid, similar_case
from lentigo.service.page.pictures import as_address
from lentigo.service.schema import SimilarCase

_SIDE = 420
"""Pixels of the pictures that stand side by side."""
CHOICES: dict[str, tuple[str, ...]] = {"": (), "occlusion": ("occlusion",), "all": ("all",)}
"""What the form offers to draw, and the methods of it."""

_SCORES = {
    "benign by the rule": "score_benign",
    "suspicious": "score_suspicious",
    "highly suspicious": "score_highly",
}
"""Key of the text for each verdict of the rule."""


@dataclass(frozen=True)
class Case:
    """A similar case, and its picture where its file is at hand."""

    told: SimilarCase
    address: str


@dataclass(frozen=True)
class Map:
    """A map over the image that it is of."""

    address: str
    told: dict[str, Any]
    """Its numbers, as in `MapAnswer`."""


@dataclass(frozen=True)
class Close:
    """The parts of a closer look."""

    outline: dict[str, Any] | None
    outline_address: str
    """The picture with the outline on it; empty where there is none."""
    abcd: dict[str, Any] | None
    scores: list[str]
    """Keys of the texts that say what the score leaves open, from low to high."""
    cases: list[Case]
    maps: list[Map]
    no_lesion: str
    no_cases: str
    no_check: str
    """Keys of the texts that say why these parts are missing; empty where they are not."""
    no_maps: dict[str, str] = field(default_factory=dict)
    """Key of the text that says why, of each method that is missing."""


def close_look(material: Material) -> Close | None:
    """Return what the page shows of a closer look; None where there was none."""
    found, picture, square = material.examined, material.picture, material.square
    if found is None or picture is None or square is None:
        return None
    missing = {part: f"missing_{kind}" for part, kind in found.reasons.items()}
    drawn = ""
    if found.outline:
        line = outlined(picture, found.outline["polygon"])
        drawn = as_address(line, side=_SIDE)
    pictures = {
        rank: as_address(each, side=_SIDE) for rank, each in material.case_pictures.items()
    }
    cases = [Case(similar_case(e), pictures.get(e["rank"], "")) for e in found.cases]
    maps = [
        Map(as_address(overlaid(each, square), side=_SIDE), without_pixels(each))
        for each in found.maps
    ]
    return Close(
        found.outline, drawn, found.abcd, _scores(found.abcd), cases, maps,
        no_lesion=missing.pop(LESION, ""), no_cases=missing.pop(CASES, ""),
        no_check=missing.pop(SHUFFLED, ""), no_maps=missing,
    )  # fmt: skip


def without_pixels(found: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of a map."""
    return {name: value for name, value in found.items() if name not in {"heat", "size"}}


def _scores(abcd: dict[str, Any] | None) -> list[str]:
    """Return what both ends of the total score are called, each once."""
    if not abcd or abcd["total_low"] is None:
        return []
    return [_SCORES[each] for each in abcd["verdict"].split(" to ")]
