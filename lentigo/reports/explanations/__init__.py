"""Write heat maps that explain predictions, as files and as one page."""

from __future__ import annotations
