"""Names and values of columns of a prediction table; a light import."""

ABSTAIN, STRANGENESS = "abstain", "strangeness"
"""Names of two columns: whether the model abstains from an answer (yes or no), and how far
an image is out of the training distribution; above 1 the model abstains."""
YES, NO = "yes", "no"
REFUSED, SHOWN = "not answered", "shown, but should not be answered"
"""Beginnings of the reason in a row beyond that limit: without and with a probability."""
COULD_BE = "could_be"
"""Name of a column: which answers stay possible at 90 %, melanoma, not melanoma or both."""
