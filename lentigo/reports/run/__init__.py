"""A run folder as one page that a person can read, print and send."""
