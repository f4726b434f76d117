"""Locked test sets: labels kept apart and opened under a protocol that was fixed before."""

from lentigo.evaluation.locking.locked import is_locked, lock_table, open_labels, state_of
from lentigo.evaluation.locking.protocol import Protocol

__all__ = ["Protocol", "is_locked", "lock_table", "open_labels", "state_of"]
