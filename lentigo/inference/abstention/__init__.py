"""Abstention of a model: out-of-distribution scores of images, the limit, and reasons."""
