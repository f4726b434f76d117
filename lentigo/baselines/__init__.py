"""Baseline that uses no image; every image model has to score better."""

from lentigo.baselines.logistic import metadata_baseline

__all__ = ["metadata_baseline"]
