"""Notice that this is no medical device, said once and shown with every result."""

from __future__ import annotations

RESEARCH_ONLY = "Research software, not a medical device."
"""For a line in a terminal or under a picture."""
NOTICE = f"{RESEARCH_ONLY.removesuffix('.')}: not for the diagnosis of any person."
"""For pages and files, which are passed on."""
