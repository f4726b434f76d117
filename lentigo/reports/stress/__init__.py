"""Write a stress test into a folder: predictions, scores, figures and a page."""
