"""Figures that describe a table of images before training, and biases a model could use."""
