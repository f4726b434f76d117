"""Drift since a model was judged: a page, a table and a figure."""
