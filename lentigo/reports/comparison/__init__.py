"""A comparison of models on disk: its numbers and its figures."""

from lentigo.reports.comparison.readers import write_readers
from lentigo.reports.comparison.writing import write_comparison

__all__ = ["write_comparison", "write_readers"]
