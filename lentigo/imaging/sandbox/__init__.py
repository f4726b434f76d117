"""Decode untrusted files in a separate process that may be killed."""
