"""The pixel store: the images of a table, decoded once into one array."""
