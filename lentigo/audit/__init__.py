"""Look a set of images through before anything is believed: one call, one page."""
