"""Whether answers hold when a photograph is disturbed, and what a model reads besides."""
