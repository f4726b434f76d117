"""Helpers that the readers share: find files, guess columns, understand labels."""
