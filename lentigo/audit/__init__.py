"""Audit a set of images before training: one call checks it and writes one report page."""
