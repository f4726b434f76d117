"""Table files of users: opened with limits on their size, and read cell by cell."""
