"""Table files as people have them: opened within bounds, and read cell by cell."""
