"""The web page for readers, in four languages; it loads nothing from other servers."""
