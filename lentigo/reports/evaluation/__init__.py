"""An evaluation on disk: its numbers and its figures."""

from lentigo.reports.evaluation.figures import draw_evaluation, write_evaluation

__all__ = ["draw_evaluation", "write_evaluation"]
