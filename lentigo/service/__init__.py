"""A finished model behind HTTP: answers for programs, and a page to read lesions with."""
