"""Pixels: one safe door for image files, one square size, one memory-mapped store."""
