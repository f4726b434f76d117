"""How a doubt about the kind of a picture begins; nothing heavy is imported."""

DOUBT = "may be no dermoscopy"
"""How the sentence begins."""
