"""Detectors of artefacts in an image: hair, scale, ink, sticker, gel, frame.

Each detector takes one stored square, (S, S, 3) RGB with a side S of 128 to 512 pixels, and
returns a score from 0 to 1. `ARTEFACTS` holds the detectors with their thresholds: an image
has the artefact if its score reaches the threshold. `docs/artefacts.md` gives their
accuracy.
"""

from __future__ import annotations

from lentigo.imaging.artefacts.registry import ARTEFACTS, Artefact, artefact_scores

__all__ = ["ARTEFACTS", "Artefact", "artefact_scores"]
