"""The readers: each module turns the files and words of one archive into a lesion table."""
