"""Beside a probability: measures of a lesion, and maps of what a model used."""
