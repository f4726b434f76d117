"""Decode files that nobody vouches for in a process that may be killed."""
