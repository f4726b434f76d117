"""Images: one safe way to decode files, square images of one size, one store on disk."""
