"""Detectors of artefacts in an image: hair, scale, ink, sticker, gel, frame.

Each detector takes one stored square, (S, S, 3) RGB from 128 to 512 pixels, and returns a
score from 0 to 1; `ARTEFACTS` holds them with the limits from which on a picture counts as
having one. `docs/artefacts.md` says how often they are right.
"""

from __future__ import annotations

from lentigo.imaging.artefacts.registry import ARTEFACTS, Artefact, artefact_scores

__all__ = ["ARTEFACTS", "Artefact", "artefact_scores"]
