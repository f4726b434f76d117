"""Draw a table of images as a page of figures."""
