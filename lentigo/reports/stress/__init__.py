"""A stress test on disk: answers, scores, figures and one page."""
