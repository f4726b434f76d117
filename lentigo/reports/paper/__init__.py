"""Parts for a manuscript: tables, a paragraph of methods, checklists."""

from lentigo.reports.paper.writing import write_paper

__all__ = ["write_paper"]
