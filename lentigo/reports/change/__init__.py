"""Compare two photographs of one lesion and write the measures and a figure."""
