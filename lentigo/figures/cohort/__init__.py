"""Figures of a cohort, before training: who it is, what a model could exploit."""
