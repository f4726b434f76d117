"""Baseline models that use no lesion image; a useful network must score better."""

from lentigo.baselines.logistic import metadata_baseline

__all__ = ["metadata_baseline"]
