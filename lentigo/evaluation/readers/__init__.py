"""Reader studies: metrics and agreement of people (readers) who call images."""

from lentigo.evaluation.readers.study import judge_readers

__all__ = ["judge_readers"]
