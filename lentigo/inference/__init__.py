"""Read a finished model and let it look at images."""
