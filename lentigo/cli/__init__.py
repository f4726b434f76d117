"""The command line: one module per command, which parses, makes one call, and prints."""
