"""The audit as a page, and its lists on disk."""

from lentigo.reports.audit.write import audit

__all__ = ["audit"]
