"""What is known without an image: the bar that every image model has to pass."""

from lentigo.baselines.logistic import metadata_baseline

__all__ = ["metadata_baseline"]
