"""Serve a trained model over HTTP: an API for programs, and a web page for readers."""
