"""Prepare the explanation of an image for the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lentigo.explanation.served import CASES, LESION, SHUFFLED
from lentigo.service.closer import Material
from lentigo.service.explained import outlined, overlaid, similar_case
from lentigo.service.page.pictures import as_address
from lentigo.service.schema import SimilarCase

_SIDE = 420
"""Longer side, in pixels, of the pictures that are shown side by side."""
CHOICES: dict[str, tuple[str, ...]] = {"": (), "occlusion": ("occlusion",), "all": ("all",)}
"""Choices of heat maps in the form, and the methods of each."""

_SCORES = {
    "benign by the rule": "score_benign",
    "suspicious": "score_suspicious",
    "highly suspicious": "score_highly",
}
"""Key of the page's text for each verdict of the ABCD rule."""


@dataclass(frozen=True)
class Case:
    """A similar case, and the `data:` address of its picture, empty without a file."""

    told: SimilarCase
    address: str


@dataclass(frozen=True)
class Map:
    """A heat map drawn over its image, as a `data:` address."""

    address: str
    told: dict[str, Any]
    """The numbers of the map, as in `MapAnswer`."""


@dataclass(frozen=True)
class Close:
    """The parts of an explanation that the page shows."""

    outline: dict[str, Any] | None
    """Fields of the outline, as in `OutlineAnswer`; None without an outline."""
    outline_address: str
    """`data:` address of the picture with the outline drawn; empty without an outline."""
    abcd: dict[str, Any] | None
    """ABCD measures, as in `AbcdAnswer`; None without measures."""
    scores: list[str]
    """Keys of the texts for the verdicts at both ends of the total score, low to high."""
    cases: list[Case]
    maps: list[Map]
    no_lesion: str
    no_cases: str
    no_check: str
    """Keys of the texts that say why these parts are missing; empty where they are not."""
    no_maps: dict[str, str] = field(default_factory=dict)
    """By method of a missing map, the key of the text that says why."""


def close_look(material: Material) -> Close | None:
    """Return the explanation of an image for the page; None if none was computed."""
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
    """Return the fields of a map without its pixels."""
    return {name: value for name, value in found.items() if name not in {"heat", "size"}}


def _scores(abcd: dict[str, Any] | None) -> list[str]:
    """Return the text keys of the verdicts at both ends of the total score, each once."""
    if not abcd or abcd["total_low"] is None:
        return []
    return [_SCORES[each] for each in abcd["verdict"].split(" to ")]
