"""Maps of what a model used, on disk and on one page."""

from __future__ import annotations
