"""The readers: one archive a file, its file names and words to a lesion table."""
