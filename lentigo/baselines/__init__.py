"""Baseline models on metadata or file properties; a useful network must score better."""

from lentigo.baselines.logistic import metadata_baseline

__all__ = ["metadata_baseline"]
