"""Functions that readers of archives share: find files, guess columns, interpret labels."""
