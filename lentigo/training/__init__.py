"""Teach a network on a lesion table: prepare, split, learn, keep the best, resume."""
