"""Columns of a prediction table that tell what is too strange; a light import."""

ABSTAIN, STRANGENESS = "abstain", "strangeness"
"""Whether a model with an index does not answer (yes, no), and how strange an image is to
it: 1 is the limit."""
YES, NO = "yes", "no"
