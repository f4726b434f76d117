"""Readers beside a model: how well people call the same images, and how alike."""

from lentigo.evaluation.readers.study import judge_readers

__all__ = ["judge_readers"]
