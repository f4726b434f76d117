"""A file becomes pixels: what it may cost, what it holds, and its 8-bit RGB."""
