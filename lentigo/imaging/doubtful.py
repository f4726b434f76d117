"""The certainty below which an outline is doubtful, for those who have no OpenCV."""

from __future__ import annotations

DOUBTFUL = 0.6
"""Estimated Jaccard index below which an outline should be looked at before its measures
are used: of such outlines, 59 in 100 agree too little with a mask drawn by a person."""
