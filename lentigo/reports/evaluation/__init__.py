"""Write an evaluation into a folder: its metrics and its figures."""

from lentigo.reports.evaluation.figures import draw_evaluation, write_evaluation

__all__ = ["draw_evaluation", "write_evaluation"]
