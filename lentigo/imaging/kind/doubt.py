"""The first words of a doubt about the kind of an image; nothing heavy is imported."""

DOUBT = "may be no dermoscopy"
"""The first words of the sentence that says why an image may not be dermoscopy."""
