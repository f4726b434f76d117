"""Decode image files to 8-bit RGB, within limits of memory and time; read their facts."""
