"""A test set whose labels lie apart, and are read under a protocol that was said before."""

from lentigo.evaluation.locking.locked import is_locked, lock_table, open_labels, state_of
from lentigo.evaluation.locking.protocol import Protocol

__all__ = ["Protocol", "is_locked", "lock_table", "open_labels", "state_of"]
