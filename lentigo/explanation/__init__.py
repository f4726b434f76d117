"""Explanations beside a probability: measures of the lesion, and saliency maps."""
