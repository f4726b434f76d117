"""What the readers share: find files, guess columns, understand words and labels."""
