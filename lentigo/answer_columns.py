"""Columns of a prediction table beside the probability, said once; a light import."""

ABSTAIN, STRANGENESS = "abstain", "strangeness"
"""Whether a model with an index does not answer (yes, no), and how strange an image is to
it: 1 is the limit."""
YES, NO = "yes", "no"
REFUSED, SHOWN = "not answered", "shown, but should not be answered"
"""How the reason of an image begins that is beyond the limit."""
