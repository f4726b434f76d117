"""Two photographs of one lesion on disk: measures and a figure."""
