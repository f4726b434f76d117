"""A run folder as one page that a person can read, print and send."""

from lentigo.reports.page import write_report

__all__ = ["write_report"]
