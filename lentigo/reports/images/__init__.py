"""Draw and write images: rows of a table, views, outlines, the first training batch."""
