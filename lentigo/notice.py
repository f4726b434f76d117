"""Notice that lentigo is no medical device, written once and shown with every result."""

from __future__ import annotations

RESEARCH_ONLY = "Research software, not a medical device."
"""The short notice, for a line in a terminal or below an image."""
NOTICE = f"{RESEARCH_ONLY.removesuffix('.')}: not for the diagnosis of any person."
"""The long notice, for pages and files, which are passed on."""
WITHOUT_LIMIT = (
    "This model has no limit of abstention: it also answers for images that look like "
    "nothing it learnt from."
)
"""Said of a model that abstains from no image, wherever it answers."""
